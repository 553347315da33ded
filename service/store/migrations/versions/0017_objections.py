"""Objections to records: the firm's own, its district's and the operator's to work on; a bank reads what is open."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

ROLE = "current_setting('xindeng.role', true)"
CITY_WIDE = f"{ROLE} IN ('city', 'operator')"
OPERATOR = f"{ROLE} = 'operator'"
THE_FIRM = f"({ROLE} = 'firm' AND objection.uscc = nullif(current_setting('xindeng.uscc', true), ''))"
THE_DISTRICT = f"({ROLE} = 'district' AND {{t}}.district = nullif(current_setting('xindeng.district', true), ''))"
THE_BANK = (
    f"({ROLE} IN ('officer', 'bank_admin') AND objection.state = 'open' AND EXISTS ("
    "SELECT 1 FROM push_line l WHERE l.uscc = objection.uscc AND NOT l.view_closed"
    " AND l.bank_id = nullif(current_setting('xindeng.bank', true), '')::bigint))"
)
MINE = THE_DISTRICT.replace("{t}", "objection")
SEES = {
    "objection": f"{CITY_WIDE} OR {THE_FIRM} OR {MINE} OR {THE_BANK}",
    "objection_note": f"{CITY_WIDE} OR {THE_DISTRICT.replace('{t}', 'objection_note')}",
}
WORKS = f"{OPERATOR} OR {MINE}"
CHANGES = "due_on, waits_for_calendar, asked_on, state, answer, decided_by, closed_on, closed_at"


def upgrade() -> None:
    _make_objection()
    _make_note()
    for table, rule in SEES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({rule})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO xindeng_cycle")
        op.execute(f"GRANT USAGE ON SEQUENCE {table}_id_seq TO xindeng_web, xindeng_cycle")
    op.execute(f"CREATE POLICY web_adds ON objection FOR INSERT TO xindeng_web WITH CHECK ({THE_FIRM})")
    op.execute(
        f"CREATE POLICY web_changes ON objection FOR UPDATE TO xindeng_web USING ({THE_FIRM} OR {WORKS})"
        f" WITH CHECK ({THE_FIRM} OR {WORKS})"
    )
    notes = THE_DISTRICT.replace("{t}", "objection_note")
    op.execute(f"CREATE POLICY web_adds ON objection_note FOR INSERT TO xindeng_web WITH CHECK ({OPERATOR} OR {notes})")
    op.execute("CREATE POLICY web_changes ON objection_note FOR UPDATE TO xindeng_web USING (false) WITH CHECK (false)")
    for table in SEES:
        op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING (false)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ({CHANGES}) ON objection TO xindeng_web")
    op.execute("GRANT SELECT, INSERT ON objection_note TO xindeng_web")
    op.execute("REVOKE UPDATE, DELETE ON objection_note FROM xindeng_cycle")


def downgrade() -> None:
    op.drop_table("objection_note")
    op.drop_table("objection")


def _make_objection() -> None:
    op.create_table(
        "objection",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("wrong", sa.Text(), nullable=False),
        sa.Column("right_is", sa.String(length=500), nullable=False),
        sa.Column("file_kind", sa.String(length=8), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_by", sa.Integer(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("waits_for_calendar", sa.Boolean(), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answer", sa.String(length=500), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mirrored_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "wrong IN ('not_ours', 'amount', 'date', 'settled', 'expired', 'twice', 'other')",
            name="objection_wrong_known",
        ),
        sa.CheckConstraint("state IN ('open', 'upheld', 'refused', 'withdrawn')", name="objection_state_known"),
        sa.CheckConstraint("(state = 'open') = (closed_on IS NULL)", name="objection_open_or_closed"),
        sa.CheckConstraint("(state IN ('upheld', 'refused')) = (answer <> '')", name="objection_decided_with_reasons"),
        sa.CheckConstraint("(file_kind = '') = (sha256 = '')", name="objection_paper"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_objection_uscc", "objection", ["uscc"], unique=False)
    op.create_index(
        "objection_one_open", "objection", ["uscc", "item", "key"], unique=True, postgresql_where="state = 'open'"
    )
    op.create_index(
        "objection_waiting", "objection", ["district", "due_on"], unique=False, postgresql_where="state = 'open'"
    )
    op.create_index(
        "objection_to_mirror",
        "objection",
        ["id"],
        unique=False,
        postgresql_where="state = 'upheld' AND mirrored_at IS NULL",
    )


def _make_note() -> None:
    op.create_table(
        "objection_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("objection_id", sa.BigInteger(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("written_by", sa.Integer(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("step IN ('asked', 'note')", name="objection_note_step_known"),
        sa.ForeignKeyConstraint(["objection_id"], ["objection.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_objection_note_objection_id"), "objection_note", ["objection_id"], unique=False)
