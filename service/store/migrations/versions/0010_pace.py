"""How banks keep pace, summed by day, district and bank: seen by the city, and each district's and bank's own."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

ROLE = "current_setting('xindeng.role', true)"
SEES = {
    "pace_day": f"{ROLE} IN ('city', 'operator')"
    f" OR ({ROLE} = 'district' AND district = nullif(current_setting('xindeng.district', true), ''))"
    f" OR ({ROLE} IN ('officer', 'bank_admin')"
    " AND bank_id = nullif(current_setting('xindeng.bank', true), '')::bigint)"
}
COUNTS = (
    "lines", "contact_due", "in_time", "contacted", "contact_days", "decided", "decision_days", "silent", "refused",
    "granted", "disputed",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "pace_day",
        sa.Column("pushed_on", sa.Date(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("bank_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("pushed_on", "district", "bank_id"),
    )
    for table, rule in SEES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({rule})")
        op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK (false)")
        op.execute(f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING (false)")
        op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING (false)")
    op.execute("GRANT SELECT ON pace_day TO xindeng_web")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON pace_day TO xindeng_cycle")


def downgrade() -> None:
    op.drop_table("pace_day")
