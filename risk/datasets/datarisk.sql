-- Datarisk: one row per invoice, its history as it stood when it was issued: facts dated strictly before that day.
-- Letters: c client, iss issued, due, pay paid, amt amount, tax rate of interest, dl days late, cdl days late so far,
-- y settled label (1: five days late or more), known the day it was settled, k_ kernels over like invoices,
-- q_ the same kind of invoice, g_ and p_ the portfolio (all clients), e_ invoices of the same day, t_ terms,
-- a_ amounts, s_ habits, d_ days late, o_ and od_ open items.
-- With every fact from 2020-03-02 on taken away, all earlier rows keep all features (tests/risk/test_real_data.py).
WITH
p AS (  -- invoices, numbered; "known" = the day the label is settled
  SELECT row_number() OVER (ORDER BY DATA_EMISSAO_DOCUMENTO, ID_CLIENTE, DATA_VENCIMENTO, VALOR_A_PAGAR, TAXA,
      DATA_PAGAMENTO) AS rid,
         ID_CLIENTE AS c, SAFRA_REF::DATE AS safra,
         DATA_EMISSAO_DOCUMENTO::DATE AS iss, DATA_VENCIMENTO::DATE AS due, DATA_PAGAMENTO::DATE AS pay,
         VALOR_A_PAGAR AS amt, TAXA AS tax,
         DATA_VENCIMENTO::DATE - DATA_EMISSAO_DOCUMENTO::DATE AS term,
         -- token, small (fees), main invoice
         CASE WHEN VALOR_A_PAGAR < 1.5 THEN 0 WHEN VALOR_A_PAGAR < 6000 THEN 1 ELSE 2 END AS kind,
         least(DATA_PAGAMENTO::DATE, DATA_VENCIMENTO::DATE + 5) AS known,
         DATA_PAGAMENTO::DATE - DATA_VENCIMENTO::DATE AS dl,
         (DATA_PAGAMENTO::DATE - DATA_VENCIMENTO::DATE >= 5)::INT AS y, _test
  FROM pagamentos),
pair AS (  -- a = the invoice, b = an invoice of the same client issued on an earlier day
  SELECT a.rid, a.iss, a.due, a.term, a.amt, a.tax, a.kind,
         b.rid AS brid, b.iss AS biss, b.due AS bdue, b.amt AS bamt, b.term AS bterm, b.tax AS btax, b.kind AS bkind,
         a.iss - b.iss AS age,
         b.pay < a.iss AS paid,                               -- seen paid
         b.known < a.iss AS kn,                               -- label settled
         CASE WHEN b.known < a.iss THEN b.y END AS y,         -- settled label, else unknown
         CASE WHEN b.pay < a.iss THEN b.dl END AS dl,         -- days late of the paid
         CASE WHEN b.pay < a.iss THEN b.pay END AS bpay,
         -- days late so far, clipped
         CASE WHEN b.pay < a.iss OR b.due < a.iss THEN greatest(-5, least(60, least(b.pay,
             a.iss) - b.due)) END AS cdl,
         CASE WHEN b.pay >= a.iss AND b.due < a.iss THEN a.iss - b.due END AS od,   -- days overdue and still open
         b.pay >= a.iss AS open,
         CASE WHEN b.due + 5 < a.iss THEN b.y END AS my       -- matured label: both outcomes equally visible
  FROM p a JOIN p b ON a.c = b.c AND b.iss < a.iss),
