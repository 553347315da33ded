-- Chinese small firms by their VAT invoices alone, as of the files' last day; void invoices count for nothing here.
WITH sales AS (
    SELECT "企业代号" AS firm, CAST("开票日期" AS DATE) AS sold_on, "价税合计" AS yuan
    FROM invoices_out
    WHERE trim("发票状态") = '有效发票'
),
of_firm AS (
    SELECT firm, sum(yuan) AS yuan, count(*) AS invoices, min(sold_on) AS first_on,
           count(DISTINCT date_trunc('month', sold_on)) AS months
    FROM sales GROUP BY firm
),
by_month AS (
    SELECT "企业代号" AS firm, date_trunc('month', CAST("开票日期" AS DATE)) AS month,
           sum("价税合计") FILTER (trim("发票状态") = '有效发票') AS yuan
    FROM invoices_out GROUP BY ALL
),
best AS (
    SELECT firm, max(yuan) / nullif(sum(yuan), 0) AS best_month_share FROM by_month GROUP BY firm
)
SELECT enterprises.*, ("是否违约" = '是')::INT AS defaulted,
    ln(greatest(coalesce(of_firm.yuan, 0), 1)) AS log_sales,
    ln(1 + invoices) AS log_sales_count,
    months / (1 + date_diff('month', first_on, DATE '2020-02-21')) AS active_share,  -- of months since the first
    best_month_share
FROM enterprises
LEFT JOIN of_firm ON of_firm.firm = enterprises."企业代号"
LEFT JOIN best ON best.firm = enterprises."企业代号"
ORDER BY CAST(substr(enterprises."企业代号", 2) AS INT)
