"""The job queue's tables and functions, as the pinned procrastinate ships them.

A newer procrastinate brings its own migration files: each becomes a revision here before the pin moves.
"""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(SchemaManager.get_schema())


def downgrade() -> None:
    op.execute("""
        DO $$
        DECLARE thing record;
        BEGIN
            DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs,
                procrastinate_workers CASCADE;
            FOR thing IN
                SELECT oid::regprocedure AS name FROM pg_proc
                WHERE proname LIKE 'procrastinate%' AND pronamespace = 'public'::regnamespace
            LOOP EXECUTE format('DROP FUNCTION %s CASCADE', thing.name); END LOOP;
            FOR thing IN
                SELECT typname AS name FROM pg_type
                WHERE typname LIKE 'procrastinate%' AND typnamespace = 'public'::regnamespace AND typtype IN ('e', 'c')
            LOOP EXECUTE format('DROP TYPE %I CASCADE', thing.name); END LOOP;
        END $$
    """)
