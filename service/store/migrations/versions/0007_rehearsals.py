"""Policies rehearsed on history, and the lights that would have turned; only city officials see these rows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

CITY = "current_setting('xindeng.role', true) = 'city'"
SEES = {"rehearsal": CITY, "rehearsed_light": CITY}
TABLES = ("rehearsal", "rehearsed_light")


def upgrade() -> None:
    op.create_table(
        "rehearsal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("policy_name", sa.String(length=200), nullable=False),
        sa.Column("policy_version", sa.String(length=64), nullable=False),
        sa.Column("policy_hash", sa.String(length=64), nullable=False),
        sa.Column("policy_file", sa.String(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=True),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("message", sa.String(length=1000), nullable=False),
        sa.Column("found", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name="rehearsal_state_known"
        ),
        sa.CheckConstraint("from_on <= to_on", name="rehearsal_days_in_order"),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "rehearsal_one_under_way",
        "rehearsal",
        ["policy_hash", "from_on", "to_on"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.create_table(
        "rehearsed_light",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("rehearsal_id", sa.BigInteger(), nullable=False),
        sa.Column("demand_id", sa.BigInteger(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("criteria", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["demand_id"], ["demand.id"]),
        sa.ForeignKeyConstraint(["rehearsal_id"], ["rehearsal.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("rehearsed_light_of", "rehearsed_light", ["rehearsal_id", "old", "new", "demand_id"], unique=False)
    for table in TABLES:
        _close(table)
    op.execute("GRANT SELECT, INSERT, UPDATE (cancel_asked, state, ended_at) ON rehearsal TO xindeng_web")
    op.execute("GRANT SELECT ON rehearsed_light TO xindeng_web")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON rehearsal, rehearsed_light TO xindeng_cycle")
    op.execute("GRANT USAGE ON SEQUENCE rehearsal_id_seq, rehearsed_light_id_seq TO xindeng_web, xindeng_cycle")


def _close(table: str) -> None:
    rule = SEES[table]
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({rule})")
    op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK ({rule})")
    op.execute(f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING ({rule}) WITH CHECK ({rule})")
    op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING ({rule})")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
