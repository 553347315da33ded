"""Papers firms hand in: the firm sees its own, a bank those handed in to it while its view is open."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

THE_FIRM = (
    "current_setting('xindeng.role', true) = 'firm' AND paper.uscc = nullif(current_setting('xindeng.uscc', true), '')"
)
THE_BANK = (
    "current_setting('xindeng.role', true) IN ('officer', 'bank_admin') AND paper.handed_at IS NOT NULL"
    " AND paper.bank_id = nullif(current_setting('xindeng.bank', true), '')::bigint"
    " AND EXISTS (SELECT 1 FROM push_line l WHERE l.id = paper.line_id AND NOT l.view_closed)"
)
SEES = {"paper": f"({THE_FIRM}) OR ({THE_BANK})"}


def upgrade() -> None:
    op.create_table(
        "paper",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("answer_id", sa.BigInteger(), nullable=False),
        sa.Column("demand_id", sa.BigInteger(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("bank_id", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('pdf', 'jpg', 'png', 'none')", name="paper_kind_known"),
        sa.CheckConstraint("(kind = 'none') = (sha256 = '')", name="paper_file_or_words"),
        sa.CheckConstraint("(kind = 'none') = (words <> '')", name="paper_words_instead"),
        sa.ForeignKeyConstraint(["line_id"], ["push_line.id"]),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"]),
        sa.ForeignKeyConstraint(["demand_id"], ["demand.id"]),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("paper_of_line", "paper", ["line_id", "answer_id"], unique=False)
    op.create_index("ix_paper_uscc", "paper", ["uscc"], unique=False)
    op.execute("ALTER TABLE paper ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE paper FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY cycle ON paper TO xindeng_cycle USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY web_sees ON paper FOR SELECT TO xindeng_web USING ({SEES['paper']})")
    op.execute(f"CREATE POLICY web_adds ON paper FOR INSERT TO xindeng_web WITH CHECK ({THE_FIRM})")
    op.execute(
        f"CREATE POLICY web_changes ON paper FOR UPDATE TO xindeng_web USING ({THE_FIRM}) WITH CHECK ({THE_FIRM})"
    )
    op.execute(f"CREATE POLICY web_removes ON paper FOR DELETE TO xindeng_web USING ({THE_FIRM})")
    op.execute("GRANT SELECT, INSERT, UPDATE (handed_at, removed_at) ON paper TO xindeng_web")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON paper TO xindeng_cycle")
    op.execute("GRANT USAGE ON SEQUENCE paper_id_seq TO xindeng_web, xindeng_cycle")


def downgrade() -> None:
    op.drop_table("paper")
