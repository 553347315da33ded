"""How banks keep pace in whole months: a year of every bank is read from twelve sums a bank and district, not 365."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

ROLE = "current_setting('xindeng.role', true)"
SEES = {
    "pace_month": f"{ROLE} IN ('city', 'operator')"
    f" OR ({ROLE} = 'district' AND district = nullif(current_setting('xindeng.district', true), ''))"
    f" OR ({ROLE} IN ('officer', 'bank_admin')"
    " AND bank_id = nullif(current_setting('xindeng.bank', true), '')::bigint)"
}
COUNTS = (
    "lines", "contact_due", "in_time", "contacted", "contact_days", "decided", "decision_days", "silent", "refused",
    "granted", "disputed",
)  # fmt: skip
FILL = f"""
    INSERT INTO pace_month SELECT date_trunc('month', pushed_on)::date, district, bank_id,
        {", ".join(f"sum({name})" for name in COUNTS)}, max(answered_on), max(made_on)
    FROM pace_day GROUP BY 1, 2, 3
"""


def upgrade() -> None:
    op.create_table(
        "pace_month",
        sa.Column("month_on", sa.Date(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("bank_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("month_on", "district", "bank_id"),
    )
    op.execute("ALTER TABLE pace_day NO FORCE ROW LEVEL SECURITY")
    op.execute(FILL)
    op.execute("ALTER TABLE pace_day FORCE ROW LEVEL SECURITY")
    for table, rule in SEES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({rule})")
        op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK (false)")
        op.execute(f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING (false)")
        op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING (false)")
    op.execute("GRANT SELECT ON pace_month TO xindeng_web")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON pace_month TO xindeng_cycle")


def downgrade() -> None:
    op.drop_table("pace_month")
