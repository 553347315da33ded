-- Australian credit approval, UCI 143: A15 = 0 is a refusal.
SELECT *, CAST(A15 = 0 AS INT) AS bad FROM australian
