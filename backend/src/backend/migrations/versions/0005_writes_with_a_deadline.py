"""A write that begins after its deadline fails. Its client may have done something newer since.

`tasks_tenant(text)` stays for processes of the revision before, which may run on until they are replaced.
`postgres/citus.py` replaces the new function.
"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION tasks_too_late() RETURNS text LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the deadline has passed' USING ERRCODE = '57T01';
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION tasks_tenant(tenant text, deadline timestamptz) RETURNS text LANGUAGE sql AS $$
            SELECT CASE WHEN clock_timestamp() < deadline THEN set_config('app.user_id', tenant, true)
                        ELSE tasks_too_late() END
        $$
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION tasks_tenant(text, timestamptz)")
    op.execute("DROP FUNCTION tasks_too_late()")
