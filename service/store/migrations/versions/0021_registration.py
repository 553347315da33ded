"""Firms register themselves: a draft only its own browser opens, a real-name check, and since when a firm is here.

The door sees the one registration whose token it names, and makes neither firms nor roles. What follows from a
registration that was sent (the firm's row where no register has spoken of it yet, its day, the person's role) is done
by `enter_registration`, which runs as the owner, takes everything from that row, and does nothing twice.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"

ROLE = "current_setting('xindeng.role', true)"
MY_FIRM = "nullif(current_setting('xindeng.uscc', true), '')"
MY_DISTRICT = "nullif(current_setting('xindeng.district', true), '')"
MY_BROWSER = "nullif(current_setting('xindeng.registration', true), '')"

THE_BROWSER = f"({ROLE} = 'door' AND registration.token_hash = {MY_BROWSER})"
WHO_DECIDES = (
    f"(registration.state <> 'filling' AND (({ROLE} = 'firm' AND registration.uscc = {MY_FIRM})"
    f" OR ({ROLE} = 'district' AND registration.district = {MY_DISTRICT}) OR {ROLE} = 'city'))"
)
OF_THE_BROWSER = (
    f"{ROLE} = 'door' AND EXISTS (SELECT 1 FROM registration r WHERE r.id = real_name_check.registration_id"
    f" AND r.token_hash = {MY_BROWSER})"
)
SENT_OR_DECIDED = (
    f"({THE_BROWSER} AND (registration.state IN ('filling', 'waiting')"
    " OR (registration.state = 'opened' AND registration.capacity = 'representative')))"
    f" OR ({WHO_DECIDES} AND registration.state IN ('opened', 'refused'))"
)
SEES = {
    "registration": f"{THE_BROWSER} OR {WHO_DECIDES}",
    "real_name_check": f"({OF_THE_BROWSER}) OR {ROLE} IN ('city', 'operator')",
    "registered_firm": f"{ROLE} IN ('city', 'operator') OR ({ROLE} = 'firm' AND registered_firm.uscc = {MY_FIRM})"
    f" OR ({ROLE} = 'district' AND EXISTS (SELECT 1 FROM firm f WHERE f.uscc = registered_firm.uscc"
    f" AND f.district = {MY_DISTRICT}))",
}
BY_HAND = f"{ROLE} = 'operator'"
ADDS = {
    "registration": f"{THE_BROWSER} AND registration.state = 'filling'",
    "real_name_check": OF_THE_BROWSER,
    "registered_firm": BY_HAND,
}
CHANGES = {
    "registration": (
        f"({THE_BROWSER} AND registration.state = 'filling') OR ({WHO_DECIDES} AND registration.state = 'waiting')",
        SENT_OR_DECIDED,
    ),
    "real_name_check": ("false", "false"),
    "registered_firm": (BY_HAND, BY_HAND),
}
REMOVES = {
    "registration": f"{THE_BROWSER} AND registration.state = 'filling'",
    "real_name_check": "false",
    "registered_firm": "false",
}
STAYS_OUT = {"firm": f"{ROLE} <> 'door'", "membership": f"{ROLE} IN ('operator', 'bank_admin')"}
"""Beside the rules of 0003: the door looks firms and roles up, and nobody gives a role to themselves."""
OWNER_NEEDS = {"registration": ("SELECT", "UPDATE"), "firm": ("SELECT", "INSERT"), "membership": ("SELECT", "INSERT"),
               "registered_firm": ("SELECT", "INSERT", "UPDATE")}  # fmt: skip

ENTER_REGISTRATION = f"""
CREATE FUNCTION enter_registration(key bigint) RETURNS TABLE (district text, asks text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE one registration;
BEGIN
    SELECT r.* INTO one FROM registration r WHERE r.id = key AND r.state IN ('waiting', 'opened')
        AND ({ROLE} IS DISTINCT FROM 'door' OR r.token_hash = {MY_BROWSER});
    IF one.id IS NULL THEN
        RETURN;
    END IF;
    UPDATE registration r SET district = coalesce((SELECT f.district FROM firm f WHERE f.uscc = one.uscc), ''),
        asks = CASE WHEN EXISTS (SELECT 1 FROM membership m
            WHERE m.uscc = one.uscc AND (m.until_on IS NULL OR m.until_on > one.submitted_on))
        THEN 'firm' ELSE 'office' END
    WHERE r.id = key AND r.asks IS NULL;
    IF one.state = 'opened' THEN
        INSERT INTO firm (uscc, name, kind, district, industry, status, size_class, wrong_code)
        VALUES (one.uscc, one.firm_name, one.kind, '', '', 'unknown', 'unclassified', one.wrong_code)
        ON CONFLICT (uscc) DO NOTHING;
        INSERT INTO registered_firm AS g (uscc, registered_on, real_named_on)
        VALUES (one.uscc, one.opened_on, one.opened_on)
        ON CONFLICT (uscc) DO UPDATE SET real_named_on = coalesce(g.real_named_on, EXCLUDED.real_named_on);
        INSERT INTO membership (person_id, role, uscc, since_on)
        VALUES (one.person_id, 'firm', one.uscc, one.opened_on)
        ON CONFLICT ON CONSTRAINT membership_once DO NOTHING;
    END IF;
    RETURN QUERY SELECT r.district::text, r.asks FROM registration r WHERE r.id = key;
END $$"""

ALREADY_HERE = """
INSERT INTO registered_firm (uscc, registered_on)
SELECT uscc, min(since_on) FROM membership WHERE role = 'firm' GROUP BY uscc
"""


def upgrade() -> None:
    op.create_table(
        "real_name_check",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("registration_id", sa.BigInteger(), nullable=False),
        sa.Column("identity_digest", sa.String(length=64), nullable=False),
        sa.Column("capacity", sa.Text(), nullable=False),
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("consent_hash", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("capacity IN ('representative', 'deputy')", name="real_name_check_capacity_known"),
        sa.CheckConstraint("outcome IN ('passed', 'refused', 'unavailable')", name="real_name_check_outcome_known"),
        sa.CheckConstraint(
            "code IN ('identity_differs', 'mobile_differs', 'not_representative', 'document_invalid')",
            name="real_name_check_code_known",
        ),
        sa.CheckConstraint("(outcome = 'refused') = (code IS NOT NULL)", name="real_name_check_refused_says_why"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("real_name_check_of", "real_name_check", ["registration_id", "id"], unique=False)
    op.create_table(
        "registration",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("firm_name", sa.String(length=120), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("wrong_code", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=True),
        sa.Column("mobile", sa.String(length=11), nullable=True),
        sa.Column("capacity", sa.Text(), nullable=True),
        sa.Column("authority", sa.String(length=200), nullable=False),
        sa.Column("identity_digest", sa.String(length=64), nullable=True),
        sa.Column("identity_shown", sa.String(length=18), nullable=False),
        sa.Column("proved_by", sa.BigInteger(), nullable=True),
        sa.Column("proved_on", sa.Date(), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("terms_hash", sa.String(length=64), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("asks", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_on", sa.Date(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('filling', 'waiting', 'opened', 'refused')", name="registration_state_known"),
        sa.CheckConstraint(
            "kind IN ('enterprise', 'individual', 'cooperative', 'village')", name="registration_kind_known"
        ),
        sa.CheckConstraint("capacity IN ('representative', 'deputy')", name="registration_capacity_known"),
        sa.CheckConstraint("asks IN ('firm', 'office')", name="registration_asks_known"),
        sa.CheckConstraint(
            "(state <> 'filling') = (submitted_on IS NOT NULL AND submitted_at IS NOT NULL AND person_id IS NOT NULL AND uscc IS NOT NULL"
            " AND capacity IS NOT NULL AND proved_by IS NOT NULL AND proved_on IS NOT NULL"
            " AND identity_digest IS NOT NULL AND terms_hash IS NOT NULL)",
            name="registration_sent_whole",
        ),
        sa.CheckConstraint("(state = 'opened') = (opened_on IS NOT NULL)", name="registration_opened_on_a_day"),
        sa.ForeignKeyConstraint(["proved_by"], ["real_name_check.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
        sa.UniqueConstraint("person_id"),
    )
    op.create_index("ix_registration_uscc", "registration", ["uscc"], unique=False)
    op.create_index("ix_registration_updated_at", "registration", ["updated_at"], unique=False)
    op.create_index(
        "registration_once",
        "registration",
        ["uscc", "identity_digest"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'opened')"),
    )
    op.create_index("registration_waiting", "registration", ["district"], postgresql_where=sa.text("state = 'waiting'"))
    op.create_table(
        "registered_firm",
        sa.Column("uscc", sa.Text(collation="C"), nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=False),
        sa.Column("real_named_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("uscc"),
    )
    op.create_index("ix_registered_firm_registered_on", "registered_firm", ["registered_on"], unique=False)
    op.create_index("ix_registered_firm_real_named_on", "registered_firm", ["real_named_on"], unique=False)
    op.execute("ALTER TABLE membership NO FORCE ROW LEVEL SECURITY")  # the owner reads it once, below
    op.execute(ALREADY_HERE)
    op.execute("ALTER TABLE membership FORCE ROW LEVEL SECURITY")
    for table, sees in SEES.items():
        changes, becomes = CHANGES[table]
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({sees})")
        op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK ({ADDS[table]})")
        op.execute(
            f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING ({changes}) WITH CHECK ({becomes})"
        )
        op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING ({REMOVES[table]})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO xindeng_web, xindeng_cycle")
    op.execute("REVOKE UPDATE, DELETE ON real_name_check FROM xindeng_web, xindeng_cycle")
    for table in ("registration", "real_name_check"):
        op.execute(f"GRANT USAGE ON SEQUENCE {table}_id_seq TO xindeng_web, xindeng_cycle")
    for table, acts in OWNER_NEEDS.items():
        for act in acts:
            rule = "WITH CHECK (true)" if act == "INSERT" else "USING (true)"
            op.execute(f"CREATE POLICY owner_{act.lower()} ON {table} FOR {act} TO xindeng_owner {rule}")
    for table, rule in STAYS_OUT.items():
        for act in ("INSERT", "UPDATE", "DELETE"):
            check = "WITH CHECK" if act == "INSERT" else "USING"
            op.execute(
                f"CREATE POLICY stays_out_{act.lower()} ON {table} AS RESTRICTIVE FOR {act} TO xindeng_web {check} ({rule})"
            )
    op.execute(ENTER_REGISTRATION)
    op.execute("REVOKE ALL ON FUNCTION enter_registration(bigint) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION enter_registration(bigint) TO xindeng_web, xindeng_cycle")


def downgrade() -> None:
    op.execute("DROP FUNCTION enter_registration(bigint)")
    for table in STAYS_OUT:
        for act in ("insert", "update", "delete"):
            op.execute(f"DROP POLICY stays_out_{act} ON {table}")
    for table, acts in OWNER_NEEDS.items():
        for act in acts:
            op.execute(f"DROP POLICY owner_{act.lower()} ON {table}")
    op.drop_table("registered_firm")
    for policy in ("web_sees", "web_adds"):  # they look at the registration
        op.execute(f"DROP POLICY {policy} ON real_name_check")
    op.drop_table("registration")
    op.drop_table("real_name_check")
