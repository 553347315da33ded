"""How the providers are is read in an index, however many messages have left."""

from alembic import op

revision = "0035"
down_revision = "0034"

INDEXES = {"outgoing_message_of_day": ["tried_on", "channel"], "outgoing_message_last_sent": ["channel", "sent_at"]}


def upgrade() -> None:
    for name, columns in INDEXES.items():
        op.create_index(name, "outgoing_message", columns)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, table_name="outgoing_message")
