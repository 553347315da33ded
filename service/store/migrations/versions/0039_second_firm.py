"""One account for several firms: a person's registrations are many, and whose real name was checked is known again.

A role that had ended holds again from the day a later registration opens it.
"""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"

BEFORE: str = import_module("service.store.migrations.versions.0021_registration").ENTER_REGISTRATION
NOTHING = "ON CONFLICT ON CONSTRAINT membership_once DO NOTHING"
AGAIN = """ON CONFLICT ON CONSTRAINT membership_once DO UPDATE SET since_on = EXCLUDED.since_on, until_on = NULL
            WHERE membership.until_on IS NOT NULL"""
AFTER = BEFORE.replace(NOTHING, AGAIN)
IN_PLACE = ("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
WHO_WAS_CHECKED = """
UPDATE person p SET identity_digest = r.identity_digest FROM registration r
WHERE r.person_id = p.id AND r.state IN ('waiting', 'opened')
"""


def upgrade() -> None:
    op.add_column("person", sa.Column("identity_digest", sa.String(length=64), nullable=True))
    for table in ("person", "registration"):  # the owner reads and writes them once, here
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(WHO_WAS_CHECKED)
    for table in ("person", "registration"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.drop_constraint("registration_person_id_key", "registration", type_="unique")
    op.create_index("ix_registration_person_id", "registration", ["person_id"], unique=False)
    op.execute("CREATE POLICY owner_update ON membership FOR UPDATE TO xindeng_owner USING (true)")
    op.execute(AFTER.replace(*IN_PLACE))


def downgrade() -> None:
    op.execute(BEFORE.replace(*IN_PLACE))
    op.execute("DROP POLICY owner_update ON membership")
    op.drop_index("ix_registration_person_id", table_name="registration")
    op.create_unique_constraint("registration_person_id_key", "registration", ["person_id"])
    op.drop_column("person", "identity_digest")