h AS (  -- client history in one pass
  SELECT rid,
    count(*) AS h_n, count(y) AS h_kn, sum(y) AS h_late_n,
    max(age) AS h_first, min(age) AS h_gap,
    count(*) FILTER (age <= 7) AS h_n7, count(*) FILTER (age <= 30) AS h_n30, count(*) FILTER (age <= 90) AS h_n90,
    -- late rates, decayed (half-lives in days), shrunk to 7 %
    (sum(y * 0.5 ** (age / 20.0)) + 0.07) / (coalesce(sum(0.5 ** (age / 20.0)) FILTER (y IS NOT NULL), 0) + 1) AS r20,
    (sum(y * 0.5 ** (age / 60.0)) + 0.07) / (coalesce(sum(0.5 ** (age / 60.0)) FILTER (y IS NOT NULL), 0) + 1) AS r60,
    (sum(y * 0.5 ** (age / 180.0)) + 0.14) / (coalesce(sum(0.5 ** (age / 180.0)) FILTER (y IS NOT NULL),
        0) + 2) AS r180,
    (sum(y) + 0.14) / (count(y) + 2) AS rall,
    (sum(my * 0.5 ** (age / 60.0)) + 0.07) / (coalesce(sum(0.5 ** (age / 60.0)) FILTER (my IS NOT NULL),
        0) + 1) AS m60,
    (sum(my) + 0.14) / (count(my) + 2) AS mall,
    avg(y) FILTER (age <= 60) AS w60, avg(y) FILTER (age <= 120) AS w120, avg(y) FILTER (age <= 365) AS w365,
    sum(y) FILTER (age <= 90) AS ln90,
    -- lately
    list_avg(arg_max(y, (bdue - DATE '2015-01-01') * 1000000 + brid, 3)) AS l3, list_avg(arg_max(y,
        (bdue - DATE '2015-01-01') * 1000000 + brid, 5)) AS l5,
    list_avg(arg_max(y, (bdue - DATE '2015-01-01') * 1000000 + brid, 10)) AS l10, list_avg(arg_max(y,
        (bdue - DATE '2015-01-01') * 1000000 + brid, 20)) AS l20,
    -- days late so far (paid, or overdue now)
    avg(cdl) AS d_all, sum(cdl * 0.5 ** (age / 30.0)) / sum(0.5 ** (age / 30.0)) FILTER (cdl IS NOT NULL) AS d30,
    sum(cdl * 0.5 ** (age / 120.0)) / sum(0.5 ** (age / 120.0)) FILTER (cdl IS NOT NULL) AS d120,
    max(cdl) AS d_max, max(cdl) FILTER (age <= 90) AS d_max90, max(cdl) FILTER (age <= 180) AS d_max180,
    list_avg(arg_max(cdl, (bdue - DATE '2015-01-01') * 1000000 + brid, 3)) AS d_l3, list_max(arg_max(cdl,
        (bdue - DATE '2015-01-01') * 1000000 + brid, 5)) AS d_l5max,
    stddev_pop(cdl) AS d_sd, stddev_pop(cdl) FILTER (age <= 180) AS d_sd180,
    avg((cdl BETWEEN 1 AND 4)::INT) FILTER (cdl IS NOT NULL) AS s_slight, avg((cdl < 0)::INT)
        FILTER (cdl IS NOT NULL) AS s_early,
    avg((cdl = 0)::INT) FILTER (cdl IS NOT NULL) AS s_exact, avg((cdl = 0)::INT)
        FILTER (cdl IS NOT NULL AND age <= 90) AS s_exact90,
    min(age) FILTER (y = 1) AS since_late, min(iss - bpay) FILTER (y = 1) AS since_latepay, min(iss - bdue)
        FILTER (y = 1) AS since_latedue,
    min(iss - bpay) AS since_pay,
    -- open items
    count(*) FILTER (open) AS o_n, sum(bamt) FILTER (open) AS o_amt,
    count(od) AS od_n, count(*) FILTER (od >= 5) AS od5_n, sum(bamt) FILTER (od IS NOT NULL) AS od_amt,
        max(od) AS od_max, min(od) AS od_min,
    count(*) FILTER (open AND bdue >= iss) AS nd_n, sum(bamt) FILTER (open AND bdue >= iss) AS nd_amt,
    count(*) FILTER (bdue < iss) AS due_n, count(*) FILTER (bdue < iss AND age <= 60) AS due_n60,
    count(*) FILTER (bdue = due) AS samedue_n, count(*) FILTER (abs(bdue - due) <= 3) AS neardue_n,
    max(due - bdue) FILTER (bdue <= due) * 0 + min(abs(due - bdue)) AS due_dist,
    max(bdue) - any_value(iss) AS lastdue,
    count(*) FILTER (bdue > due) AS duebeyond_n,
    -- habits
    median(bterm) FILTER (age <= 180) AS t_med, mode(bterm ORDER BY brid) AS t_mode, min(bterm)
        FILTER (age <= 180 AND bterm > 0) AS t_min,
    max(bterm) FILTER (age <= 180) AS t_max, stddev_pop(bterm) FILTER (age <= 365) AS t_sd,
    list_avg(arg_max(bterm, (biss - DATE '2015-01-01') * 1000000 + brid, 3)) AS t_l3,
    avg((bterm <= term)::INT) AS t_rank,
    avg(ln(bamt)) FILTER (bamt > 0 AND age <= 365) AS a_mean, stddev_pop(ln(bamt)) FILTER (bamt > 0) AS a_sd,
    max(bamt) AS a_max, avg((bamt <= amt)::INT) AS a_rank, count(*) FILTER (bamt = amt) AS a_same,
    sum(bamt) FILTER (age <= 30) AS a_30, sum(bamt) FILTER (age <= 90) AS a_90,
    avg(btax) FILTER (age <= 180) AS x_mean, arg_max(btax, (biss - DATE '2015-01-01') * 1000000 + brid) AS x_last,
    -- late rates among like invoices: like term, like amount, both, same due weekday, and like term x recent
    (sum(y * exp(-abs(bterm - term) / 2.0)) + 0.07) / (sum(exp(-abs(bterm - term) / 2.0))
        FILTER (y IS NOT NULL) + 1) AS k_term,
    (sum(y * exp(-abs(bterm - term) / 6.0 - age / 120.0)) + 0.07) / (sum(exp(-abs(bterm - term) / 6.0 - age / 120.0))
        FILTER (y IS NOT NULL) + 1) AS k_termage,
    (sum(y * exp(-abs(ln(bamt / amt)) * 2))
        FILTER (bamt > 0 AND amt > 0) + 0.07) / (sum(exp(-abs(ln(bamt / amt)) * 2))
        FILTER (y IS NOT NULL AND bamt > 0 AND amt > 0) + 1) AS k_amt,
    (sum(y * exp(-abs(ln(bamt / amt)) * 2 - age / 120.0))
        FILTER (bamt > 0 AND amt > 0) + 0.07) / (sum(exp(-abs(ln(bamt / amt)) * 2 - age / 120.0))
        FILTER (y IS NOT NULL AND bamt > 0 AND amt > 0) + 1) AS k_amtage,
    (sum(y) FILTER (dayofweek(bdue) = dayofweek(due)) + 0.14) / (count(y)
        FILTER (dayofweek(bdue) = dayofweek(due)) + 2) AS k_dow,
    (sum(y * exp(-abs(day(bdue) - day(due)) / 3.0)) + 0.07) / (sum(exp(-abs(day(bdue) - day(due)) / 3.0))
        FILTER (y IS NOT NULL) + 1) AS k_dom,
    sum(cdl * exp(-abs(bterm - term) / 2.0)) / sum(exp(-abs(bterm - term) / 2.0)) FILTER (cdl IS NOT NULL) AS kd_term,
    (sum(y * bamt) + 0.07 * 30000) / (sum(bamt) FILTER (y IS NOT NULL) + 30000) AS r_money
  FROM pair GROUP BY rid),
