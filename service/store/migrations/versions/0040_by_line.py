"""Offers and grants are found by their line, whatever became of them.

Only the open ones could be: what a morning learns of past answers, and a line's page, read every offer for every line.
"""

from alembic import op

revision = "0040"
down_revision = "0039"

TABLES = ("offer", "credit_grant")


def upgrade() -> None:
    for table in TABLES:
        op.create_index(op.f(f"ix_{table}_line_id"), table, ["line_id"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_index(op.f(f"ix_{table}_line_id"), table_name=table)
