"""A forgotten password: the door keeps what one browser asked for, and may queue the code's message and no other."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

ROLE = "current_setting('xindeng.role', true)"
MY_BROWSER = "nullif(current_setting('xindeng.password_code', true), '')"
SEES = {"password_code": f"{ROLE} = 'door' AND password_code.token_hash = {MY_BROWSER}"}
CAUSE = "outgoing_message_has_a_cause"
WITHOUT_CAUSE = {
    "0035": "CASE kind WHEN 'address_code' THEN 0 ELSE 1 END",
    "0036": "CASE WHEN kind IN ('address_code', 'password_code') THEN 0 ELSE 1 END",
}
THE_CODES_MESSAGE = f"{ROLE} = 'door' AND kind = 'password_code' AND topic = 'code' AND state = 'waiting'"


def upgrade() -> None:
    op.create_table(
        "password_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("named_digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_password_code_asked_at", "password_code", ["asked_at"], unique=False)
    op.create_index("ix_person_phone", "person", ["phone"], unique=False)
    for table, sees in SEES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({sees})")
        op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK ({sees})")
        op.execute(f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING ({sees}) WITH CHECK ({sees})")
        op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING (false)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO xindeng_web")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO xindeng_cycle")
    op.execute("GRANT USAGE ON SEQUENCE password_code_id_seq TO xindeng_web, xindeng_cycle")
    _cause("0036")
    op.execute(
        f"CREATE POLICY door_adds ON outgoing_message FOR INSERT TO xindeng_web WITH CHECK ({THE_CODES_MESSAGE})"
    )


def downgrade() -> None:
    op.execute("DROP POLICY door_adds ON outgoing_message")
    op.execute("DELETE FROM outgoing_message WHERE kind = 'password_code'")
    _cause("0035")
    op.drop_index("ix_person_phone", table_name="person")
    op.drop_table("password_code")


def _cause(revision: str) -> None:
    op.drop_constraint(CAUSE, "outgoing_message", type_="check")
    op.create_check_constraint(
        CAUSE, "outgoing_message", f"num_nonnulls(notice_id, digest_on) = {WITHOUT_CAUSE[revision]}"
    )
