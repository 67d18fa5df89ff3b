"""What a distributed PostgreSQL needs: a policy without a subquery, and a function that sets the tenant.

`postgres/citus.py` replaces the function with one that sets it on the server that has the rows.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

TENANT = "nullif(current_setting('app.user_id', true), '')"


def upgrade() -> None:
    op.execute(f"""ALTER POLICY tenant ON tasks USING ("userId" = {TENANT}) WITH CHECK ("userId" = {TENANT})""")
    op.execute(
        """
        CREATE FUNCTION tasks_tenant(tenant text) RETURNS text LANGUAGE sql
        AS $$ SELECT set_config('app.user_id', tenant, true) $$
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION tasks_tenant")
    op.execute(
        f"""
        ALTER POLICY tenant ON tasks USING ("userId" = (SELECT {TENANT})) WITH CHECK ("userId" = (SELECT {TENANT}))
        """
    )
