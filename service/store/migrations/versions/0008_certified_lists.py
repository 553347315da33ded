"""No list without a valid certificate of its own day; what a morning learned of the banks apart from the bulky inputs.

And lines by the day they ended, for the room they gave back.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_unique_constraint("certificate_of_a_day", "certificate", ["id", "on", "is_valid"])
    op.create_check_constraint(
        "certificate_valid_without_breach", "certificate", "NOT is_valid OR coalesce(body -> 'breaches', '[]') = '[]'"
    )
    op.add_column(
        "push_list", sa.Column("is_certified", sa.Boolean(), sa.Computed("true", persisted=True), nullable=False)
    )
    op.create_foreign_key(
        "push_list_is_certified",
        "push_list",
        "certificate",
        ["certificate_id", "on", "is_certified"],
        ["id", "on", "is_valid"],
    )
    op.add_column("certificate", sa.Column("appetite", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.execute("UPDATE certificate SET appetite = inputs -> 'appetite', inputs = inputs - 'appetite'")
    op.create_index(
        "push_line_ended", "push_line", ["closed_on"], postgresql_where=sa.text("closed_on IS NOT NULL"), unique=False
    )


def downgrade() -> None:
    op.drop_index("push_line_ended", table_name="push_line")
    op.execute(
        "UPDATE certificate SET inputs = inputs || jsonb_build_object('appetite', appetite) WHERE appetite IS NOT NULL"
    )
    op.drop_column("certificate", "appetite")
    op.drop_constraint("push_list_is_certified", "push_list", type_="foreignkey")
    op.drop_column("push_list", "is_certified")
    op.drop_constraint("certificate_valid_without_breach", "certificate", type_="check")
    op.drop_constraint("certificate_of_a_day", "certificate", type_="unique")
