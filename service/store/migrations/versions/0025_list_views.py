"""An officer's own filters and columns of the bank's list: nobody else sees them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"

THEIRS = (
    "current_setting('xindeng.role', true) IN ('officer', 'bank_admin')"
    " AND bank_id = nullif(current_setting('xindeng.bank', true), '')::bigint"
    " AND person_id = nullif(current_setting('xindeng.person', true), '')::bigint"
)
SEES = {"saved_filter": THEIRS, "list_columns": THEIRS}


def upgrade() -> None:
    op.create_table(
        "saved_filter",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("bank_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column("query", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person_id", "bank_id", "name", name="saved_filter_once"),
    )
    op.create_index(
        "saved_filter_default",
        "saved_filter",
        ["person_id", "bank_id"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "list_columns",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("bank_id", sa.BigInteger(), nullable=False),
        sa.Column("columns", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"]),
        sa.PrimaryKeyConstraint("person_id", "bank_id"),
    )
    for table in SEES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({THEIRS})")
        op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK ({THEIRS})")
        op.execute(
            f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING ({THEIRS}) WITH CHECK ({THEIRS})"
        )
        op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING ({THEIRS})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO xindeng_web, xindeng_cycle")
    op.execute("GRANT USAGE ON SEQUENCE saved_filter_id_seq TO xindeng_web, xindeng_cycle")


def downgrade() -> None:
    op.drop_table("list_columns")
    op.drop_table("saved_filter")
