"""Who may see and write which rows: the second of two separations, under the queries' own scope.

Policies read the context that `store.database` sets for each transaction. Every table that holds a firm's, a bank's or
a district's rows has row-level security enabled and forced; the owner has no policy and sees nothing through it.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

ROLE = "current_setting('xindeng.role', true)"
MY_FIRM = "nullif(current_setting('xindeng.uscc', true), '')"
MY_BANK = "nullif(current_setting('xindeng.bank', true), '')::bigint"
MY_DISTRICT = "nullif(current_setting('xindeng.district', true), '')"
MYSELF = "nullif(current_setting('xindeng.person', true), '')::bigint"

CITY_WIDE = f"{ROLE} IN ('city', 'operator')"
A_BANK = f"{ROLE} IN ('officer', 'bank_admin')"
THE_FIRM = f"({ROLE} = 'firm' AND {{t}}.uscc = {MY_FIRM})"
THE_DISTRICT = f"({ROLE} = 'district' AND {{t}}.district = {MY_DISTRICT})"
THE_BANK = f"({A_BANK} AND {{t}}.bank_id = {MY_BANK})"
BANK_BY_DEMAND = (
    f"({A_BANK} AND EXISTS (SELECT 1 FROM push_line l WHERE l.demand_id = {{t}}.{{demand}}"
    f" AND l.bank_id = {MY_BANK} AND NOT l.view_closed))"
)
BANK_BY_FIRM = (
    f"({A_BANK} AND EXISTS (SELECT 1 FROM push_line l WHERE l.uscc = {{t}}.uscc"
    f" AND l.bank_id = {MY_BANK} AND NOT l.view_closed))"
)
DISTRICT_BY_FIRM = (
    f"({ROLE} = 'district' AND EXISTS (SELECT 1 FROM firm f WHERE f.uscc = {{t}}.uscc AND f.district = {MY_DISTRICT}))"
)
BY_DEMAND = f"({ROLE} IN ('firm', 'district') AND EXISTS (SELECT 1 FROM demand d WHERE d.id = {{t}}.demand_id))"
BY_LINE = f"({ROLE} IN ('firm', 'district') AND EXISTS (SELECT 1 FROM push_line l WHERE l.id = {{t}}.line_id))"


def any_of(*rules: str) -> str:
    return " OR ".join(rules)


OF_A_DEMAND = any_of(CITY_WIDE, THE_FIRM, THE_DISTRICT, BANK_BY_DEMAND)
OF_A_FIRM = any_of(CITY_WIDE, THE_FIRM, DISTRICT_BY_FIRM, BANK_BY_FIRM)
OF_A_LINE = any_of(CITY_WIDE, THE_FIRM, THE_DISTRICT, THE_BANK)
TO_SOMEONE = any_of(CITY_WIDE, THE_FIRM, THE_DISTRICT, THE_BANK)
AT_THE_DOOR_BY_FIRM = f"({ROLE} = 'door' AND EXISTS (SELECT 1 FROM membership m WHERE m.uscc = {{t}}.uscc))"
AT_THE_DOOR = f"{ROLE} IN ('door', 'operator')"

SEES = {
    "firm": any_of(CITY_WIDE, AT_THE_DOOR_BY_FIRM, THE_FIRM, THE_DISTRICT, BANK_BY_FIRM),
    "record": OF_A_FIRM,
    "estimate": OF_A_FIRM,
    "firm_day": OF_A_FIRM,
    "consent": any_of(CITY_WIDE, THE_FIRM, THE_BANK),
    "consent_withdrawal": any_of(CITY_WIDE, THE_FIRM, BANK_BY_FIRM),
    "demand": OF_A_DEMAND.replace("{demand}", "id"),
    "wanted_bank": any_of(CITY_WIDE, BY_DEMAND, THE_BANK),
    "verdict": OF_A_DEMAND,
    "light_change": OF_A_DEMAND,
    "override": OF_A_DEMAND,
    "review": OF_A_DEMAND,
    "follow_up": OF_A_DEMAND,
    "follow_up_note": any_of(
        CITY_WIDE,
        THE_DISTRICT,
        f"({ROLE} = 'firm' AND EXISTS (SELECT 1 FROM follow_up u WHERE u.id = {{t}}.follow_up_id))",
    ),
    "push_list": any_of(CITY_WIDE, THE_BANK),
    "push_line": OF_A_LINE,
    "answer": any_of(CITY_WIDE, BY_LINE, THE_BANK),
    "offer": any_of(CITY_WIDE, BY_DEMAND, THE_BANK),
    "credit_grant": OF_A_LINE,
    "drawdown": OF_A_LINE,
    "notice": TO_SOMEONE,
    "trail": any_of(CITY_WIDE, THE_FIRM, THE_DISTRICT, THE_BANK),
    "figure_event": any_of(CITY_WIDE, THE_FIRM, THE_DISTRICT, THE_BANK),
    "figure_day": any_of(CITY_WIDE, THE_DISTRICT, THE_BANK),
    "figure_slice": any_of(CITY_WIDE, THE_DISTRICT),
    "figure_household": "false",  # kept by the owner's functions of 0004
    "person": any_of(
        AT_THE_DOOR,
        f"{{t}}.id = {MYSELF}",
        f"({ROLE} = 'bank_admin' AND EXISTS (SELECT 1 FROM membership m WHERE m.person_id = {{t}}.id))",
        f"({ROLE} IN ('city', 'district', 'officer'))",
    ),
    "membership": any_of(
        AT_THE_DOOR, f"{{t}}.person_id = {MYSELF}", f"({ROLE} = 'bank_admin' AND {{t}}.bank_id = {MY_BANK})"
    ),
    "sign_in": any_of(AT_THE_DOOR, f"{{t}}.person_id = {MYSELF}"),
    "sign_in_attempt": AT_THE_DOOR,
    "api_key": any_of(AT_THE_DOOR, f"({ROLE} = 'bank_admin' AND {{t}}.bank_id = {MY_BANK})"),
    "feed": f"{ROLE} IN ('operator', 'city')",
    "quarantine": f"{ROLE} = 'operator'",
}
"""Table → the rows a web session sees; the same rule checks what it writes, unless WRITES says otherwise."""

ANYBODY = "true"
WRITES = {
    "notice": ANYBODY,  # a bank's answer tells the firm, a firm's withdrawal tells the bank
    "trail": ANYBODY,
    "figure_event": ANYBODY,
    "figure_day": ANYBODY,
    "person": f"({AT_THE_DOOR} OR {ROLE} = 'bank_admin' OR {{t}}.id = {MYSELF})",  # the row comes before its role
}
APPEND_ONLY = (
    "answer",
    "certificate",
    "consent",
    "consent_withdrawal",
    "figure_event",
    "follow_up_note",
    "light_change",
    "product_version",
    "push_list",
    "trail",
    "verdict",
)

FEED_TELLS_SOURCE_DAY = """
CREATE FUNCTION feed_tells_source_day() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO source_day AS d (item, first_on, latest_on)
    VALUES (NEW.item, coalesce(NEW.known_from, NEW.received_on), NEW.received_on)
    ON CONFLICT (item) DO UPDATE SET first_on = least(d.first_on, EXCLUDED.first_on),
        latest_on = greatest(d.latest_on, NEW.received_on);
    RETURN NULL;