-- the same, among the client's invoices of the same kind (small fees and main invoices are paid in different ways)
h2 AS (
  SELECT rid, count(*) AS q_n, count(y) AS q_kn, sum(y) AS q_late_n,
    (sum(y * 0.5 ** (age / 30.0)) + 0.07) / (coalesce(sum(0.5 ** (age / 30.0)) FILTER (y IS NOT NULL), 0) + 1) AS q30,
    (sum(y * 0.5 ** (age / 120.0)) + 0.07) / (coalesce(sum(0.5 ** (age / 120.0)) FILTER (y IS NOT NULL),
        0) + 1) AS q120,
    (sum(y) + 0.14) / (count(y) + 2) AS qall,
    list_avg(arg_max(y, (bdue - DATE '2015-01-01') * 1000000 + brid, 3)) AS q_l3, list_avg(arg_max(y,
        (bdue - DATE '2015-01-01') * 1000000 + brid, 8)) AS q_l8,
    list_avg(arg_max(cdl, (bdue - DATE '2015-01-01') * 1000000 + brid, 3)) AS qd_l3, list_max(arg_max(cdl,
        (bdue - DATE '2015-01-01') * 1000000 + brid, 6)) AS qd_l6max,
    sum(cdl * 0.5 ** (age / 60.0)) / sum(0.5 ** (age / 60.0)) FILTER (cdl IS NOT NULL) AS qd60, avg(cdl) AS qd_all,
    max(cdl) FILTER (age <= 120) AS qd_max120, avg((cdl = 0)::INT) FILTER (cdl IS NOT NULL) AS q_exact,
    min(iss - bdue) FILTER (y = 1) AS q_since_late, count(*) FILTER (bdue < iss AND y = 0 AND age < 3650) AS q_good,
    count(od) AS q_od_n, max(od) AS q_od_max, min(age) AS q_gap,
    any_value(term) - median(bterm) FILTER (age <= 240) AS qt_med,
        any_value(term) - mode(bterm ORDER BY brid) AS qt_mode, avg((bterm < term)::INT) AS qt_rank,
    any_value(ln(greatest(amt, 1))) - avg(ln(greatest(bamt, 1))) AS qa_x,
    median(bpay - biss) - any_value(term) AS q_ttp, median(bpay - biss)
        FILTER (age <= 150) - any_value(term) AS q_ttp150,
    quantile_cont(bpay - biss, 0.85) - any_value(term) AS q_ttp85,
    sum((bpay - biss) * exp(-abs(bterm - term) / 4.0 - age / 150.0)) / sum(exp(-abs(bterm - term) / 4.0 - age /
        150.0)) FILTER (bpay IS NOT NULL) - any_value(term) AS q_ttpk,
    avg(day(bpay)) FILTER (age <= 365) - day(any_value(due)) AS q_payday,
    (sum(y * exp(-abs(bterm - term) / 4.0 - abs(ln(bamt / amt)) * 1.5 - age / 150.0))
        FILTER (bamt > 0 AND amt > 0) + 0.035) / (sum(exp(-abs(bterm - term) / 4.0 - abs(ln(bamt / amt)) * 1.5 - age
        / 150.0)) FILTER (y IS NOT NULL AND bamt > 0 AND amt > 0) + 0.5) AS k_both,
    (sum(y * exp(-abs(day(bdue) - day(due)) / 2.0 - age / 150.0)) + 0.035) / (sum(exp(-abs(day(bdue) - day(due)) /
        2.0 - age / 150.0)) FILTER (y IS NOT NULL) + 0.5) AS qk_dom,
    (sum(y) FILTER (dayofweek(bdue) = dayofweek(due) AND age <= 365) + 0.07) / (count(y)
        FILTER (dayofweek(bdue) = dayofweek(due) AND age <= 365) + 1) AS qk_dow
  FROM pair WHERE kind = bkind GROUP BY rid),
