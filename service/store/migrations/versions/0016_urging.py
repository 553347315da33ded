"""The city urges banks: it sees all urgings, a bank its own, and a bank can answer but never end one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"

ROLE = "current_setting('xindeng.role', true)"
THE_CITY = f"{ROLE} = 'city'"
THE_BANK = f"{ROLE} IN ('officer', 'bank_admin') AND urging.bank_id = nullif(current_setting('xindeng.bank', true), '')::bigint"
SEES = {"urging": f"{ROLE} IN ('city', 'operator') OR ({THE_BANK})"}
BECOMES = f"({THE_CITY}) OR ({THE_BANK} AND urging.state IN ('sent', 'read', 'answered'))"
CHANGED = (
    "state, read_at, read_by, answered_on, answered_at, answered_by, done, promised_on, ended_on, ended_at, ended_by,"
    " end_words"
)


def upgrade() -> None:
    op.create_table(
        "urging",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("bank_id", sa.BigInteger(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("line_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("words", sa.String(length=1000), nullable=False),
        sa.Column("due_days", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_by", sa.Integer(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_by", sa.Integer(), nullable=True),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Integer(), nullable=True),
        sa.Column("done", sa.String(length=1000), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.Column("end_words", sa.String(length=1000), nullable=False),
        sa.CheckConstraint("ground IN ('overdue', 'silent', 'late', 'disputed')", name="urging_ground_known"),
        sa.CheckConstraint(
            "state IN ('sent', 'read', 'answered', 'closed', 'escalated', 'withdrawn')", name="urging_state_known"
        ),
        sa.CheckConstraint(
            "(state IN ('closed', 'escalated', 'withdrawn')) = (ended_at IS NOT NULL)", name="urging_end"
        ),
        sa.CheckConstraint("state <> 'answered' OR answered_at IS NOT NULL", name="urging_answer"),
        sa.CheckConstraint("due_on > sent_on", name="urging_due_later"),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_urging_bank_id", "urging", ["bank_id"], unique=False)
    op.create_index(
        "urging_one_open",
        "urging",
        ["bank_id", "ground"],
        unique=True,
        postgresql_where=sa.text("state IN ('sent', 'read', 'answered')"),
    )
    op.execute("ALTER TABLE urging ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE urging FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY cycle ON urging TO xindeng_cycle USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY web_sees ON urging FOR SELECT TO xindeng_web USING ({SEES['urging']})")
    op.execute(f"CREATE POLICY web_adds ON urging FOR INSERT TO xindeng_web WITH CHECK ({THE_CITY})")
    op.execute(
        "CREATE POLICY web_changes ON urging FOR UPDATE TO xindeng_web"
        f" USING (({THE_CITY}) OR ({THE_BANK})) WITH CHECK ({BECOMES})"
    )
    op.execute("CREATE POLICY web_removes ON urging FOR DELETE TO xindeng_web USING (false)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ({CHANGED}) ON urging TO xindeng_web")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON urging TO xindeng_cycle")
    op.execute("GRANT USAGE ON SEQUENCE urging_id_seq TO xindeng_web, xindeng_cycle")


def downgrade() -> None:
    op.drop_table("urging")
