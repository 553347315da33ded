"""The words of consents, each kept once under its own hash; read by whoever sees a consent given to them."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

SEES = {"consent_text": "EXISTS (SELECT 1 FROM consent c WHERE c.text_hash = consent_text.hash)"}
THE_FIRM = "current_setting('xindeng.role', true) = 'firm'"


def upgrade() -> None:
    op.create_table(
        "consent_text",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("hash = encode(sha256(convert_to(words, 'UTF8')), 'hex')", name="consent_text_is_its_hash"),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("consent_by_text", "consent", ["text_hash"], unique=False)
    op.execute("ALTER TABLE consent_text ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE consent_text FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY cycle ON consent_text TO xindeng_cycle USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY web_sees ON consent_text FOR SELECT TO xindeng_web USING ({SEES['consent_text']})")
    op.execute(f"CREATE POLICY web_adds ON consent_text FOR INSERT TO xindeng_web WITH CHECK ({THE_FIRM})")
    op.execute("CREATE POLICY web_changes ON consent_text FOR UPDATE TO xindeng_web USING (false) WITH CHECK (false)")
    op.execute("CREATE POLICY web_removes ON consent_text FOR DELETE TO xindeng_web USING (false)")
    op.execute("GRANT SELECT, INSERT ON consent_text TO xindeng_web, xindeng_cycle")


def downgrade() -> None:
    op.drop_index("consent_by_text", table_name="consent")
    op.drop_table("consent_text")
