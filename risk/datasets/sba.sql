-- SBA 7(a) loans: one row per loan, features known at approval. A loan that stands in several files is taken once.
WITH loans AS (
    SELECT LoanNr_ChkDgt, State, Zip, Bank, BankState, NAICS, ApprovalDate, ApprovalFY, NoEmp, NewExist, CreateJob,
           RetainedJob, FranchiseCode, UrbanRural, RevLineCr, LowDoc, GrAppv, SBA_Appv, MIS_Status, ChgOffDate,
           'casecontrol' AS source, SamplingWeight AS weight, _test
    FROM sba_casecontrol
    WHERE MIS_Status IS NOT NULL
    UNION ALL
    SELECT LoanNr_ChkDgt, State, Zip, Bank, BankState, NAICS, ApprovalDate, ApprovalFY, NoEmp, NewExist, CreateJob,
           RetainedJob, FranchiseCode, UrbanRural, RevLineCr, LowDoc, GrAppv, SBA_Appv, MIS_Status, ChgOffDate,
           'prefix', 1.0, false
    FROM sba_prefix_natural
    WHERE MIS_Status IS NOT NULL
      AND LoanNr_ChkDgt NOT IN (SELECT LoanNr_ChkDgt FROM sba_casecontrol)
    UNION ALL
    SELECT LoanNr_ChkDgt, State, Zip, Bank, BankState, NAICS, ApprovalDate, ApprovalFY, NoEmp, NewExist, CreateJob,
           RetainedJob, FranchiseCode, UrbanRural, RevLineCr, LowDoc, GrAppv, SBA_Appv, MIS_Status, ChgOffDate,
           'case', 1.0, false
    FROM sba_case_ca_realestate
    WHERE LoanNr_ChkDgt NOT IN (SELECT LoanNr_ChkDgt FROM sba_casecontrol)
      AND LoanNr_ChkDgt NOT IN (SELECT LoanNr_ChkDgt FROM sba_prefix_natural)
)
SELECT
    LoanNr_ChkDgt AS loan, source = 'casecontrol' AS scored, _test,
    coalesce(weight, 1.0) AS weight, ApprovalFY AS fiscal_year, (MIS_Status = 'CHGOFF')::INT AS charged_off,
    ApprovalDate AS approved_on, ChgOffDate AS charged_off_on,                -- for the alarms, never features
    -- The label-stratified sample teaches as it is; natural rows are thinned to the same mix of outcomes
    -- (22.7046 / 5.0779). The level this shifts is set right by Platt's line, which uses `weight`.
    CASE WHEN source = 'casecontrol' OR MIS_Status = 'CHGOFF' THEN 1.0 ELSE 1 / 4.4716 END AS train_weight,
    -- In the rates of categories a natural row tells about as much as eight weighted ones.
    CASE WHEN source = 'casecontrol' THEN coalesce(weight, 1.0) ELSE 8.0 END AS rate_weight,
    coalesce(Bank, '?') AS bank, coalesce(BankState, '?') AS bank_state, coalesce(State, '?') AS state,
    lpad((Zip // 100)::VARCHAR, 3, '0') AS zip3,
    CASE WHEN NAICS > 0 THEN left(NAICS::VARCHAR, 2) ELSE '0' END AS industry2,
    CASE WHEN NAICS > 0 THEN left(NAICS::VARCHAR, 4) ELSE '0' END AS industry4,
    FranchiseCode::VARCHAR AS franchise_code,
    CASE WHEN round(SBA_Appv / nullif(GrAppv, 0), 2) <= 0.51 THEN '50'
         WHEN round(SBA_Appv / nullif(GrAppv, 0), 2) = 0.75 THEN '75'
         WHEN round(SBA_Appv / nullif(GrAppv, 0), 2) = 0.80 THEN '80'
         WHEN round(SBA_Appv / nullif(GrAppv, 0), 2) = 0.85 THEN '85'
         WHEN round(SBA_Appv / nullif(GrAppv, 0), 2) = 0.90 THEN '90'
         WHEN round(SBA_Appv / nullif(GrAppv, 0), 2) >= 0.99 THEN '100'
         ELSE 'other' END AS programme,
    CASE WHEN GrAppv <= 15000 THEN 'a: to 15,000' WHEN GrAppv <= 35000 THEN 'b: to 35,000'
         WHEN GrAppv <= 50000 THEN 'c: to 50,000' WHEN GrAppv <= 100000 THEN 'd: to 100,000'
         WHEN GrAppv <= 150000 THEN 'e: to 150,000' WHEN GrAppv <= 350000 THEN 'f: to 350,000'
         WHEN GrAppv <= 700000 THEN 'g: to 700,000' ELSE 'h: above' END AS size_band,
    ln(greatest(GrAppv, 1)) AS log_amount,
    SBA_Appv / nullif(GrAppv, 0) AS guaranteed_share,
    CASE WHEN GrAppv % 100000 = 0 THEN 6 WHEN GrAppv % 50000 = 0 THEN 5 WHEN GrAppv % 25000 = 0 THEN 4
         WHEN GrAppv % 10000 = 0 THEN 3 WHEN GrAppv % 5000 = 0 THEN 2 WHEN GrAppv % 1000 = 0 THEN 1
         ELSE 0 END AS roundness,
    ln(greatest(GrAppv, 1)) - ln(1 + NoEmp) AS log_amount_per_job,
    ln(1 + NoEmp) AS log_jobs, ln(1 + CreateJob) AS log_created, ln(1 + RetainedJob) AS log_retained,
    CASE WHEN NewExist IN (1, 2) THEN (NewExist = 2)::INT END AS new_business,
    (FranchiseCode > 1)::INT AS franchise,
    (BankState = State)::INT AS same_state,
    nullif(UrbanRural, 0) AS urban_rural,
    CASE RevLineCr WHEN 'Y' THEN 1 WHEN 'N' THEN 0 END AS is_revolving,
    CASE LowDoc WHEN 'Y' THEN 1 WHEN 'N' THEN 0 END AS is_lowdoc,
    (month(ApprovalDate) + 2) % 12 + 1 AS fiscal_month  -- 1: October
FROM loans
ORDER BY fiscal_year, ApprovalDate, loan
