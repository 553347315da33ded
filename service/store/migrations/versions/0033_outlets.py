"""Outlets of banks, who belongs to one, and who stands in for whom: a bank sees its own, its admins keep the outlets."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

ROLE = "current_setting('xindeng.role', true)"
MY_BANK = "bank_id = nullif(current_setting('xindeng.bank', true), '')::bigint"
MYSELF = "nullif(current_setting('xindeng.person', true), '')::bigint"
THE_BANK = f"{ROLE} IN ('officer', 'bank_admin') AND {MY_BANK}"
ITS_ADMIN = f"{ROLE} = 'bank_admin' AND {MY_BANK}"
OF_MINE = f"{ITS_ADMIN} OR ({ROLE} = 'officer' AND {MY_BANK} AND absent_id = {MYSELF})"
SEES = {"outlet": THE_BANK, "outlet_member": THE_BANK, "stand_in": THE_BANK}
KEEPS = {"outlet": ITS_ADMIN, "outlet_member": ITS_ADMIN, "stand_in": OF_MINE}
REMOVES = {"outlet": "false", "outlet_member": ITS_ADMIN, "stand_in": "false"}
GRANTS = {
    "outlet": "SELECT, INSERT, UPDATE (takes_since_on, ended_on)",
    "outlet_member": "SELECT, INSERT, UPDATE, DELETE",
    "stand_in": "SELECT, INSERT, UPDATE (ended_at)",
}
COLLEAGUES = f"{ROLE} = 'officer' AND {MY_BANK}"
"""An officer sees who else acts for the bank: one of them stands in."""


def upgrade() -> None:
    _tables()
    for table, sees in SEES.items():
        keeps = KEEPS[table]
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({sees})")
        op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK ({keeps})")
        op.execute(
            f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING ({sees}) WITH CHECK ({keeps})"
        )
        op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING ({REMOVES[table]})")
        op.execute(f"GRANT {GRANTS[table]} ON {table} TO xindeng_web")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO xindeng_cycle")
    op.execute("GRANT USAGE ON SEQUENCE outlet_id_seq, stand_in_id_seq TO xindeng_web, xindeng_cycle")
    op.execute(f"CREATE POLICY web_sees_colleagues ON membership FOR SELECT TO xindeng_web USING ({COLLEAGUES})")


def _tables() -> None:
    op.create_table(
        "outlet",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("bank_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("takes_since_on", sa.Date(), nullable=True),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.CheckConstraint("ended_on IS NULL OR takes_since_on IS NULL", name="outlet_ended_takes_nothing"),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    live, takes = sa.text("ended_on IS NULL"), sa.text("takes_since_on IS NOT NULL")
    op.create_index("outlet_once", "outlet", ["bank_id", "name"], unique=True, postgresql_where=live)
    op.create_index("outlet_takes", "outlet", ["bank_id", "district"], unique=True, postgresql_where=takes)
    op.create_table(
        "outlet_member",
        sa.Column("bank_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"]),
        sa.PrimaryKeyConstraint("bank_id", "person_id"),
    )
    op.create_index("outlet_member_of", "outlet_member", ["outlet_id"], unique=False)
    op.create_table(
        "stand_in",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("bank_id", sa.BigInteger(), nullable=False),
        sa.Column("absent_id", sa.BigInteger(), nullable=False),
        sa.Column("deputy_id", sa.BigInteger(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("absent_id <> deputy_id", name="stand_in_by_another"),
        sa.CheckConstraint("until_on >= from_on", name="stand_in_days"),
        sa.ForeignKeyConstraint(["bank_id"], ["bank.id"]),
        sa.ForeignKeyConstraint(["absent_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["deputy_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("stand_in_of_deputy", "stand_in", ["bank_id", "deputy_id", "until_on"], unique=False)
    op.execute(
        "ALTER TABLE stand_in ADD CONSTRAINT stand_in_one_at_a_time EXCLUDE USING gist"
        " (int8range(bank_id, bank_id, '[]') WITH &&, int8range(absent_id, absent_id, '[]') WITH &&,"
        " daterange(from_on, until_on, '[]') WITH &&) WHERE (ended_at IS NULL)"
    )


def downgrade() -> None:
    op.execute("DROP POLICY web_sees_colleagues ON membership")
    for table in ("stand_in", "outlet_member", "outlet"):
        op.drop_table(table)
