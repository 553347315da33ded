-- LendingClub sample of the R package modeldata; the sub-grade, A1 to G5, is an order.
SELECT *, CAST(Class = 'bad' AS INT) AS bad,
       (ascii(sub_grade) - 65) * 5 + CAST(substr(sub_grade, 2, 1) AS INT) AS grade_rank,
       funded_amnt / nullif(annual_inc, 0) AS loan_to_income
FROM lending_club_modeldata
