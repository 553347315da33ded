"""The city's targets for a year, and how many firms are registered: seen by officials, set by the city."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

ROLE = "current_setting('xindeng.role', true)"
MY_DISTRICT = "nullif(current_setting('xindeng.district', true), '')"
SEES = {
    "target": f"{ROLE} IN ('city', 'operator') OR ({ROLE} = 'district' AND (district = '' OR district = {MY_DISTRICT}))",
    "coverage_day": f"{ROLE} IN ('city', 'operator') OR ({ROLE} = 'district' AND district = {MY_DISTRICT})",
}
WRITES = {"target": f"{ROLE} = 'city'", "coverage_day": "false"}


def upgrade() -> None:
    op.create_table(
        "target",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("set_by", sa.Integer(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('registered', 'real_named', 'demands', 'granted', 'drawn', 'in_time')", name="target_kind_known"
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("year", "district", "kind", name="target_once"),
    )
    op.create_table(
        "coverage_day",
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("firms", sa.Integer(), nullable=False),
        sa.Column("registered", sa.Integer(), nullable=False),
        sa.Column("real_named", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("on", "district"),
    )
    for table, sees in SEES.items():
        writes = WRITES[table]
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({sees})")
        op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK ({writes})")
        op.execute(
            f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING ({writes}) WITH CHECK ({writes})"
        )
        op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING ({writes})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO xindeng_cycle")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON target TO xindeng_web")
    op.execute("GRANT SELECT ON coverage_day TO xindeng_web")
    op.execute("GRANT USAGE ON SEQUENCE target_id_seq TO xindeng_web, xindeng_cycle")


def downgrade() -> None:
    op.drop_table("coverage_day")
    op.drop_table("target")
