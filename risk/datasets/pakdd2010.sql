-- PAKDD 2010 contest, modelling set.
SELECT *, TARGET_LABEL_BAD AS bad FROM pakdd2010
