"""A bank's list at full speed however it is narrowed and ordered: what it is asked for by stands on the line itself.

A line keeps a copy of its firm's name, its demand's number and light, and the grade the light rests on. The copies are
made with the line and follow the demand and the firm; when the firm's consent ends they go out of the bank's sight with
it. A bank's lines are then found in one index. Who may see a line is asked once for each statement, not for each row.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0026"
down_revision = "0025"

ROLE, FIRM, DISTRICT, BANK = (
    "current_setting('xindeng.role', true)",
    "nullif(current_setting('xindeng.uscc', true), '')",
    "nullif(current_setting('xindeng.district', true), '')",
    "nullif(current_setting('xindeng.bank', true), '')::bigint",
)


def rule(setting: str) -> str:
    """Who sees a line; `setting` says how a setting is asked for."""
    role, firm, district, bank = (setting.format(one) for one in (ROLE, FIRM, DISTRICT, BANK))
    return (
        f"{role} IN ('city', 'operator') OR ({role} = 'firm' AND push_line.uscc = {firm})"
        f" OR ({role} = 'district' AND push_line.district = {district})"
        f" OR ({role} IN ('officer', 'bank_admin') AND push_line.bank_id = {bank})"
    )


COPIES: dict[str, TypeEngine[Any]] = {
    "firm_name": sa.String(length=120),
    "demand_number": sa.String(length=24),
    "light": sa.Text(),
    "grade": sa.String(length=8),
    "probability": sa.Float(),
}
READ = ("push_line", "demand", "verdict", "estimate", "firm")
FILL = """
UPDATE push_line l SET firm_name = f.name, demand_number = d.number, light = d.light, grade = e.grade,
    probability = e.probability
FROM demand d JOIN firm f ON f.uscc = d.uscc
LEFT JOIN verdict v ON v.id = d.verdict_id LEFT JOIN estimate e ON e.id = v.estimate_id
WHERE d.id = l.demand_id AND NOT l.view_closed
"""
AS_OWNER = "LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp"
LIGHT_COPIED = f"""
CREATE FUNCTION line_follows_demand() RETURNS trigger {AS_OWNER} AS $$
BEGIN
    UPDATE push_line l SET light = n.light, grade = e.grade, probability = e.probability
    FROM fresh n JOIN stale o ON o.id = n.id
    LEFT JOIN verdict v ON v.id = n.verdict_id LEFT JOIN estimate e ON e.id = v.estimate_id
    WHERE l.demand_id = n.id AND NOT l.view_closed
      AND (o.light IS DISTINCT FROM n.light OR o.verdict_id IS DISTINCT FROM n.verdict_id);
    RETURN NULL;
END $$
"""
NAME_COPIED = f"""
CREATE FUNCTION line_follows_firm() RETURNS trigger {AS_OWNER} AS $$
BEGIN
    UPDATE push_line l SET firm_name = NEW.name WHERE l.uscc = NEW.uscc AND NOT l.view_closed;
    RETURN NULL;
END $$
"""
ASKED_BY = [
    "uscc", "district", "closed_on", "view_closed", "state", "pushed_on", "amount_fen", "product_id", "list_id",
    "assigned_to", "is_intended", "light", "probability", "firm_name", "demand_number",
]  # fmt: skip


def upgrade() -> None:
    for name, kind in COPIES.items():
        op.add_column("push_line", sa.Column(name, kind, nullable=True))
    for table in READ:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(FILL)
    for table in READ:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.create_check_constraint(
        "push_line_closed_view_shows_nothing",
        "push_line",
        "NOT view_closed OR num_nonnulls(firm_name, demand_number, light, grade, probability) = 0",
    )
    for table in ("verdict", "estimate"):
        op.execute(f"CREATE POLICY owner_sees ON {table} FOR SELECT TO xindeng_owner USING (true)")
    op.execute("CREATE POLICY owner_copies ON push_line FOR UPDATE TO xindeng_owner USING (true) WITH CHECK (true)")
    op.execute(LIGHT_COPIED)
    op.execute(
        "CREATE TRIGGER line_follows_demand AFTER UPDATE ON demand REFERENCING NEW TABLE AS fresh OLD TABLE AS stale"
        " FOR EACH STATEMENT EXECUTE FUNCTION line_follows_demand()"
    )
    op.execute(NAME_COPIED)
    op.execute(
        "CREATE TRIGGER line_follows_firm AFTER UPDATE OF name ON firm FOR EACH ROW"
        " WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION line_follows_firm()"
    )
    op.drop_index("push_line_open", table_name="push_line")
    key = ["bank_id", "due_on", "id"]
    op.create_index(
        "push_line_open",
        "push_line",
        key,
        unique=False,
        postgresql_include=ASKED_BY,
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.create_index("push_line_listed", "push_line", key, unique=False, postgresql_include=ASKED_BY)
    op.execute(f"ALTER POLICY web_sees ON push_line USING ({rule('(SELECT {})')})")


def downgrade() -> None:
    op.execute(f"ALTER POLICY web_sees ON push_line USING ({rule('{}')})")
    op.drop_index("push_line_listed", table_name="push_line")
    op.drop_index("push_line_open", table_name="push_line")
    op.create_index(
        "push_line_open",
        "push_line",
        ["bank_id", "due_on", "id"],
        unique=False,
        postgresql_include=["state", "pushed_on"],
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.execute("DROP TRIGGER line_follows_firm ON firm")
    op.execute("DROP FUNCTION line_follows_firm()")
    op.execute("DROP TRIGGER line_follows_demand ON demand")
    op.execute("DROP FUNCTION line_follows_demand()")
    op.execute("DROP POLICY owner_copies ON push_line")
    for table in ("verdict", "estimate"):
        op.execute(f"DROP POLICY owner_sees ON {table}")
    op.drop_constraint("push_line_closed_view_shows_nothing", "push_line")
    for name in COPIES:
        op.drop_column("push_line", name)
