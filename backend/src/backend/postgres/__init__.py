"""PostgreSQL behind `backend.database`: the pool, compiled statements, the check of the role, migrations."""
