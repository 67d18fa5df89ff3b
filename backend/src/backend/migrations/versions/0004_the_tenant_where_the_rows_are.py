"""What a distributed PostgreSQL needs: a policy without a subquery, and a function that sets the tenant.

`SET LOCAL` reaches the server that has the rows, where `set_config` would stay on the one that was asked.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

TENANT = "nullif(current_setting('app.user_id', true), '')"


def upgrade() -> None:
    op.execute(f"""ALTER POLICY tenant ON tasks USING ("userId" = {TENANT}) WITH CHECK ("userId" = {TENANT})""")
    op.execute(
        """
        CREATE FUNCTION tasks_tenant(tenant text) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN
            EXECUTE format('SET LOCAL app.user_id = %L', tenant);
            RETURN tenant;
        END $$
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION tasks_tenant")
    op.execute(
        f"""
        ALTER POLICY tenant ON tasks USING ("userId" = (SELECT {TENANT})) WITH CHECK ("userId" = (SELECT {TENANT}))
        """
    )
