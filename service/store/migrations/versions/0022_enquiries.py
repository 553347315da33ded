"""Codes to be scanned and the enquiries that come by them; whoever scans has no account and gets in by functions alone.

The door sees neither codes nor enquiries. The owner's functions tell it what one key leads to, take one enquiry for a
code that holds (district and bank come from the code and the register, never from the form), and read back the receipt
of the form that was sent. A firm that reports sees no enquiry either: they are joined to its demand for it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

ROLE = "current_setting('xindeng.role', true)"
MY_FIRM = "nullif(current_setting('xindeng.uscc', true), '')"
A_CITY = f"{ROLE} = 'city'"
A_DISTRICT = f"({ROLE} = 'district' AND {{t}}.district = nullif(current_setting('xindeng.district', true), ''))"
A_BANK = (
    f"({ROLE} IN ('officer', 'bank_admin')"
    " AND {t}.bank_id = nullif(current_setting('xindeng.bank', true), '')::bigint)"
)
OF_ITS_PLACE = f"{A_CITY} OR {A_DISTRICT} OR {A_BANK}"
SEES = {"intake_code": OF_ITS_PLACE, "enquiry": OF_ITS_PLACE, "enquiry_contact": OF_ITS_PLACE}
ADDS = {
    "intake_code": f"({A_CITY} AND {{t}}.bank_id IS NULL) OR ({A_DISTRICT} AND {{t}}.bank_id IS NULL) OR {A_BANK}",
    "enquiry": "false",
    "enquiry_contact": OF_ITS_PLACE,
}
GRANTS = {
    "intake_code": "SELECT, INSERT, UPDATE (withdrawn_on)",
    "enquiry": "SELECT, UPDATE (uscc, firm_name, contact_name, mobile, due_on, contacted_at, state, closed_on,"
    " close_reason, forgotten_on)",
    "enquiry_contact": "SELECT, INSERT, UPDATE (note)",
}
OWNER_KEEPS = ("intake_code", "enquiry", "enquiry_contact")
OWNER_SEES = ("firm", "demand", "person")
AS_OWNER = "SECURITY DEFINER SET search_path = public, pg_temp"

SCANNED_CODE = f"""
CREATE FUNCTION scanned_code(sought text)
RETURNS TABLE (id bigint, kind text, district text, bank_id bigint, bank_name text, outlet text, person_name text,
    campaign text, from_on date, until_on date, withdrawn_on date)
LANGUAGE sql STABLE {AS_OWNER} AS $$
    SELECT c.id, c.kind, c.district, c.bank_id, b.name, c.outlet, p.name, c.campaign, c.from_on, c.until_on,
           c.withdrawn_on
    FROM intake_code c LEFT JOIN bank b ON b.id = c.bank_id LEFT JOIN person p ON p.id = c.person_id
    WHERE c.key = sought
$$"""

COUNT_SCAN = f"""
CREATE FUNCTION count_scan(sought text) RETURNS void LANGUAGE sql VOLATILE {AS_OWNER} AS $$
    UPDATE intake_code SET scans = scans + 1 WHERE key = sought
$$"""

TAKE_ENQUIRY = f"""
CREATE FUNCTION take_enquiry(sought text, said jsonb)
RETURNS TABLE (enquiry_id bigint, its_district text, its_bank bigint, is_new boolean)
LANGUAGE plpgsql VOLATILE {AS_OWNER} AS $$
DECLARE
    code intake_code;
    made bigint;
    place text;
BEGIN
    SELECT * INTO code FROM intake_code c
    WHERE c.key = sought AND c.withdrawn_on IS NULL AND c.from_on <= (said->>'came_on')::date
      AND (c.until_on IS NULL OR c.until_on >= (said->>'came_on')::date);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    place := coalesce(
        (SELECT nullif(f.district, '') FROM firm f WHERE f.uscc = said->>'uscc'), code.district, said->>'district');
    INSERT INTO enquiry (receipt_hash, code_id, kind, campaign, outlet, bank_id, person_id, district, uscc, firm_name,
        contact_name, mobile, amount_fen, use, consent_hash, came_on, came_at, due_on, state)
    VALUES (said->>'receipt_hash', code.id, code.kind, code.campaign, code.outlet, code.bank_id, code.person_id, place,
        said->>'uscc', said->>'firm_name', said->>'contact_name', said->>'mobile', (said->>'amount_fen')::bigint,
        said->>'use', said->>'consent_hash', (said->>'came_on')::date, (said->>'came_at')::timestamptz,
        (said->>'due_on')::date, 'open')
    ON CONFLICT (receipt_hash) DO NOTHING RETURNING id INTO made;
    RETURN QUERY SELECT e.id, e.district::text, e.bank_id, made IS NOT NULL
        FROM enquiry e WHERE e.receipt_hash = said->>'receipt_hash' AND e.code_id = code.id;
END $$"""

ENQUIRY_RECEIPT = f"""
CREATE FUNCTION enquiry_receipt(sought text, receipt text)
RETURNS TABLE (id bigint, came_on date, due_on date, district text, bank_name text, person_name text, state text,
    forgotten_on date)
