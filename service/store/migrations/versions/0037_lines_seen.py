"""Whose line it is, asked of each row with one comparison: who asks, and as what, is settled once for each statement.

The rule is the one of 0026. A bank's list looks at a hundred thousand lines, and most of the time went into the role.
"""

from alembic import op

revision = "0037"
down_revision = "0036"

ROLE, FIRM, DISTRICT, BANK = (
    "current_setting('xindeng.role', true)",
    "nullif(current_setting('xindeng.uscc', true), '')",
    "nullif(current_setting('xindeng.district', true), '')",
    "nullif(current_setting('xindeng.bank', true), '')::bigint",
)
ONCE = (
    f"bank_id = (SELECT {BANK} WHERE {ROLE} = 'officer' OR {ROLE} = 'bank_admin')"
    f" OR uscc = (SELECT {FIRM} WHERE {ROLE} = 'firm') OR district = (SELECT {DISTRICT} WHERE {ROLE} = 'district')"
    f" OR (SELECT {ROLE} = 'city' OR {ROLE} = 'operator')"
)
EACH = (
    f"(SELECT {ROLE}) IN ('city', 'operator') OR ((SELECT {ROLE}) = 'firm' AND push_line.uscc = (SELECT {FIRM}))"
    f" OR ((SELECT {ROLE}) = 'district' AND push_line.district = (SELECT {DISTRICT}))"
    f" OR ((SELECT {ROLE}) IN ('officer', 'bank_admin') AND push_line.bank_id = (SELECT {BANK}))"
)


def upgrade() -> None:
    op.execute(f"ALTER POLICY web_sees ON push_line USING ({ONCE})")


def downgrade() -> None:
    op.execute(f"ALTER POLICY web_sees ON push_line USING ({EACH})")
