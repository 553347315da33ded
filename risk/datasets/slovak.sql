SELECT * FROM slovak_sme
