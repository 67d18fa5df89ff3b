"""The roles of the service and of workers: made with their passwords, and granted exactly what they need."""

from collections.abc import Collection
from secrets import token_urlsafe
from urllib.parse import unquote, urlsplit, urlunsplit

from sqlalchemy import Connection, text

from backend.config import AuthSource
from backend.migrations import VERSION_TABLE, MigrationError
from backend.postgres.rights import WORKER_GROUP, Rights

# Set on the role, because a pooler such as Neon's drops settings from the connection string.
ROLE_SETTINGS = {
    "statement_timeout": "3s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
    # Like the deadline of a write: a COMMIT that waited in the socket of a frozen server process is refused.
    "transaction_timeout": "3s",
}

# What the service reads of Better Auth's tables, by the source that needs it: no email address, no password and no
# private key. The columns in the second place exist with the admin plugin only.
READS: dict[AuthSource, dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    AuthSource.SESSION: {
        "session": (("id", "token", "userId", "expiresAt"), ()),
        "user": (("id",), ("banned", "banExpires")),
    },
    AuthSource.JWKS_DATABASE: {"jwks": (("id", "publicKey", "alg", "createdAt", "expiresAt"), ())},
}


def make_worker_group(connection: Connection) -> None:
    """The policies name it, so it is made before the revisions run."""
    if not _exists(connection, WORKER_GROUP):
        _execute_formatted(connection, "CREATE ROLE %I NOLOGIN", WORKER_GROUP)


def make_service_role(connection: Connection, role: str, owner_url: str) -> str | None:
    """With a generated password. Gives the URL to serve with, or None if the role exists."""
    _refuse_worker(connection, role)
    if _exists(connection, role):
        # Its password is in use somewhere. Nobody can read it back, and a new one would lock that user out.
        return None
    password = token_urlsafe(24)
    _set_password(connection, "CREATE", role, password)
    parts = urlsplit(owner_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{host}"))


def update_service_role(connection: Connection, service_url: str) -> str:
    role = _update(connection, service_url, setting="DATABASE_URL", user="service")
    _refuse_worker(connection, role)
    return role


def update_worker_role(connection: Connection, worker_url: str, *, service_role: str) -> str:
    role = _update(connection, worker_url, setting="WORKER_DATABASE_URL", user="worker")
    if role == service_role:
        raise MigrationError(
            f"WORKER_DATABASE_URL names the service's role {role}. A worker needs a role of its own: put another "
            "name and a new password into WORKER_DATABASE_URL, and this command creates it."
        )
    _execute_formatted(connection, "GRANT %I TO %I WITH INHERIT TRUE, SET FALSE", WORKER_GROUP, role)
    return role


def grant(connection: Connection, role: str, rights: Rights) -> None:
    """Exactly these rights: no DDL, and no TRUNCATE, to which policies do not apply."""
    for name, value in ROLE_SETTINGS.items():
        set_default(connection, role, name, value)
    schema = connection.scalar(text("SELECT current_schema()"))
    _execute_formatted(connection, "GRANT USAGE ON SCHEMA %I TO %I", str(schema), role)
    _execute_formatted(connection, f"GRANT SELECT ON {VERSION_TABLE} TO %I", role)
    for table, privileges in rights.items():
        _execute_formatted(connection, "REVOKE ALL ON %I FROM %I", table, role)
        if privileges:
            _execute_formatted(connection, f"GRANT {', '.join(privileges)} ON %I TO %I", table, role)


def set_default(connection: Connection, role: str, name: str, value: str) -> None:
    """For the sessions of the role. `name` is one of our own constants."""
    _execute_formatted(connection, f"ALTER ROLE %I SET {name} = %L", role, value)


def grant_reads(connection: Connection, role: str, reads: Collection[AuthSource]) -> None:
    """The columns of Better Auth's tables that the sources need, one by one."""
    wanted: set[tuple[str, str]] = set()
    for source in reads:
        for table, (needed, optional) in READS[source].items():
            columns = _columns(connection, table)
            if missing := set(needed) - columns:
                what = f"column {min(missing)} of the table" if columns else "table"
                raise MigrationError(
                    f'Better Auth\'s {what} "{table}" is missing, and {_cause(source)} needs it. Run '
                    "Better Auth's own migration first (`npx auth@latest migrate`), then this one again."
                )
            wanted |= {(table, column) for column in (*needed, *optional) if column in columns}
    for table, column in sorted(_granted(connection, role) - wanted):
        _execute_formatted(connection, "REVOKE SELECT (%I) ON %I FROM %I", column, table, role)
    for table, column in sorted(wanted):
        _execute_formatted(connection, "GRANT SELECT (%I) ON %I TO %I", column, table, role)


def _update(connection: Connection, url: str, *, setting: str, user: str) -> str:
    """Create the role of a connection string, or give it that password."""
    parts = urlsplit(url)
    role = unquote(parts.username or "")
    if not role:
        raise MigrationError(f"{setting} names no role: write it as postgresql://role:password@host/database.")
    is_above_policies = connection.scalar(
        text("SELECT rolsuper OR rolbypassrls OR rolname = current_user FROM pg_roles WHERE rolname = :role"),
        {"role": role},
    )
    if is_above_policies:
        raise MigrationError(
            f"{setting} names the role {role}, which is the owner's or bypasses row-level security. The {user} "
            f"needs a role of its own: put another name and a new password into {setting}, and this command "
            "creates it."
        )
    verb = "CREATE" if is_above_policies is None else "ALTER"
    _set_password(connection, verb, role, unquote(parts.password or ""))
    return role


def _refuse_worker(connection: Connection, role: str) -> None:
    is_worker = text(
        "SELECT pg_has_role(oid, :group, 'MEMBER') AND NOT rolsuper FROM pg_roles WHERE rolname = :role"
    )
    if connection.scalar(is_worker, {"group": WORKER_GROUP, "role": role}):
        raise MigrationError(
            f"DATABASE_URL names the role {role}, which is a worker's and sees the rows of every user. The "
            "service needs a role of its own: put another name and a new password into DATABASE_URL, and this "
            "command creates it."
        )


def _exists(connection: Connection, role: str) -> bool:
    return connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}) is not None


