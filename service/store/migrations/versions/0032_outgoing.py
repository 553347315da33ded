"""Messages that leave the platform: queued with their notice, for whom they are and the operator to see.

`queue_messages` runs as the owner: whoever causes a notice sees neither the firm's people nor their addresses.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0031"

ROLE = "current_setting('xindeng.role', true)"
MYSELF = "nullif(current_setting('xindeng.person', true), '')::bigint"
OPERATOR = f"{ROLE} = 'operator'"
MINE = "{t}.person_id = " + MYSELF

SEES = {
    "outgoing_message": f"{OPERATOR} OR {MINE.format(t='outgoing_message')}",
    "contact_address": MINE.format(t="contact_address"),
    "message_preference": MINE.format(t="message_preference"),
    "sandbox_message": OPERATOR,
}
ADDS = SEES | {
    "outgoing_message": f"{MINE.format(t='outgoing_message')} AND outgoing_message.kind = 'address_code'"
    " AND outgoing_message.state = 'waiting'",
    "sandbox_message": "false",
}
CHANGES = SEES | {"outgoing_message": OPERATOR, "sandbox_message": "false"}
REMOVES = {
    "outgoing_message": "false",
    "contact_address": SEES["contact_address"],
    "message_preference": "false",
    "sandbox_message": "false",
}
GRANTS = {
    "outgoing_message": "SELECT, INSERT, UPDATE (state, fault, tries, not_before, made_on, key, sent_at)",
    "contact_address": "SELECT, INSERT, UPDATE, DELETE",
    "message_preference": "SELECT, INSERT, UPDATE",
    "sandbox_message": "SELECT",
}
OWNER_SEES = ("notice", "person", "contact_address", "message_preference", "outgoing_message")

QUEUE_MESSAGES = """
CREATE FUNCTION queue_messages(told jsonb) RETURNS void
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
    ON CONFLICT ON CONSTRAINT outgoing_message_once DO NOTHING
$$"""


def upgrade() -> None:
    channel = "channel IN ('sms', 'email')"
    op.create_table(
        "outgoing_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("notice_id", sa.BigInteger(), nullable=True),
        sa.Column("digest_on", sa.Date(), nullable=True),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("bank_id", sa.BigInteger(), nullable=True),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried_on", sa.Date(), nullable=True),
        sa.Column("language", sa.String(length=12), nullable=True),
        sa.Column("words", sa.String(length=2000), nullable=True),
        sa.Column("address_shown", sa.String(length=120), nullable=True),
        sa.Column("address_digest", sa.String(length=64), nullable=True),
        sa.Column("provider", sa.String(length=80), nullable=True),
        sa.Column("reference", sa.String(length=120), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(channel, name="outgoing_message_channel_known"),
        sa.CheckConstraint(
            "topic IN ('progress', 'offers', 'todo', 'consent', 'objection', 'registration', 'digest', 'code')",
            name="outgoing_message_topic_known",
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'sent', 'failed', 'unknown', 'suppressed')",
            name="outgoing_message_state_known",
        ),
        sa.CheckConstraint(
            "fault IN ('address_refused', 'words_refused', 'refused', 'no_answer', 'cannot_be_asked', 'not_connected',"
            " 'no_address', 'too_many', 'too_late')",
            name="outgoing_message_fault_known",
        ),
        sa.CheckConstraint(
            "(state IN ('failed', 'unknown', 'suppressed')) = (fault IS NOT NULL)", name="outgoing_message_says_why"
        ),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="outgoing_message_sent_at"),
        sa.CheckConstraint("state <> 'sending' OR claimed_at IS NOT NULL", name="outgoing_message_claimed_at"),
        sa.CheckConstraint(
            "num_nonnulls(notice_id, digest_on) = CASE kind WHEN 'address_code' THEN 0 ELSE 1 END",
            name="outgoing_message_has_a_cause",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("notice_id", "person_id", "channel", name="outgoing_message_once"),
        sa.UniqueConstraint("person_id", "channel", "digest_on", name="outgoing_message_one_digest"),
        sa.UniqueConstraint("key", name="outgoing_message_key"),
    )
    op.create_index(
        "outgoing_message_open",
        "outgoing_message",
        ["id"],
        postgresql_where=sa.text("state IN ('waiting', 'sending')"),
    )
    op.create_index("outgoing_message_by_state", "outgoing_message", ["state", "id"])
    op.create_index("outgoing_message_of", "outgoing_message", ["person_id", "id"])
    op.create_table(
        "contact_address",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(length=1000), nullable=True),
        sa.Column("shown", sa.String(length=120), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_sealed", sa.String(length=1000), nullable=True),
        sa.Column("asked_shown", sa.String(length=120), nullable=True),
        sa.Column("asked_salt", sa.String(length=64), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_tries", sa.Integer(), nullable=False),
        sa.CheckConstraint(channel, name="contact_address_channel_known"),
        sa.CheckConstraint(
            "num_nonnulls(sealed, shown, confirmed_at) IN (0, 3)", name="contact_address_confirmed_whole"
        ),
        sa.CheckConstraint(
            "num_nonnulls(asked_sealed, asked_shown, asked_salt, asked_at) IN (0, 4)",
            name="contact_address_asked_whole",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("person_id", "channel"),
    )
    op.create_table(
        "message_preference",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("sms", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("email", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "sandbox_message",
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address_shown", sa.String(length=120), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.String(length=2000), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(channel, name="sandbox_message_channel_known"),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_sandbox_message_at", "sandbox_message", ["at"])
    for table, sees in SEES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({sees})")
        op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK ({ADDS[table]})")
        op.execute(
            f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING ({CHANGES[table]})"
            f" WITH CHECK ({CHANGES[table]})"
        )
        op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING ({REMOVES[table]})")
        op.execute(f"GRANT {GRANTS[table]} ON {table} TO xindeng_web")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO xindeng_cycle")
    op.execute("GRANT USAGE ON SEQUENCE outgoing_message_id_seq TO xindeng_web, xindeng_cycle")
    for table in OWNER_SEES:
        op.execute(f"CREATE POLICY messages_see ON {table} FOR SELECT TO xindeng_owner USING (true)")
    op.execute("CREATE POLICY messages_add ON outgoing_message FOR INSERT TO xindeng_owner WITH CHECK (true)")
    op.execute(QUEUE_MESSAGES)
    op.execute("REVOKE ALL ON FUNCTION queue_messages(jsonb) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION queue_messages(jsonb) TO xindeng_web, xindeng_cycle")


def downgrade() -> None:
    op.execute("DROP FUNCTION queue_messages(jsonb)")
    for table in OWNER_SEES:
        op.execute(f"DROP POLICY messages_see ON {table}")
    for table in ("sandbox_message", "message_preference", "contact_address", "outgoing_message"):
        op.drop_table(table)
