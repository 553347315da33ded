"""The chance of an offer beside that of a grant; a line pushed before has the former in p_grant and none here."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("push_line", sa.Column("p_offer", sa.Float(), nullable=True))


def downgrade() -> None:
    op.drop_column("push_line", "p_offer")
