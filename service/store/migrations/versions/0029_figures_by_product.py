"""Figures by product: every event of a grant or drawdown says its product, and the database keeps that cut too.

What was recorded before gets its product from its grant, and what a household of a product is, is found by counting the
events again in the order they were recorded, as the trigger counts them.
"""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

before = import_module("service.store.migrations.versions.0004_beyond_the_scope")
ROLE = "current_setting('xindeng.role', true)"
SEES = {
    "figure_product": f"{ROLE} IN ('city', 'operator')"
    f" OR ({ROLE} = 'district' AND district = nullif(current_setting('xindeng.district', true), ''))"
    f" OR ({ROLE} IN ('officer', 'bank_admin')"
    " AND bank_id = nullif(current_setting('xindeng.bank', true), '')::bigint)"
}
KEY = ("on", "district", "bank_id", "product_id", "kind")
FIGURES = ("households_of_product", *(name for name in before.FIGURES if name != "households"))
before.SUMS["households_of_product"] = "coalesce(sum(sign) FILTER (WHERE is_new_household_of_product), 0)"
ROLL_UP = before.ROLL_UP.replace(
    "    RETURN NULL;", f"    {before.roll_up('figure_product', KEY, FIGURES)}\n    RETURN NULL;"
)
COUNTED = (
    "(uscc, kind, bank_id, live) VALUES (NEW.uscc, NEW.kind, {bank}, NEW.sign)\n    ON CONFLICT (uscc, kind, bank_id)"
)
ONE_HOUSEHOLD = before.ONE_HOUSEHOLD.replace(
    COUNTED,
    "(uscc, kind, bank_id, product_id, live) VALUES (NEW.uscc, NEW.kind, {bank}, {product}, NEW.sign)\n"
    "    ON CONFLICT (uscc, kind, bank_id, product_id)",
)
COUNT_HOUSEHOLD = f"""
CREATE FUNCTION figure_count_household() RETURNS trigger LANGUAGE plpgsql {before.AS_OWNER} AS $$
DECLARE standing integer;
BEGIN
    IF EXISTS (SELECT 1 FROM figure_event e
               WHERE e.kind = NEW.kind AND e.noun_id = NEW.noun_id AND e.sign = NEW.sign) THEN
        RETURN NULL;
    END IF;
    {ONE_HOUSEHOLD.format(bank="0", product="0", flag="NEW.is_new_household")}
    NEW.is_new_household_of_bank := false;
    NEW.is_new_household_of_product := false;
    IF NEW.bank_id <> 0 THEN
        {ONE_HOUSEHOLD.format(bank="NEW.bank_id", product="0", flag="NEW.is_new_household_of_bank")}
    END IF;
    IF NEW.product_id <> 0 THEN
        {ONE_HOUSEHOLD.format(bank="NEW.bank_id", product="NEW.product_id", flag="NEW.is_new_household_of_product")}
    END IF;
    RETURN NEW;
END $$"""
READ = ("figure_event", "drawdown", "credit_grant")
"""What the owner reads and rewrites here and is otherwise closed to."""
PRODUCTS_OF_GRANTS = """
    UPDATE figure_event e SET product_id = g.product_id FROM credit_grant g WHERE e.kind = 'granted' AND g.id = e.noun_id
"""
PRODUCTS_OF_DRAWDOWNS = """
    UPDATE figure_event e SET product_id = g.product_id FROM drawdown d JOIN credit_grant g ON g.id = d.grant_id
    WHERE e.kind = 'drawn' AND d.id = e.noun_id
"""
NEW_HOUSEHOLDS = """
    UPDATE figure_event e SET is_new_household_of_product = true
    FROM (SELECT id, sign, sum(sign) OVER (PARTITION BY uscc, kind, bank_id, product_id ORDER BY id) AS standing
          FROM figure_event WHERE product_id <> 0) s
    WHERE s.id = e.id AND s.standing = CASE s.sign WHEN 1 THEN 1 ELSE 0 END
"""
HOUSEHOLDS = """
    INSERT INTO figure_household (uscc, kind, bank_id, product_id, live)
    SELECT uscc, kind, bank_id, product_id, sum(sign) FROM figure_event WHERE product_id <> 0 GROUP BY 1, 2, 3, 4
"""


def upgrade() -> None:
    op.add_column("figure_event", sa.Column("product_id", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "figure_event",
        sa.Column("is_new_household_of_product", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("figure_household", sa.Column("product_id", sa.Integer(), nullable=False, server_default="0"))
    for table, column in (
        ("figure_event", "product_id"),
        ("figure_event", "is_new_household_of_product"),
        ("figure_household", "product_id"),
    ):
        op.alter_column(table, column, server_default=None)
    op.drop_constraint("figure_household_pkey", "figure_household", type_="primary")
    op.create_primary_key("figure_household_pkey", "figure_household", ["uscc", "kind", "bank_id", "product_id"])
    op.create_table(
        "figure_product",
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("bank_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("households_of_product", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("credit_loan_fen", sa.BigInteger(), nullable=False),
        sa.Column("first_loan_fen", sa.BigInteger(), nullable=False),
        sa.Column("first_loans", sa.Integer(), nullable=False),
        sa.Column("renewal_without_repayment_fen", sa.BigInteger(), nullable=False),
        sa.Column("rate_times_fen", sa.Numeric(precision=30, scale=7), nullable=False),
        sa.Column("late_events", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(*KEY),
    )
    _fill()
    op.create_index(
        "figure_event_of_product",
        "figure_event",
        ["product_id", "on"],
        unique=False,
        postgresql_where=sa.text("product_id <> 0"),
    )
    _close("figure_product", SEES["figure_product"])
    _replace(COUNT_HOUSEHOLD, ROLL_UP)


def _fill() -> None:
    """The products of what was recorded before, and their sums."""
    for table in READ:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for statement in (PRODUCTS_OF_GRANTS, PRODUCTS_OF_DRAWDOWNS, NEW_HOUSEHOLDS, HOUSEHOLDS):
        op.execute(statement)
    op.execute(before.roll_up("figure_product", KEY, FIGURES).replace("FROM added", "FROM figure_event"))
    for table in READ:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _close(table: str, rule: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY owner_keeps ON {table} TO xindeng_owner USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({rule})")
    op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK (false)")
    op.execute(f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING (false)")
    op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING (false)")
    op.execute(f"GRANT SELECT ON {table} TO xindeng_web, xindeng_cycle")


def _replace(*functions: str) -> None:
    for function in functions:
        op.execute(function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))


def downgrade() -> None:
    _replace(before.COUNT_HOUSEHOLD, before.ROLL_UP)
    op.drop_table("figure_product")
    op.drop_index("figure_event_of_product", table_name="figure_event")
    op.execute("DELETE FROM figure_household WHERE product_id <> 0")
    op.drop_constraint("figure_household_pkey", "figure_household", type_="primary")
    op.create_primary_key("figure_household_pkey", "figure_household", ["uscc", "kind", "bank_id"])
    op.drop_column("figure_household", "product_id")
    op.drop_column("figure_event", "is_new_household_of_product")
    op.drop_column("figure_event", "product_id")
