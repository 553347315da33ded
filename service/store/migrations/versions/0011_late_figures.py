"""Figures as of a past day take out what was recorded late: such events are few and found by the day they came."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_index(
        "figure_event_late",
        "figure_event",
        ["recorded_on"],
        unique=False,
        postgresql_where=sa.text('recorded_on > "on"'),
    )


def downgrade() -> None:
    op.drop_index("figure_event_late", table_name="figure_event")