def _set_password(connection: Connection, verb: str, role: str, password: str) -> None:
    _execute_formatted(connection, f"{verb} ROLE %I LOGIN", role)
    if password:
        _execute_formatted(connection, "ALTER ROLE %I PASSWORD %L", role, password)


def _cause(source: AuthSource) -> str:
    setting = " or JWT_CHECK_SESSION" if source is AuthSource.SESSION else ""
    return f"{source} in AUTH_SOURCES{setting}"


def _columns(connection: Connection, table: str) -> set[str]:
    columns = connection.scalars(
        text(
            "SELECT attname FROM pg_attribute "
            "WHERE attrelid = to_regclass(quote_ident(:table)) AND attnum > 0 AND NOT attisdropped"
        ),
        {"table": table},
    )
    return set(columns)


def _granted(connection: Connection, role: str) -> set[tuple[str, str]]:
    """Columns that the role itself may read, in those tables that the service could be given any of."""
    columns = connection.execute(
        text(
            "SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, "
            "aclexplode(attacl) AS granted JOIN pg_roles ON pg_roles.oid = granted.grantee "
            "WHERE pg_class.oid IN (SELECT to_regclass(quote_ident(name)) "
            "FROM unnest(CAST(:tables AS text[])) AS name) "
            "AND rolname = :role AND privilege_type = 'SELECT'"
        ),
        {"role": role, "tables": [table for tables in READS.values() for table in tables]},
    )
    return {(table, column) for table, column in columns}


def _execute_formatted(connection: Connection, template: str, *names: str) -> None:
    """Run a statement that takes no parameters; the server itself quotes the names and literals."""
    places = ", ".join(f"CAST(:n{number} AS text)" for number in range(len(names)))
    statement = connection.scalar(
        text(f"SELECT format('{template}', {places})"),
        {f"n{number}": name for number, name in enumerate(names)},
    )
    connection.exec_driver_sql(str(statement))
