"""Models and who put them into use, and what shadows estimated beside the model in use.

Only those who look after the platform see these rows; a proposal's text, person and date cannot be changed afterwards.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

OPERATOR = "current_setting('xindeng.role', true) = 'operator'"
SEES = {"model": OPERATOR, "promotion": OPERATOR, "shadow_estimate": OPERATOR}
TABLES = ("model", "promotion", "shadow_estimate")
ALREADY_IN_USE = """
    INSERT INTO model (version, kind, state, kept_at, summary, used_from)
    SELECT model_version, 'unknown', 'in_use', now(), '{}', now() FROM platform_state WHERE model_version IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "model",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("trained_as_of", sa.Date(), nullable=True),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trained_by", sa.BigInteger(), nullable=True),
        sa.Column("summary", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("shadow_from", sa.Date(), nullable=True),
        sa.Column("scored_to", sa.Date(), nullable=True),
        sa.Column("used_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'shadow') = (shadow_from IS NOT NULL)", name="model_shadow_has_a_first_day"),
        sa.CheckConstraint("state IN ('candidate', 'shadow', 'in_use', 'retired')", name="model_state_known"),
        sa.ForeignKeyConstraint(["trained_by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("version"),
    )
    op.create_index("model_one_in_use", "model", ["state"], unique=True, postgresql_where=sa.text("state = 'in_use'"))
    op.create_table(
        "promotion",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("model_id", sa.BigInteger(), nullable=False),
        sa.Column("replaces", sa.String(length=64), nullable=True),
        sa.Column("sentence", sa.String(length=500), nullable=False),
        sa.Column("proposed_by", sa.BigInteger(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("confirmed_by", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'confirmed') = (confirmed_by IS NOT NULL)", name="promotion_confirmed_by_someone"),
        sa.CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="promotion_ends_once"),
        sa.CheckConstraint("confirmed_by <> proposed_by", name="promotion_by_two_persons"),
        sa.CheckConstraint("state IN ('waiting', 'confirmed', 'withdrawn', 'expired')", name="promotion_state_known"),
        sa.ForeignKeyConstraint(["confirmed_by"], ["person.id"]),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"]),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"]),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_promotion_model_id"), "promotion", ["model_id"], unique=False)
    op.create_index(
        "promotion_one_waiting", "promotion", ["state"], unique=True, postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "shadow_estimate",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("model_id", sa.BigInteger(), nullable=False),
        sa.Column("estimate_id", sa.BigInteger(), nullable=False),
        sa.Column("demand_id", sa.BigInteger(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("district", sa.String(length=6), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("grade", sa.String(length=8), nullable=False),
        sa.Column("missing_inputs", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["demand_id"], ["demand.id"]),
        sa.ForeignKeyConstraint(["estimate_id"], ["estimate.id"]),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("model_id", "estimate_id", name="shadow_estimate_once"),
    )
    op.create_index("shadow_estimate_of_demand", "shadow_estimate", ["model_id", "demand_id"], unique=False)
    op.create_index("estimate_by_day", "estimate", ["as_of"], unique=False, postgresql_using="brin")
    op.execute(ALREADY_IN_USE)
    for table in TABLES:
        _close(table)
    op.execute("GRANT SELECT, INSERT, UPDATE ON model TO xindeng_web")
    op.execute("GRANT SELECT, INSERT, UPDATE (state, confirmed_by, withdrawn_by, ended_at) ON promotion TO xindeng_web")
    op.execute("GRANT SELECT ON shadow_estimate TO xindeng_web")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON model, shadow_estimate TO xindeng_cycle")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE (state, confirmed_by, withdrawn_by, ended_at) ON promotion TO xindeng_cycle"
    )
    op.execute("GRANT USAGE ON SEQUENCE model_id_seq, promotion_id_seq, shadow_estimate_id_seq TO xindeng_web")
    op.execute("GRANT USAGE ON SEQUENCE model_id_seq, promotion_id_seq, shadow_estimate_id_seq TO xindeng_cycle")


def _close(table: str) -> None:
    rule = SEES[table]
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY cycle ON {table} TO xindeng_cycle USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY web_sees ON {table} FOR SELECT TO xindeng_web USING ({rule})")
    op.execute(f"CREATE POLICY web_adds ON {table} FOR INSERT TO xindeng_web WITH CHECK ({rule})")
    op.execute(f"CREATE POLICY web_changes ON {table} FOR UPDATE TO xindeng_web USING ({rule}) WITH CHECK ({rule})")
    op.execute(f"CREATE POLICY web_removes ON {table} FOR DELETE TO xindeng_web USING ({rule})")


def downgrade() -> None:
    op.drop_index("estimate_by_day", table_name="estimate")
    for table in reversed(TABLES):
        op.drop_table(table)
