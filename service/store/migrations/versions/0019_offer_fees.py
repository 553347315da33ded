"""An offer keeps its fees item by item; an older one keeps the sum alone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    document = postgresql.JSONB(astext_type=sa.Text())
    op.add_column("offer", sa.Column("fee_items", document, nullable=False, server_default=sa.text("'[]'::jsonb")))
    op.alter_column("offer", "fee_items", server_default=None)


def downgrade() -> None:
    op.drop_column("offer", "fee_items")
