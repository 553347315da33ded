"""A firm's messages leave in the order of what they tell of.

`queue_messages` wrote them in whatever order its joins found them: where a day's number was reached, which one was kept
back was left to the planner.
"""

from alembic import op

revision = "0041"
down_revision = "0040"

QUEUE_MESSAGES = """
CREATE OR REPLACE FUNCTION queue_messages(told jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO outgoing_message (person_id, channel, kind, topic, notice_id, uscc, state, made_on, made_at)
    SELECT p.id, c.channel, n.kind, t.topic, n.id, n.uscc, 'waiting', n.made_on, n.made_at
    FROM jsonb_to_recordset(told) AS t (id bigint, topic text, is_legal boolean)
    JOIN notice n ON n.id = t.id
    JOIN membership m ON m.uscc = n.uscc AND m.role = 'firm' AND m.since_on <= n.made_on
        AND (m.until_on IS NULL OR m.until_on > n.made_on)
    JOIN person p ON p.id = m.person_id AND p.is_active
    CROSS JOIN (VALUES ('sms'), ('email')) AS c (channel)
    LEFT JOIN contact_address a ON a.person_id = p.id AND a.channel = c.channel AND a.sealed IS NOT NULL
    LEFT JOIN message_preference w ON w.person_id = p.id
    WHERE (a.person_id IS NOT NULL OR (c.channel = 'sms' AND p.phone ~ '^1[3-9][0-9]{9}$'))
      AND (t.is_legal OR CASE WHEN w.person_id IS NULL THEN c.channel = 'sms'
           ELSE t.topic = ANY(CASE c.channel WHEN 'sms' THEN w.sms ELSE w.email END) END)
"""
IN_ORDER = "    ORDER BY n.id, p.id, c.channel\n"
ONCE = """    ON CONFLICT ON CONSTRAINT outgoing_message_once DO NOTHING
$$"""


def upgrade() -> None:
    op.execute(QUEUE_MESSAGES + IN_ORDER + ONCE)


def downgrade() -> None:
    op.execute(QUEUE_MESSAGES + ONCE)