same AS (  -- other invoices of the client issued the same day (their terms are known, their payment is not)
  SELECT a.rid, count(*) AS e_n, sum(b.amt) AS e_amt, count(*) FILTER (b.due = a.due) AS e_samedue,
      max(b.term) - a.term AS e_tmax, min(b.term) - a.term AS e_tmin,
         count(*) FILTER (b.amt = a.amt) AS e_sameamt,
         ln(greatest(a.amt, 1)) - ln(greatest(max(b.amt), 1)) AS e_amtx, count(*) FILTER (b.kind = a.kind) AS e_kind,
             count(*) FILTER (b.due < a.due) AS e_earlier
  FROM p a JOIN p b ON a.c = b.c AND a.iss = b.iss AND a.rid <> b.rid GROUP BY a.rid, a.term, a.amt),
days AS (SELECT DISTINCT iss AS t FROM p),
flow AS (SELECT due, greatest(due, p.iss) AS sd,  -- sd: an invoice due before its issue counts from its issue
          p.iss, y, dl, amt, kind, term, p.c, cad.SEGMENTO_INDUSTRIAL AS seg, cad.PORTE AS size,
              cad.DOMINIO_EMAIL AS mail, cad.DDD AS ddd, cad.CEP_2_DIG AS cep
         FROM p LEFT JOIN cadastral cad ON p.c = cad.ID_CLIENTE),
