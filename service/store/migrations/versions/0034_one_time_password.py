"""A password that somebody else gave opens for some days and must be changed first."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.add_column("person", sa.Column("one_time_until_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("person", "one_time_until_at")
