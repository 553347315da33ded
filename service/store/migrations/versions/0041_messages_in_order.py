"""A firm's messages leave in the order of what they tell of.

`queue_messages` wrote them in whatever order its joins found them: where a day's number was reached, which one was kept
back was left to the planner.
"""

from importlib import import_module

from alembic import op

revision = "0041"
down_revision = "0040"

CREATED: str = import_module("service.store.migrations.versions.0032_outgoing").QUEUE_MESSAGES
BEFORE = CREATED.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
IN_ORDER = BEFORE.replace("ON CONFLICT", "ORDER BY n.id, p.id, c.channel\n    ON CONFLICT")


def upgrade() -> None:
    op.execute(IN_ORDER)


def downgrade() -> None:
    op.execute(BEFORE)
