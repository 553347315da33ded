-- German credit, UCI 144: target 2 is a bad risk.
SELECT *, CAST(target = 2 AS INT) AS bad FROM german
