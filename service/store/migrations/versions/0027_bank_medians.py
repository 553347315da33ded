"""What a bank may know of the others: the middle of all banks' figures, where at least three have one.

The function runs as the owner over the kept roll-ups and gives middles and counts; no row of another bank comes out.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

LEAST_BANKS = 3
BANK_MEDIANS = f"""
CREATE FUNCTION bank_medians(since date, until date)
RETURNS TABLE (figure text, middle double precision, banks integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH pace AS (
        SELECT sum(in_time)::float / nullif(sum(contact_due), 0) AS in_time,
               sum(granted)::float / nullif(sum(lines), 0) AS granted,
               sum(contact_days)::float / nullif(sum(contacted), 0) AS days_to_contact,
               sum(decision_days)::float / nullif(sum(decided), 0) AS days_to_decision
        FROM pace_day WHERE pushed_on BETWEEN since AND until GROUP BY bank_id),
    paid AS (
        SELECT (sum(rate_times_fen) / nullif(sum(amount_fen), 0))::float AS rate
        FROM figure_day WHERE kind = 'drawn' AND bank_id <> 0 AND "on" BETWEEN since AND until GROUP BY bank_id),
    of_banks AS (
        SELECT v.figure, v.value FROM pace CROSS JOIN LATERAL (VALUES ('in_time', in_time), ('granted', granted),
            ('days_to_contact', days_to_contact), ('days_to_decision', days_to_decision)) v (figure, value)
        UNION ALL SELECT 'rate', rate FROM paid)
    SELECT o.figure, CASE WHEN count(o.value) >= {LEAST_BANKS}
                          THEN percentile_cont(0.5) WITHIN GROUP (ORDER BY o.value) END, count(o.value)::integer
    FROM of_banks o WHERE o.value IS NOT NULL GROUP BY o.figure
$$"""


def upgrade() -> None:
    op.execute("CREATE POLICY owner_sees ON pace_day FOR SELECT TO xindeng_owner USING (true)")
    op.execute(BANK_MEDIANS)
    op.execute("REVOKE ALL ON FUNCTION bank_medians(date, date) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION bank_medians(date, date) TO xindeng_web, xindeng_cycle")
    op.create_index(
        "answer_refused",
        "answer",
        ["bank_id", "answered_on"],
        unique=False,
        postgresql_where=sa.text("kind = 'refused'"),
    )


def downgrade() -> None:
    op.drop_index("answer_refused", table_name="answer")
    op.execute("DROP FUNCTION bank_medians(date, date)")
    op.execute("DROP POLICY owner_sees ON pace_day")
