-- Consumer loans, Thomas, Edelman and Crook 2002.
SELECT *, CAST(BAD AS INT) AS outcome FROM thomas