port AS (  -- portfolio: late share of what fell due lately and is settled either way
  SELECT t, sum(s) FILTER (sd >= t - 35) / sum(n) FILTER (sd >= t - 35) AS p30, sum(s)
      FILTER (sd >= t - 95) / sum(n) FILTER (sd >= t - 95) AS p90,
         sum(s1) FILTER (sd >= t - 20) / sum(n) FILTER (sd >= t - 20) AS p15
  FROM days JOIN (SELECT greatest(due, iss) AS sd, sum(y) AS s, count(*) AS n,
      sum((dl >= 5)::INT) AS s1 FROM p GROUP BY 1) f ON f.sd + 5 < t AND f.sd >= t - 95 GROUP BY t),
need AS (SELECT DISTINCT 'seg' AS k, seg AS v, iss AS t FROM flow UNION SELECT 'size', size,
    iss FROM flow UNION SELECT 'mail', mail, iss FROM flow
  UNION SELECT 'ddd', ddd, iss FROM flow UNION SELECT 'cep', cep, iss FROM flow UNION SELECT 'term', least(term,
      60)::VARCHAR, iss FROM flow
  UNION SELECT 'kind', kind::VARCHAR, iss FROM flow
  UNION SELECT 'kindterm', kind || ' ' || least(term, 60), iss FROM flow
  UNION SELECT 'dom', kind || ' ' || day(due), iss FROM flow),
peer AS (  -- the same by key, other clients' invoices included, decayed with 120 days' half-life
  SELECT k, v, t, sum(s * 0.5 ** ((t - sd) / 120.0)) AS s, sum(n * 0.5 ** ((t - sd) / 120.0)) AS n
  FROM need JOIN (
     SELECT 'seg' AS k, seg AS v, sd, sum(y) AS s,
         count(*) AS n FROM flow WHERE seg IS NOT NULL GROUP BY ALL UNION ALL
     SELECT 'size', size, sd, sum(y), count(*) FROM flow WHERE size IS NOT NULL GROUP BY ALL UNION ALL
     SELECT 'mail', mail, sd, sum(y), count(*) FROM flow WHERE mail IS NOT NULL GROUP BY ALL UNION ALL
     SELECT 'ddd', ddd, sd, sum(y), count(*) FROM flow WHERE ddd IS NOT NULL GROUP BY ALL UNION ALL
     SELECT 'cep', cep, sd, sum(y), count(*) FROM flow WHERE cep IS NOT NULL GROUP BY ALL UNION ALL
     SELECT 'kind', kind::VARCHAR, sd, sum(y), count(*) FROM flow GROUP BY ALL UNION ALL
     SELECT 'kindterm', kind || ' ' || least(term, 60), sd, sum(y), count(*) FROM flow GROUP BY ALL UNION ALL
     SELECT 'dom', kind || ' ' || day(due), sd, sum(y), count(*) FROM flow GROUP BY ALL UNION ALL
     SELECT 'term', least(term, 60)::VARCHAR, sd, sum(y), count(*) FROM flow GROUP BY ALL) f USING (k,
         v) WHERE f.sd + 5 < t AND f.sd >= t - 730
  GROUP BY k, v, t),
