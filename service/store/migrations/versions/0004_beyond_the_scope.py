"""What a bank's or a firm's transaction must do beyond its own rows, and nothing more: functions that run as the owner.

A bank does not see other banks' lines, yet its answer settles the demand; a firm does not see the figures, yet its
report is counted. These functions give coded states and dates, keep the roll-ups equal to their events, and count
households exactly when two banks report the same firm at once.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

AS_OWNER = "SECURITY DEFINER SET search_path = public, pg_temp"
FIGURES = (
    "events",
    "households",
    "amount_fen",
    "credit_loan_fen",
    "first_loan_fen",
    "first_loans",
    "renewal_without_repayment_fen",
    "rate_times_fen",
    "late_events",
)
SUMS = {
    "events": "sum(sign)",
    "households": "coalesce(sum(sign) FILTER (WHERE is_new_household), 0)",
    "households_of_bank": "coalesce(sum(sign) FILTER (WHERE is_new_household_of_bank), 0)",
    "amount_fen": "sum(sign * amount_fen)",
    "credit_loan_fen": "coalesce(sum(sign * amount_fen) FILTER (WHERE loan_type = 'credit'), 0)",
    "first_loan_fen": "coalesce(sum(sign * amount_fen) FILTER (WHERE is_first_loan), 0)",
    "first_loans": "coalesce(sum(sign) FILTER (WHERE is_first_loan), 0)",
    "renewal_without_repayment_fen": "coalesce(sum(sign * amount_fen) FILTER (WHERE is_renewal_without_repayment), 0)",
    "rate_times_fen": "coalesce(sum(sign * amount_fen * rate), 0)",
    "late_events": 'count(*) FILTER (WHERE recorded_on > "on")',
}
OWNER_SEES = ("push_line", "credit_grant", "figure_event")
OWNER_KEEPS = ("figure_day", "figure_slice", "figure_household")


def roll_up(table: str, key: tuple[str, ...], figures: tuple[str, ...]) -> str:
    """One ordered upsert of the new events' sums: the order keeps two transactions from waiting for each other."""
    keys = ", ".join(f'"{part}"' for part in key)
    adds = ", ".join(f"{figure} = {table}.{figure} + EXCLUDED.{figure}" for figure in figures)
    return (
        f"INSERT INTO {table} ({keys}, {', '.join(figures)})"
        f" SELECT {keys}, {', '.join(SUMS[figure] for figure in figures)} FROM added GROUP BY {keys} ORDER BY {keys}"
        f" ON CONFLICT ({keys}) DO UPDATE SET {adds};"
    )


LINES_OF = f"""
CREATE FUNCTION lines_of(demands bigint[])
RETURNS TABLE (demand_id bigint, line_id bigint, state text, due_step text, due_on date, waits boolean, is_open boolean)
LANGUAGE sql STABLE {AS_OWNER} AS $$
    SELECT l.demand_id, l.id, l.state, l.due_step, l.due_on, l.waits_for_calendar, l.closed_on IS NULL
    FROM push_line l WHERE l.demand_id = ANY (demands) ORDER BY l.demand_id, l.id
$$"""

GRANTED_BEFORE = f"""
CREATE FUNCTION granted_before(firms text[]) RETURNS TABLE (uscc text)
LANGUAGE sql STABLE {AS_OWNER} AS $$
    SELECT DISTINCT g.uscc::text FROM credit_grant g WHERE g.uscc = ANY (firms) AND g.voided_at IS NULL
$$"""

ONE_HOUSEHOLD = """
    INSERT INTO figure_household AS h (uscc, kind, bank_id, live) VALUES (NEW.uscc, NEW.kind, {bank}, NEW.sign)
    ON CONFLICT (uscc, kind, bank_id) DO UPDATE SET live = h.live + EXCLUDED.live RETURNING live INTO standing;
    {flag} := standing = (CASE NEW.sign WHEN 1 THEN 1 ELSE 0 END);"""

COUNT_HOUSEHOLD = f"""
CREATE FUNCTION figure_count_household() RETURNS trigger LANGUAGE plpgsql {AS_OWNER} AS $$
DECLARE standing integer;
BEGIN
    IF EXISTS (SELECT 1 FROM figure_event e
               WHERE e.kind = NEW.kind AND e.noun_id = NEW.noun_id AND e.sign = NEW.sign) THEN
        RETURN NULL;
    END IF;
    {ONE_HOUSEHOLD.format(bank="0", flag="NEW.is_new_household")}
    NEW.is_new_household_of_bank := false;
    IF NEW.bank_id <> 0 THEN
        {ONE_HOUSEHOLD.format(bank="NEW.bank_id", flag="NEW.is_new_household_of_bank")}
    END IF;
    RETURN NEW;
END $$"""

ROLL_UP = f"""
CREATE FUNCTION figure_roll_up() RETURNS trigger LANGUAGE plpgsql {AS_OWNER} AS $$
BEGIN
    {roll_up("figure_day", ("on", "district", "bank_id", "kind"), ("households_of_bank", *FIGURES))}
    {roll_up("figure_slice", ("on", "district", "industry", "size", "kind"), FIGURES)}
    RETURN NULL;
END $$"""


def upgrade() -> None:
    for table in OWNER_SEES:
        op.execute(f"CREATE POLICY owner_sees ON {table} FOR SELECT TO xindeng_owner USING (true)")
    for table in OWNER_KEEPS:
        op.execute(f"CREATE POLICY owner_keeps ON {table} TO xindeng_owner USING (true) WITH CHECK (true)")
    for function in (LINES_OF, GRANTED_BEFORE, COUNT_HOUSEHOLD, ROLL_UP):
        op.execute(function)
    for name in ("lines_of(bigint[])", "granted_before(text[])"):
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO xindeng_web, xindeng_cycle")
    op.execute(
        "CREATE TRIGGER figure_count_household BEFORE INSERT ON figure_event"
        " FOR EACH ROW EXECUTE FUNCTION figure_count_household()"
    )
    op.execute(
        "CREATE TRIGGER figure_roll_up AFTER INSERT ON figure_event REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION figure_roll_up()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER figure_roll_up ON figure_event")
    op.execute("DROP TRIGGER figure_count_household ON figure_event")
    for name in ("figure_roll_up()", "figure_count_household()", "granted_before(text[])", "lines_of(bigint[])"):
        op.execute(f"DROP FUNCTION {name}")
    for table in OWNER_KEEPS:
        op.execute(f"DROP POLICY owner_keeps ON {table}")
    for table in OWNER_SEES:
        op.execute(f"DROP POLICY owner_sees ON {table}")
