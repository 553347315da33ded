"""What went wrong in each try of a job; the operator reads it, the platform writes it, it goes with its job."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"

OPERATOR = "current_setting('xindeng.role', true) = 'operator'"
SEES = {"job_fault": OPERATOR}


def upgrade() -> None:
    op.create_table(
        "job_fault",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(length=400), nullable=False),
        sa.Column("places", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_job_fault_job_id", "job_fault", ["job_id"], unique=False)
    op.execute("ALTER TABLE job_fault ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE job_fault FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY cycle ON job_fault TO xindeng_cycle USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY web_sees ON job_fault FOR SELECT TO xindeng_web USING ({OPERATOR})")
    op.execute("CREATE POLICY web_adds ON job_fault FOR INSERT TO xindeng_web WITH CHECK (false)")
    op.execute("CREATE POLICY web_changes ON job_fault FOR UPDATE TO xindeng_web USING (false) WITH CHECK (false)")
    op.execute("CREATE POLICY web_removes ON job_fault FOR DELETE TO xindeng_web USING (false)")
    op.execute("GRANT SELECT ON job_fault TO xindeng_web")
    op.execute("GRANT SELECT, INSERT, DELETE ON job_fault TO xindeng_cycle")
    op.execute("GRANT USAGE ON SEQUENCE job_fault_id_seq TO xindeng_cycle")


def downgrade() -> None:
    op.drop_table("job_fault")
