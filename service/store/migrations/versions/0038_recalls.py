"""A wrong push list is recalled: who did it, when and why, how many lines it ended and how many stand.

The list keeps every word it had. What recalls it is a row beside it, and a state of their own for the lines it ended.
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"

ROLE = "current_setting('xindeng.role', true)"
MY_BANK = "bank_id = nullif(current_setting('xindeng.bank', true), '')::bigint"
OPERATOR = f"{ROLE} = 'operator'"
THE_BANK = f"({ROLE} = 'officer' OR {ROLE} = 'bank_admin') AND {MY_BANK}"
SEES = {"push_list_recall": f"{OPERATOR} OR {ROLE} = 'city' OR ({THE_BANK})"}
BEFORE = (
    "'pushed', 'received', 'contacted', 'needs_papers', 'offered', 'accepted', 'granted', 'drawn', 'refused', 'silent',"
    " 'withdrawn', 'passed_over'"
)


def upgrade() -> None:
    op.create_table(
        "push_list_recall",
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("bank_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("stands", sa.Integer(), nullable=False),
        sa.Column("keeps_away", sa.Boolean(), nullable=False),
        sa.Column("recalled_on", sa.Date(), nullable=False),
        sa.Column("recalled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recalled_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("reason <> ''", name="push_list_recall_says_why"),
        sa.CheckConstraint("lines > 0 AND stands >= 0", name="push_list_recall_ends_something"),
        sa.ForeignKeyConstraint(["list_id"], ["push_list.id"]),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"]),
        sa.PrimaryKeyConstraint("list_id"),
    )
    for table, sees in SEES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({sees})")
        op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK ({OPERATOR})")
        op.execute(f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING (false)")
        op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING (false)")
        op.execute(f"GRANT SELECT, INSERT ON {table} TO xindeng_web, xindeng_cycle")
    op.execute(f"CREATE POLICY web_sees_to_recall ON held_answer FOR SELECT TO xindeng_web USING ({OPERATOR})")
    _states(f"{BEFORE}, 'recalled'")


def downgrade() -> None:
    op.execute("ALTER TABLE push_line NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE push_line SET state = 'withdrawn' WHERE state = 'recalled'")
    op.execute("ALTER TABLE push_line FORCE ROW LEVEL SECURITY")
    _states(BEFORE)
    op.execute("DROP POLICY web_sees_to_recall ON held_answer")
    op.drop_table("push_list_recall")


def _states(known: str) -> None:
    op.drop_constraint("push_line_state_known", "push_line", type_="check")
    op.create_check_constraint("push_line_state_known", "push_line", f"state IN ({known})")
