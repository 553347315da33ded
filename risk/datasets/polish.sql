-- Polish firms: the 64 ratios and, undone from them, items of the statement per total assets. No time, no firm's name.
-- Copies of a row share `copy`, so that they stay in one fold. Left out on purpose: Attr9 - Attr36 (sales less revenue)
-- and residuals of accounting identities such as 1 - Attr2 - Attr10. They tell how the records of the two outcomes were
-- collected, not how firms fare (alone they bring the AUC to 0.98-0.99).
WITH items AS (
    SELECT *,
        hash(Attr1, Attr2, Attr3, Attr4, Attr5, Attr6, Attr7, Attr8, Attr9, Attr10, Attr11, Attr12, Attr13, Attr14,
             Attr15, Attr16, Attr17, Attr18, Attr19, Attr20, Attr21, Attr22, Attr23, Attr24, Attr25, Attr26, Attr27,
             Attr28, Attr29, Attr30, Attr31, Attr32, Attr33, Attr34, Attr35, Attr36, Attr37, Attr38, Attr39, Attr40,
             Attr41, Attr42, Attr43, Attr44, Attr45, Attr46, Attr47, Attr48, Attr49, Attr50, Attr51, Attr52, Attr53,
             Attr54, Attr55, Attr56, Attr57, Attr58, Attr59, Attr60, Attr61, Attr62, Attr63, Attr64)::VARCHAR AS copy,
        power(10, Attr29) AS total_assets,                                    -- thousand zloty
        Attr13 * Attr9 - Attr18 AS depreciation,
        Attr20 * Attr9 / 365 AS inventory, Attr44 * Attr9 / 365 AS receivables,
        Attr50 * Attr2 AS current_assets,
        CASE WHEN Attr64 <> 0 THEN Attr9 / Attr64 END AS fixed_assets,
        CASE WHEN Attr27 <> 0 THEN Attr22 / Attr27 END AS financial_expenses,
        Attr14 - Attr18 AS interest,
        64 - list_count([Attr1, Attr2, Attr3, Attr4, Attr5, Attr6, Attr7, Attr8, Attr9, Attr10, Attr11, Attr12, Attr13,
             Attr14, Attr15, Attr16, Attr17, Attr18, Attr19, Attr20, Attr21, Attr22, Attr23, Attr24,
             Attr25, Attr26, Attr27, Attr28, Attr29, Attr30, Attr31, Attr32, Attr33, Attr34, Attr35,
             Attr36, Attr37, Attr38, Attr39, Attr40, Attr41, Attr42, Attr43, Attr44, Attr45, Attr46,
             Attr47, Attr48, Attr49, Attr50, Attr51, Attr52, Attr53, Attr54, Attr55, Attr56, Attr57,
             Attr58, Attr59, Attr60, Attr61, Attr62, Attr63, Attr64]) AS unknowns
    FROM polish
)
SELECT *,
    current_assets - inventory - receivables AS cash,
    Attr2 - Attr51 AS long_liabilities,
    Attr18 - Attr1 AS tax, CASE WHEN Attr18 <> 0 THEN (Attr18 - Attr1) / Attr18 END AS tax_rate,
    Attr18 - Attr22 AS result_outside_operations,
    Attr22 - Attr35 AS result_outside_sales,
    Attr11 - Attr7 AS extraordinary,
    Attr10 - Attr25 AS share_capital, Attr38 - Attr10 AS capital_over_equity,
    Attr24 - Attr18 AS gross_profit_before,                                   -- of the two years before
    Attr6 - Attr25 AS retained_less_equity, (1 - Attr56) * Attr9 AS cost_of_sales,
    Attr33 * Attr51 AS operating_expenses, Attr34 * Attr2 AS operating_expenses_all,
    Attr48 - Attr22 AS depreciation_in_result, Attr23 - Attr19 AS net_less_gross_margin,
    Attr39 - Attr42 AS margin_outside_sales, Attr31 - Attr19 AS interest_in_margin,
    Attr49 - Attr42 AS depreciation_in_margin,
    CASE WHEN Attr21 <> 0 THEN Attr9 / Attr21 END AS sales_before,
    log10(greatest(total_assets * greatest(Attr9, 0), 0.1)) AS log_sales,
    sign(Attr1) * log10(1 + abs(Attr1) * total_assets) AS log_profit,
    sign(Attr10) * log10(1 + abs(Attr10) * total_assets) AS log_equity,
    log10(1 + greatest(inventory, 0) * total_assets) AS log_inventory,
    log10(1 + greatest(depreciation, 0) * total_assets) AS log_depreciation,
    sign(Attr55) * log10(1 + abs(Attr55)) AS log_working_capital,
    CASE WHEN fixed_assets <> 0 THEN depreciation / fixed_assets END AS depreciation_rate,
    CASE WHEN Attr2 <> 0 THEN interest / Attr2 END AS interest_rate
FROM items
