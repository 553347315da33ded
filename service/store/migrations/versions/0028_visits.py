"""Visits and the obstacle ledger: a district's team sees and writes its own, the city sees all, nobody else any.

A team also sees who is of the team, so that work can be given to a colleague.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"

ROLE = "current_setting('xindeng.role', true)"
OFFICIALS = f"{ROLE} = 'city' OR ({ROLE} = 'district' AND {{t}}.district = nullif(current_setting('xindeng.district', true), ''))"
TABLES = ("visit_plan", "visit", "visit_version", "visit_draft", "obstacle", "obstacle_note")
APPEND_ONLY = ("visit_version", "obstacle_note")
SEES = {table: OFFICIALS.replace("{t}", table) for table in TABLES}
THE_TEAM = (
    f"({ROLE} = 'district' AND membership.district = nullif(current_setting('xindeng.district', true), ''))"
    f" OR ({ROLE} = 'city' AND membership.role = 'district')"
)
DEPARTMENT_KNOWN = (
    "department IN ("
    "'market_regulator', 'tax', 'human_resources', 'court', 'credit_office', 'penalty_authority', "
    "'district_team', 'lending_bank', 'platform', 'firm', 'land_registry', 'planning', 'ecology', "
    "'industry_office', 'guarantor', 'other')"
)
KIND_KNOWN = (
    "kind IN ("
    "'registration_lapsed', 'trading_too_short', 'not_operating', 'premises_unproven', 'need_unclear', "
    "'dishonesty_listed', 'abnormal_operation', 'enforcement_open', 'penalty_standing', 'tax_arrears', "
    "'insurance_arrears', 'loan_overdue', 'risk_too_high', 'data_lacking', 'consent_lacking', "
    "'no_product', 'mortgage_unreleased', 'title_lacking', 'permit_lacking', 'record_wrong', "
    "'guarantee_lacking', 'accounts_irregular', 'other')"
)


def upgrade() -> None:
    op.create_table(
        "visit_plan",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("area", sa.String(length=80), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("companions", sa.String(length=120), nullable=False),
        sa.Column("chosen", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("form_key", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("form_key"),
    )
    op.create_index("visit_plan_of_district", "visit_plan", ["district", "planned_on"], unique=False)
    op.create_table(
        "visit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=True),
        sa.Column("met", sa.Text(), nullable=True),
        sa.Column("has_need", sa.Boolean(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("obstacles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("promised", sa.String(length=500), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("follow_up_id", sa.BigInteger(), nullable=True),
        sa.Column("recorded_by", sa.Integer(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'planned') = (met IS NULL)", name="visit_met_when_made"),
        sa.CheckConstraint("(state = 'planned') = (visited_on IS NULL)", name="visit_dated_when_made"),
        sa.CheckConstraint("met IN ('owner', 'legal_person', 'finance', 'staff', 'nobody')", name="visit_met_known"),
        sa.CheckConstraint("state IN ('planned', 'made', 'not_met')", name="visit_state_known"),
        sa.CheckConstraint("amount_fen IS NULL OR has_need", name="visit_amount_of_a_need"),
        sa.ForeignKeyConstraint(
            ["follow_up_id"],
            ["follow_up.id"],
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["visit_plan.id"],
        ),
        sa.ForeignKeyConstraint(
            ["uscc"],
            ["firm.uscc"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("plan_id", "uscc", name="visit_once_in_a_plan"),
    )
    op.create_index(op.f("ix_visit_follow_up_id"), "visit", ["follow_up_id"], unique=False)
    op.create_index(op.f("ix_visit_uscc"), "visit", ["uscc"], unique=False)
    op.create_index(
        "visit_of_person", "visit", ["person_id"], unique=False, postgresql_where=sa.text("state = 'planned'")
    )
    op.create_table(
        "obstacle",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("visit_id", sa.BigInteger(), nullable=True),
        sa.Column("owner_person_id", sa.Integer(), nullable=True),
        sa.Column("assigned_by", sa.Integer(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("cleared_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("entered_by", sa.Integer(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(DEPARTMENT_KNOWN, name="obstacle_department_known"),
        sa.CheckConstraint(KIND_KNOWN, name="obstacle_kind_known"),
        sa.ForeignKeyConstraint(
            ["uscc"],
            ["firm.uscc"],
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"],
            ["visit.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_obstacle_visit_id"), "obstacle", ["visit_id"], unique=False)
    op.create_index(
        "obstacle_due",
        "obstacle",
        ["district", "next_on"],
        unique=False,
        postgresql_where=sa.text("cleared_on IS NULL"),
    )
    op.create_index(
        "obstacle_of_person",
        "obstacle",
        ["owner_person_id"],
        unique=False,
        postgresql_where=sa.text("cleared_on IS NULL"),
    )
    op.create_index(
        "obstacle_one_open", "obstacle", ["uscc", "kind"], unique=True, postgresql_where=sa.text("cleared_on IS NULL")
    )
    op.create_table(
        "visit_draft",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("visit_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["visit_id"],
            ["visit.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("visit_id", "person_id", name="visit_draft_once"),
    )
    op.create_index(op.f("ix_visit_draft_updated_at"), "visit_draft", ["updated_at"], unique=False)
    op.create_table(
        "visit_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("visit_id", sa.BigInteger(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("said", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["visit_id"],
            ["visit.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("visit_id", "version", name="visit_version_once"),
    )
    op.create_table(
        "obstacle_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("obstacle_id", sa.BigInteger(), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=False),
        sa.Column("written_by", sa.Integer(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["obstacle_id"],
            ["obstacle.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_obstacle_note_obstacle_id"), "obstacle_note", ["obstacle_id"], unique=False)
    op.add_column("follow_up", sa.Column("assigned_by", sa.Integer(), nullable=True))
    op.add_column("follow_up", sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("follow_up", sa.Column("department", sa.Text(), nullable=True))
    op.add_column("follow_up", sa.Column("promised_on", sa.Date(), nullable=True))
    op.create_index(
        "follow_up_of_person",
        "follow_up",
        ["owner_person_id"],
        unique=False,
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.create_check_constraint("follow_up_department_known", "follow_up", DEPARTMENT_KNOWN)
    for table, rule in SEES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({rule})")
        op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK ({rule})")
        op.execute(f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING ({rule}) WITH CHECK ({rule})")
        op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING ({rule})")
        changes = "" if table in APPEND_ONLY else ", UPDATE"
        op.execute(f"GRANT SELECT, INSERT{changes} ON {table} TO xindeng_web, xindeng_cycle")
        op.execute(f"GRANT USAGE ON SEQUENCE {table}_id_seq TO xindeng_web, xindeng_cycle")
    op.execute("GRANT DELETE ON visit_draft TO xindeng_web, xindeng_cycle")
    op.execute(f"CREATE POLICY team_sees ON membership FOR SELECT TO xindeng_web USING ({THE_TEAM})")


def downgrade() -> None:
    op.execute("DROP POLICY team_sees ON membership")
    for table in ("obstacle_note", "obstacle", "visit_draft", "visit_version", "visit", "visit_plan"):
        op.drop_table(table)
    op.drop_constraint("follow_up_department_known", "follow_up")
    op.drop_index("follow_up_of_person", table_name="follow_up")
    for column in ("assigned_by", "assigned_at", "department", "promised_on"):
        op.drop_column("follow_up", column)
