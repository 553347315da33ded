-- Japanese credit screening, UCI 27: '-' is a refusal.
SELECT *, CAST(A16 = '-' AS INT) AS bad FROM japanese_crx
