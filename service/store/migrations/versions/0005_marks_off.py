"""Whoever has a firm's demand judged may take the mark off that its records have changed.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("GRANT DELETE ON firm_stale TO xindeng_web")


def downgrade() -> None:
    op.execute("REVOKE DELETE ON firm_stale FROM xindeng_web")