LANGUAGE sql STABLE {AS_OWNER} AS $$
    SELECT e.id, e.came_on, e.due_on, e.district, b.name, p.name, e.state, e.forgotten_on
    FROM enquiry e JOIN intake_code c ON c.id = e.code_id
    LEFT JOIN bank b ON b.id = e.bank_id LEFT JOIN person p ON p.id = e.person_id
    WHERE e.receipt_hash = receipt AND c.key = sought
$$"""

ERASE_ENQUIRY = f"""
CREATE FUNCTION erase_enquiry(sought text, receipt text, today date)
RETURNS TABLE (id bigint, old_state text, bank_id bigint, district text)
LANGUAGE plpgsql VOLATILE {AS_OWNER} AS $$
#variable_conflict use_column
DECLARE
    gone enquiry;
BEGIN
    SELECT e.* INTO gone FROM enquiry e JOIN intake_code c ON c.id = e.code_id
    WHERE e.receipt_hash = receipt AND c.key = sought AND e.forgotten_on IS NULL FOR UPDATE OF e;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE enquiry e SET uscc = NULL, firm_name = '', contact_name = '', mobile = '', due_on = NULL,
        forgotten_on = today, closed_on = coalesce(e.closed_on, today),
        close_reason = CASE WHEN e.state = 'open' THEN 'withdrawn' ELSE e.close_reason END,
        state = CASE WHEN e.state = 'open' THEN 'closed' ELSE e.state END
    WHERE e.id = gone.id;
    UPDATE enquiry_contact k SET note = '' WHERE k.enquiry_id = gone.id AND k.note <> '';
    RETURN QUERY SELECT gone.id, gone.state::text, gone.bank_id, gone.district::text;
END $$"""

JOIN_ENQUIRIES = f"""
CREATE FUNCTION join_enquiries(firms text[], today date)
RETURNS TABLE (enquiry_id bigint, its_demand bigint, its_firm text, its_bank bigint, its_district text)
LANGUAGE sql VOLATILE {AS_OWNER} AS $$
    UPDATE enquiry e SET state = 'helped', demand_id = found.demand, closed_on = today, due_on = NULL
    FROM (SELECT DISTINCT ON (q.id) q.id, d.id AS demand
          FROM enquiry q JOIN demand d ON d.uscc = q.uscc AND d.reported_at >= q.came_at
          WHERE q.uscc = ANY (firms) AND q.state = 'open' ORDER BY q.id, d.id) found
    WHERE e.id = found.id
    RETURNING e.id, e.demand_id, e.uscc::text, e.bank_id, e.district::text
$$"""

MY_ENQUIRY = f"""
CREATE FUNCTION my_enquiry() RETURNS TABLE (bank_id bigint, amount_fen bigint, use text)
LANGUAGE sql STABLE {AS_OWNER} AS $$
    SELECT e.bank_id, e.amount_fen, e.use FROM enquiry e
    WHERE {ROLE} = 'firm' AND e.uscc = {MY_FIRM} AND e.state = 'open' ORDER BY e.id DESC LIMIT 1
$$"""

INTAKE_COUNTS = f"""
CREATE FUNCTION intake_counts(codes bigint[]) RETURNS TABLE (code_id bigint, enquiries bigint, demands bigint)
LANGUAGE sql STABLE {AS_OWNER} AS $$
    SELECT e.code_id, count(*), count(DISTINCT e.demand_id) FROM enquiry e WHERE e.code_id = ANY (codes) GROUP BY 1
