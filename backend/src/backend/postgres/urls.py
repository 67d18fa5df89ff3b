"""Connection strings in the forms that Neon, Better Auth and libpq take."""

import ssl
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def connect_arguments(url: str) -> dict[str, Any]:  # as asyncpg.connect takes them
    """The arguments of `asyncpg.connect` for a connection string."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    arguments: dict[str, Any] = {}
    channel_binding = query.pop("channel_binding", "")
    ssl_mode = query.get("sslmode", "")
    if (channel_binding == "require" and ssl_mode != "disable") or query.get("sslrootcert") == "system":
        # asyncpg has no channel binding. Checking the certificate against the system's authorities keeps out a
        # server in the middle just as well.
        for name in ("sslmode", "sslrootcert"):
            query.pop(name, None)
        arguments["ssl"] = ssl.create_default_context()
    if query.pop("pgbouncer", "") == "true" or "-pooler." in (parts.hostname or ""):
        # A pooler in transaction mode may run each transaction on another server connection, which does not know
        # the statements prepared on the previous one.
        arguments["statement_cache_size"] = 0
    # asyncpg sends every parameter that it does not know to the server as a setting; these concern libpq alone.
    of_libpq = ("connect_timeout", "keepalives", "gss", "tcp_user", "load_balance")
    for name in [name for name in query if name.startswith(of_libpq)]:
        del query[name]
    arguments["dsn"] = urlunsplit(parts._replace(scheme="postgresql", query=urlencode(query)))
    return arguments
