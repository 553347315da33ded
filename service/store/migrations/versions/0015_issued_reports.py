"""Printed credit reports: a bank sees its own, a firm those about it; entered once and never changed."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

ROLE = "current_setting('xindeng.role', true)"
THE_FIRM = f"{ROLE} = 'firm' AND issued_report.uscc = nullif(current_setting('xindeng.uscc', true), '')"
THE_BANK = (
    f"{ROLE} IN ('officer', 'bank_admin')"
    " AND issued_report.bank_id = nullif(current_setting('xindeng.bank', true), '')::bigint"
)
SEES = {"issued_report": f"{ROLE} IN ('city', 'operator') OR ({THE_FIRM}) OR ({THE_BANK})"}
OF_AN_OPEN_LINE = (
    "EXISTS (SELECT 1 FROM push_line l WHERE l.id = issued_report.line_id AND l.bank_id = issued_report.bank_id"
    " AND l.uscc = issued_report.uscc AND NOT l.view_closed)"
)


def upgrade() -> None:
    op.create_table(
        "issued_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("demand_id", sa.BigInteger(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("bank_id", sa.BigInteger(), nullable=False),
        sa.Column("consent_id", sa.BigInteger(), nullable=False),
        sa.Column("issued_by", sa.BigInteger(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["line_id"], ["push_line.id"]),
        sa.ForeignKeyConstraint(["demand_id"], ["demand.id"]),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"]),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("token"),
        sa.UniqueConstraint(
            "line_id",
            "issued_by",
            "issued_on",
            "language",
            "state_hash",
            "edition",
            name="issued_report_once",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_issued_report_line_id", "issued_report", ["line_id"], unique=False)
    op.create_index("ix_issued_report_uscc", "issued_report", ["uscc"], unique=False)
    op.execute("ALTER TABLE issued_report ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE issued_report FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY cycle ON issued_report TO xindeng_cycle USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY web_sees ON issued_report FOR SELECT TO xindeng_web USING ({SEES['issued_report']})")
    op.execute(
        "CREATE POLICY web_adds ON issued_report FOR INSERT TO xindeng_web"
        f" WITH CHECK (({THE_BANK}) AND {OF_AN_OPEN_LINE})"
    )
    op.execute("CREATE POLICY web_changes ON issued_report FOR UPDATE TO xindeng_web USING (false)")
    op.execute("CREATE POLICY web_removes ON issued_report FOR DELETE TO xindeng_web USING (false)")
    op.execute("GRANT SELECT, INSERT ON issued_report TO xindeng_web, xindeng_cycle")
    op.execute("GRANT USAGE ON SEQUENCE issued_report_id_seq TO xindeng_web, xindeng_cycle")


def downgrade() -> None:
    op.drop_table("issued_report")
