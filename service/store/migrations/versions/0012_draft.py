"""What a firm has filled in and not sent; nobody but the firm sees it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"

SEES = {
    "draft": "current_setting('xindeng.role', true) = 'firm'"
    " AND uscc = nullif(current_setting('xindeng.uscc', true), '')"
}


def upgrade() -> None:
    op.create_table(
        "draft",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("demand_id", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["demand_id"], ["demand.id"]),
        sa.ForeignKeyConstraint(["uscc"], ["firm.uscc"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uscc", "demand_id", name="draft_once", postgresql_nulls_not_distinct=True),
    )
    op.create_index(op.f("ix_draft_demand_id"), "draft", ["demand_id"], unique=False)
    op.create_index(op.f("ix_draft_updated_at"), "draft", ["updated_at"], unique=False)
    for table, rule in SEES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({rule})")
        op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK ({rule})")
        op.execute(f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING ({rule}) WITH CHECK ({rule})")
        op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING ({rule})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON draft TO xindeng_web, xindeng_cycle")
    op.execute("GRANT USAGE ON SEQUENCE draft_id_seq TO xindeng_web, xindeng_cycle")


def downgrade() -> None:
    op.drop_table("draft")
