-- US listed firms: one row per window of consecutive fiscal years, of any length; ratios of the window's last year.
-- Nothing of other firms and nothing of the calendar year enters a feature. Denominators have floors and ratios have
-- limits, so that shells and one-dollar firms stay in range.
WITH windows AS (
    SELECT *, 'earlier' AS source FROM earlier
    UNION ALL BY NAME
    SELECT *, 'later' AS source FROM later
),
last_years AS (
    SELECT * FROM windows
    QUALIFY row_number() OVER (PARTITION BY _test, source, firm, window_id ORDER BY fyear DESC) = 1
),
ratios AS (  -- of the last year: earlier years of the window gained nothing on windows ending by 2011
    SELECT firm, window_id, fyear, status, _test,
        ln(greatest(total_assets, 0.1))  AS size_assets,
        ln(greatest(total_revenue, 0.1)) AS size_sales,
        ln(greatest(market_value, 0.05)) AS size_market,
        greatest(least(total_liabilities / greatest(total_assets, 0.1), 10), 0) AS leverage,
        total_liabilities / greatest(total_liabilities + market_value, 0.1) AS market_leverage,
        total_long_term_debt / greatest(total_assets, 0.1) AS debt_assets,
        total_long_term_debt / greatest(total_long_term_debt + market_value, 0.1) AS debt_market,
        (total_liabilities - total_current_liabilities) / greatest(total_assets, 0.1) AS long_liab_assets,
        total_current_liabilities / greatest(total_liabilities, 0.1) AS short_share,
        ln(greatest(current_assets, 0.01) / greatest(total_current_liabilities, 0.01)) AS current_ratio,
        ln(greatest(current_assets - inventory, 0.01) / greatest(total_current_liabilities, 0.01)) AS quick_ratio,
        greatest(least((current_assets - total_current_liabilities) / greatest(total_assets, 0.1), 2), -10)
            AS working_capital,
        current_assets / greatest(total_assets, 0.1) AS current_share,
        (current_assets - inventory - total_receivables) / greatest(total_assets, 0.1) AS cash_proxy,
        (current_assets - inventory - total_receivables) / greatest(total_liabilities + market_value, 0.1)
            AS cash_market,
        greatest(least(net_income / greatest(total_assets, 0.1), 2), -5) AS net_income_assets,
        net_income / greatest(total_liabilities + market_value, 0.1) AS net_income_market,
        greatest(least(ebitda / greatest(total_assets, 0.1), 2), -5) AS ebitda_assets,
        greatest(least(ebit / greatest(total_assets, 0.1), 2), -5) AS ebit_assets,
        ebitda / greatest(total_liabilities + market_value, 0.1) AS ebitda_market,
        greatest(least(ebitda / greatest(total_liabilities, 0.1), 5), -10) AS ebitda_liabilities,
        greatest(least((net_income + depreciation_and_amortization) / greatest(total_liabilities, 0.1), 5), -10)
            AS funds_liabilities,
        greatest(least((ebitda - net_income - depreciation_and_amortization) / greatest(total_assets, 0.1), 5),
            -2) AS burden_assets,
        greatest(least((ebit - net_income) / greatest(total_liabilities, 0.1), 5), -2) AS burden_liabilities,
        greatest(least(retained_earnings / greatest(total_assets, 0.1), 2), -50) AS retained_assets,
        greatest(least(total_revenue / greatest(total_assets, 0.1), 10), 0) AS turnover,
        greatest(least(gross_profit / greatest(total_revenue, 0.1), 1), -5) AS gross_margin,
        greatest(least(ebitda / greatest(total_revenue, 0.1), 1), -10) AS ebitda_margin,
        depreciation_and_amortization / greatest(total_assets, 0.1) AS depreciation_assets,
        inventory / greatest(total_assets, 0.1) AS inventory_assets,
        total_receivables / greatest(total_assets, 0.1) AS receivables_assets,
        greatest(least(total_receivables / greatest(total_revenue, 0.1), 5), 0) AS receivables_sales,
        greatest(least(ln(greatest(market_value, 0.05) / greatest(total_assets, 0.1)), 5), -7) AS market_assets,
        greatest(least(ln(greatest(market_value, 0.05) / greatest(total_revenue, 0.1)), 7), -7) AS market_sales,
        greatest(least((total_assets - total_liabilities) / greatest(total_assets, 0.1), 1), -10) AS equity_assets,
        greatest(least((total_assets - total_liabilities) / greatest(market_value, 0.05), 10), -30) AS book_market,
        (net_income < 0)::int AS loss, (ebitda < 0)::int AS burns, (total_liabilities > total_assets)::int
            AS insolvent,
        -- paid-in capital over assets: equity that is not earned
        greatest(least((total_assets - total_liabilities - retained_earnings) / greatest(total_assets, 0.1), 50),
            -5) AS paid_in_assets
    FROM last_years
)
SELECT * FROM ratios ORDER BY _test, fyear, firm