END $$
"""
"""When each source first and last delivered: part of every freshness, but the feeds themselves are the operator's."""


def upgrade() -> None:
    op.execute("GRANT USAGE ON SCHEMA public TO xindeng_web, xindeng_cycle")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO xindeng_cycle")
    op.execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO xindeng_web")
    op.execute("GRANT DELETE ON sign_in_attempt, idempotency_key, wanted_bank TO xindeng_web")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO xindeng_web, xindeng_cycle")
    op.execute("REVOKE INSERT, UPDATE ON alembic_version FROM xindeng_web, xindeng_cycle")
    for table in APPEND_ONLY:
        op.execute(f"REVOKE UPDATE, DELETE ON {table} FROM xindeng_web, xindeng_cycle")
    for table, rule in SEES.items():
        sees = rule.replace("{t}", f'"{table}"').replace("{demand}", "demand_id")
        writes = WRITES.get(table, rule).replace("{t}", f'"{table}"').replace("{demand}", "demand_id")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({sees})")
        op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK ({writes})")
        op.execute(
            f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING ({sees}) WITH CHECK ({writes})"
        )
        op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING ({sees})")
    op.execute(FEED_TELLS_SOURCE_DAY)
    op.execute(
        "CREATE TRIGGER feed_tells_source_day AFTER INSERT OR UPDATE OF state ON feed"
        " FOR EACH ROW WHEN (NEW.state = 'taken') EXECUTE FUNCTION feed_tells_source_day()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER feed_tells_source_day ON feed")
    op.execute("DROP FUNCTION feed_tells_source_day()")
    for table in SEES:
        for policy in ("cycle", "web_sees", "web_adds", "web_changes", "web_removes"):
            op.execute(f"DROP POLICY {policy} ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM xindeng_web, xindeng_cycle")
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM xindeng_web, xindeng_cycle")
    op.execute("REVOKE USAGE ON SCHEMA public FROM xindeng_web, xindeng_cycle")
