"""A bank's list at full speed: its open lines stand in the order of their clocks, and whom it may see is looked up.

A firm's code has the collation "C" and a line's has the database's; compared with a firm's, only an index in "C" serves.
Without it each page a bank opened read all the lines the bank ever had.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_index(
        "push_line_seen",
        "push_line",
        ["uscc", "bank_id"],
        unique=False,
        postgresql_ops={"uscc": 'COLLATE "C"'},
        postgresql_where=sa.text("NOT view_closed"),
    )
    op.create_index(
        "push_line_open",
        "push_line",
        ["bank_id", "due_on", "id"],
        unique=False,
        postgresql_include=["state", "pushed_on"],
        postgresql_where=sa.text("closed_on IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("push_line_open", table_name="push_line")
    op.drop_index("push_line_seen", table_name="push_line")