info AS (  -- monthly income and staff, with the client's earlier months
  SELECT ID_CLIENTE AS c, SAFRA_REF::DATE AS safra, RENDA_MES_ANTERIOR AS inc, NO_FUNCIONARIOS AS emp,
         avg(RENDA_MES_ANTERIOR) OVER w AS inc6, avg(NO_FUNCIONARIOS) OVER w AS emp6,
             count(*) OVER (PARTITION BY ID_CLIENTE ORDER BY SAFRA_REF) AS inf_n,
         lag(RENDA_MES_ANTERIOR) OVER (PARTITION BY ID_CLIENTE ORDER BY SAFRA_REF) AS inc_l
  FROM info_mensal WINDOW w AS (PARTITION BY ID_CLIENTE ORDER BY SAFRA_REF ROWS BETWEEN 6 PRECEDING AND 1 PRECEDING)),
wide AS (
SELECT p.rid, p._test, p.c AS client, p.safra, p.iss, p.due, p.pay, p.known, p.y AS late,
  p.term, ln(greatest(p.amt, 1)) AS amt, (p.amt IS NULL)::INT AS amt_miss, p.tax,
      (p.amt = round(p.amt))::INT AS amt_round,
  dayofweek(p.due) AS due_dow, day(p.due) AS due_dom, dayofweek(p.iss) AS iss_dow, day(p.iss) AS iss_dom,
      date_diff('day', p.due, last_day(p.due)) AS due_end, month(p.due) AS due_mon,
  h.* EXCLUDE (rid), h2.* EXCLUDE (rid),
  p.term - h.t_med AS tx_med, p.term - h.t_mode AS tx_mode, p.term - h.t_l3 AS tx_l3, p.term - h.t_min AS tx_min,
      p.term / nullif(h.t_max, 0) AS tx_max,
  ln(greatest(p.amt, 1)) - h.a_mean AS ax_mean, p.amt / nullif(h.a_max, 0) AS ax_max,
  p.tax - h.x_mean AS xx_mean, p.tax - h.x_last AS xx_last,
  coalesce(h.od_n, 0) / nullif(h.o_n, 0) AS od_share, h.od_amt / nullif(h.a_90, 0) AS od_amt90,
      h.o_amt / nullif(h.a_90, 0) AS o_amt90, p.amt / nullif(h.o_amt, 0) AS amt_o,
  h.r20 - h.r180 AS r_trend, h.d30 - h.d120 AS d_trend, h.h_n30 / nullif(h.h_n90, 0) AS n_trend,
  h.h_n / (h.h_first + 1.0) AS pace, h.h_gap * h.h_n / (h.h_first + 1.0) AS gap_rel,
  same.* EXCLUDE (rid), port.*  EXCLUDE (t),
  (date_diff('day', cad.DATA_CADASTRO::DATE, p.iss)) AS cad_age, (cad.FLAG_PF IS NOT NULL)::INT AS pf,
      cad.SEGMENTO_INDUSTRIAL AS seg, cad.PORTE AS size, cad.DOMINIO_EMAIL AS mail, cad.DDD AS ddd,
      cad.CEP_2_DIG AS cep,
  (cad.SEGMENTO_INDUSTRIAL IS NULL)::INT + (cad.PORTE IS NULL)::INT + (cad.DOMINIO_EMAIL IS NULL)::INT + (cad.DDD IS
      NULL)::INT AS cad_miss,
  (g1.s + 20 * 0.07) / (g1.n + 20) AS g_seg, (g2.s + 20 * 0.07) / (g2.n + 20) AS g_size,
      (g3.s + 20 * 0.07) / (g3.n + 20) AS g_mail,
  (g4.s + 20 * 0.07) / (g4.n + 20) AS g_ddd, (g5.s + 20 * 0.07) / (g5.n + 20) AS g_cep,
      (g6.s + 20 * 0.07) / (g6.n + 20) AS g_term,
  g8.s / g8.n AS g_kind, (g9.s + 10 * g8.s / g8.n) / (g9.n + 10) AS g_kterm,
      (g11.s + 20 * g8.s / g8.n) / (g11.n + 20) AS g_dom, p.kind,
  i.inc, i.emp, i.inc / nullif(i.inc6, 0) AS inc_chg, i.emp - i.emp6 AS emp_chg, i.inc / nullif(i.inc_l,
      0) AS inc_chg1, i.inf_n, (i.c IS NULL)::INT AS inf_miss,
  p.amt / nullif(i.inc, 0) AS amt_inc, h.o_amt / nullif(i.inc, 0) AS o_inc
FROM p LEFT JOIN h USING (rid) LEFT JOIN h2 USING (rid) LEFT JOIN same USING (rid) LEFT JOIN port ON port.t = p.iss
LEFT JOIN cadastral cad ON cad.ID_CLIENTE = p.c LEFT JOIN info i ON i.c = p.c AND i.safra = p.safra
LEFT JOIN peer g1 ON g1.k = 'seg' AND g1.v = cad.SEGMENTO_INDUSTRIAL AND g1.t = p.iss
LEFT JOIN peer g2 ON g2.k = 'size' AND g2.v = cad.PORTE AND g2.t = p.iss
LEFT JOIN peer g3 ON g3.k = 'mail' AND g3.v = cad.DOMINIO_EMAIL AND g3.t = p.iss
LEFT JOIN peer g4 ON g4.k = 'ddd' AND g4.v = cad.DDD AND g4.t = p.iss
LEFT JOIN peer g5 ON g5.k = 'cep' AND g5.v = cad.CEP_2_DIG AND g5.t = p.iss
LEFT JOIN peer g6 ON g6.k = 'term' AND g6.v = least(p.term, 60)::VARCHAR AND g6.t = p.iss
LEFT JOIN peer g8 ON g8.k = 'kind' AND g8.v = p.kind::VARCHAR AND g8.t = p.iss
LEFT JOIN peer g9 ON g9.k = 'kindterm' AND g9.v = p.kind || ' ' || least(p.term, 60) AND g9.t = p.iss
LEFT JOIN peer g11 ON g11.k = 'dom' AND g11.v = p.kind || ' ' || day(p.due) AND g11.t = p.iss)
-- Only what is named here is computed.
SELECT rid, _test, client, safra, iss, due, known, late, seg, size,
  known < DATE '2021-03-01' OR _test AS scored,  -- the published test: labels settled by the end of February 2021
  k_both, k_amtage, k_termage, qd_l6max, kd_term, q120, r180, k_amt, w120, amt,
  qd_all, qd_l3, e_n, term, e_samedue, s_slight, due_dist, q30, g_kterm, d30,
  qd_max120, s_exact90, k_term, due_dow, e_tmax, e_kind, e_amt, ax_max, a_mean, a_max,
  e_tmin, q_exact, q_l3, inc, kind, since_latepay, qd60, q_ttp150, amt_o, qt_med,
  neardue_n, qt_mode, samedue_n, t_max, q_good, emp, g_dom, g_term, q_l8, g_size,
  g_seg, ax_mean, t_med, s_exact, e_earlier, inc_chg, g_mail, qk_dom, n_trend, tx_max,
  d_max90, tx_med, lastdue, d_l5max, cad_age, amt_inc, q_ttp85, q_ttp, qk_dow, g_cep,
  d_l3, k_dom, t_mode, gap_rel, r20, t_l3, tx_min, qall, q_od_max, g_ddd,
  p30, p90, g_kind
FROM wide ORDER BY rid
