"""Answers confirmed and not given yet: a bank sees its own, the cycle gives them all."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"

SEES = {
    "held_answer": "current_setting('xindeng.role', true) IN ('officer', 'bank_admin')"
    " AND bank_id = nullif(current_setting('xindeng.bank', true), '')::bigint"
}


def upgrade() -> None:
    op.create_table(
        "held_answer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch", sa.String(length=32), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("bank_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("held_by", sa.Integer(), nullable=True),
        sa.Column("held_role", sa.Text(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.Column("answer_id", sa.BigInteger(), nullable=True),
        sa.Column("refusal", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "kind IN ('received', 'contacted', 'needs_papers', 'extension', 'offered', 'refused')",
            name="held_answer_kind_known",
        ),
        sa.CheckConstraint("state IN ('held', 'given', 'undone', 'not_taken')", name="held_answer_state_known"),
        sa.CheckConstraint("(state = 'held') = (ended_at IS NULL)", name="held_answer_ends_once"),
        sa.CheckConstraint("(state = 'given') = (answer_id IS NOT NULL)", name="held_answer_given"),
        sa.ForeignKeyConstraint(["line_id"], ["push_line.id"]),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"]),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("batch", "line_id", name="held_answer_once"),
    )
    held = sa.text("state = 'held'")
    op.create_index("held_answer_one_a_line", "held_answer", ["line_id"], unique=True, postgresql_where=held)
    op.create_index("held_answer_due", "held_answer", ["until_at"], unique=False, postgresql_where=held)
    op.create_index("held_answer_of_bank", "held_answer", ["bank_id", "ended_at"], unique=False)
    the_bank = SEES["held_answer"]
    op.execute("ALTER TABLE held_answer ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE held_answer FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY cycle ON held_answer TO xindeng_cycle USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY web_sees ON held_answer FOR SELECT TO xindeng_web USING ({the_bank})")
    op.execute(f"CREATE POLICY web_adds ON held_answer FOR INSERT TO xindeng_web WITH CHECK ({the_bank})")
    op.execute(
        f"CREATE POLICY web_changes ON held_answer FOR UPDATE TO xindeng_web USING ({the_bank}) WITH CHECK ({the_bank})"
    )
    op.execute("CREATE POLICY web_removes ON held_answer FOR DELETE TO xindeng_web USING (false)")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (state, ended_at, ended_by, answer_id, refusal) ON held_answer TO xindeng_web"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON held_answer TO xindeng_cycle")
    op.execute("GRANT USAGE ON SEQUENCE held_answer_id_seq TO xindeng_web, xindeng_cycle")


def downgrade() -> None:
    op.drop_table("held_answer")
