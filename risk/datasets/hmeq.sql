-- Home equity loans: BAD = 1 defaulted or seriously late.
SELECT *, BAD AS bad_loan, MORTDUE / nullif(VALUE, 0) AS mortgage_share FROM hmeq