$$"""

FUNCTIONS = {
    "scanned_code(text)": SCANNED_CODE,
    "count_scan(text)": COUNT_SCAN,
    "take_enquiry(text, jsonb)": TAKE_ENQUIRY,
    "enquiry_receipt(text, text)": ENQUIRY_RECEIPT,
    "erase_enquiry(text, text, date)": ERASE_ENQUIRY,
    "join_enquiries(text[], date)": JOIN_ENQUIRIES,
    "my_enquiry()": MY_ENQUIRY,
    "intake_counts(bigint[])": INTAKE_COUNTS,
}


def upgrade() -> None:
    _add_codes()
    _add_enquiries()
    _add_contacts()
    for table in SEES:
        _close(table)
    for table in OWNER_KEEPS:
        op.execute(f"CREATE POLICY owner_keeps ON {table} TO xindeng_owner USING (true) WITH CHECK (true)")
    for table in OWNER_SEES:
        op.execute(f"CREATE POLICY enquiries_see ON {table} FOR SELECT TO xindeng_owner USING (true)")
    for name, function in FUNCTIONS.items():
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO xindeng_web, xindeng_cycle")


def _add_codes() -> None:
    op.create_table(
        "intake_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=True),
        sa.Column("bank_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("outlet", sa.String(length=80), nullable=False),
        sa.Column("campaign", sa.String(length=60), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("scans", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('city', 'district', 'outlet', 'officer')", name="intake_code_kind_known"),
        sa.CheckConstraint("(kind = 'city') = (district IS NULL)", name="intake_code_has_its_place"),
        sa.CheckConstraint("(kind = 'officer') = (person_id IS NOT NULL)", name="intake_code_of_an_officer"),
        sa.CheckConstraint(
            "kind <> 'outlet' OR (bank_id IS NOT NULL AND outlet <> '')", name="intake_code_of_an_outlet"
        ),
        sa.CheckConstraint("until_on IS NULL OR until_on >= from_on", name="intake_code_days"),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_intake_code_bank_id", "intake_code", ["bank_id"], unique=False)
    op.create_index(
        "intake_code_once",
        "intake_code",
        ["kind", "district", "bank_id", "person_id", "outlet", "campaign"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("withdrawn_on IS NULL"),
    )


def _add_enquiries() -> None:
    op.create_table(
        "enquiry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("receipt_hash", sa.String(length=64), nullable=False),
        sa.Column("code_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("campaign", sa.String(length=60), nullable=False),
        sa.Column("outlet", sa.String(length=80), nullable=False),
        sa.Column("bank_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("firm_name", sa.String(length=120), nullable=False),
        sa.Column("contact_name", sa.String(length=40), nullable=False),
        sa.Column("mobile", sa.String(length=20), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("use", sa.Text(), nullable=False),
        sa.Column("consent_hash", sa.String(length=64), nullable=False),
        sa.Column("came_on", sa.Date(), nullable=False),
        sa.Column("came_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("contacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("demand_id", sa.BigInteger(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("close_reason", sa.Text(), nullable=True),
        sa.Column("forgotten_on", sa.Date(), nullable=True),
        sa.CheckConstraint("kind IN ('city', 'district', 'outlet', 'officer')", name="enquiry_kind_known"),
        sa.CheckConstraint("state IN ('open', 'helped', 'closed')", name="enquiry_state_known"),
        sa.CheckConstraint(
            "use IN ('working_capital', 'equipment', 'premises', 'trade', 'research', 'agriculture', 'renewal',"
            " 'other', 'securities', 'property_speculation', 'relending')",
            name="enquiry_use_known",
        ),
        sa.CheckConstraint(
            "close_reason IN ('not_wanted', 'not_reached', 'wrong_number', 'no_business', 'duplicate', 'handed_over',"
            " 'withdrawn', 'expired')",
            name="enquiry_close_reason_known",
        ),
        sa.CheckConstraint("amount_fen > 0", name="enquiry_asks_something"),
        sa.CheckConstraint("(state = 'open') = (closed_on IS NULL)", name="enquiry_ends_on_a_day"),
        sa.CheckConstraint("(state = 'helped') = (demand_id IS NOT NULL)", name="enquiry_helped_to_a_demand"),
        sa.CheckConstraint("(state = 'closed') = (close_reason IS NOT NULL)", name="enquiry_closed_for_a_reason"),
        sa.CheckConstraint("forgotten_on IS NULL OR mobile = ''", name="enquiry_forgotten_wholly"),
        sa.ForeignKeyConstraint(["code_id"], ["intake_code.id"]),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["demand_id"], ["demand.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("receipt_hash"),
    )
    op.create_index("ix_enquiry_code_id", "enquiry", ["code_id"], unique=False)
    op.create_index("ix_enquiry_demand_id", "enquiry", ["demand_id"], unique=False)
    op.create_index("enquiry_of_district", "enquiry", ["district", "state", "due_on"], unique=False)
    op.create_index("enquiry_of_bank", "enquiry", ["bank_id", "state", "due_on"], unique=False)
    op.create_index("enquiry_of_firm", "enquiry", ["uscc"], unique=False, postgresql_where=sa.text("uscc IS NOT NULL"))
    op.create_index(
        "enquiry_to_forget", "enquiry", ["came_on"], unique=False, postgresql_where=sa.text("forgotten_on IS NULL")
    )


def _add_contacts() -> None:
    op.create_table(
        "enquiry_contact",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("enquiry_id", sa.BigInteger(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("bank_id", sa.BigInteger(), nullable=True),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("again_on", sa.Date(), nullable=True),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["enquiry_id"], ["enquiry.id"]),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"]),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_enquiry_contact_enquiry_id", "enquiry_contact", ["enquiry_id"], unique=False)


def _close(table: str) -> None:
    sees, adds = (rules[table].replace("{t}", table) for rules in (SEES, ADDS))
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({sees})")
    op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK ({adds})")
    op.execute(f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING ({sees}) WITH CHECK ({sees})")
    op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING (false)")
    op.execute(f"GRANT {GRANTS[table]} ON {table} TO xindeng_web")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO xindeng_cycle")
    op.execute(f"GRANT USAGE ON SEQUENCE {table}_id_seq TO xindeng_web, xindeng_cycle")


def downgrade() -> None:
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
    for table in OWNER_SEES:
        op.execute(f"DROP POLICY enquiries_see ON {table}")
    for table in ("enquiry_contact", "enquiry", "intake_code"):
        op.drop_table(table)
