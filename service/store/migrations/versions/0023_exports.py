"""Exports made by the worker: seen by their maker alone, in the role they were made in."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

THE_MAKER = (
    "export.person_id = nullif(current_setting('xindeng.person', true), '')::bigint"
    " AND export.role = current_setting('xindeng.role', true)"
    " AND export.bank_id IS NOT DISTINCT FROM nullif(current_setting('xindeng.bank', true), '')::bigint"
    " AND export.district IS NOT DISTINCT FROM nullif(current_setting('xindeng.district', true), '')"
)
SEES = {"export": THE_MAKER}


def upgrade() -> None:
    op.create_table(
        "export",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("query", sa.String(length=500), nullable=False),
        sa.Column("wish_hash", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("bank_id", sa.BigInteger(), nullable=True),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('push_lines', 'demands', 'follow_ups', 'events', 'trail')", name="export_kind_known"
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled', 'expired')", name="export_state_known"
        ),
        sa.CheckConstraint("done BETWEEN 0 AND total", name="export_done_of_total"),
        sa.CheckConstraint("(state = 'done') <= (expires_on IS NOT NULL)", name="export_done_expires"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "export_one_under_way",
        "export",
        ["person_id", "wish_hash"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.create_index("export_of", "export", ["person_id", "id"], unique=False)
    op.execute("ALTER TABLE export ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE export FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY cycle ON export TO xindeng_cycle USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY web_sees ON export FOR SELECT TO xindeng_web USING ({THE_MAKER})")
    op.execute(f"CREATE POLICY web_adds ON export FOR INSERT TO xindeng_web WITH CHECK ({THE_MAKER})")
    op.execute(
        f"CREATE POLICY web_changes ON export FOR UPDATE TO xindeng_web USING ({THE_MAKER}) WITH CHECK ({THE_MAKER})"
    )
    op.execute("CREATE POLICY web_removes ON export FOR DELETE TO xindeng_web USING (false)")
    op.execute("GRANT SELECT, INSERT, UPDATE (state, cancel_asked, ended_at) ON export TO xindeng_web")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON export TO xindeng_cycle")
    op.execute("GRANT USAGE ON SEQUENCE export_id_seq TO xindeng_web, xindeng_cycle")


def downgrade() -> None:
    op.drop_table("export")
