"""PostgreSQL with a million tasks. Loaded databases are kept, so only the first run is slow."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import asyncpg

from backend.commands import development, embedded
from backend.config import Settings
from backend.postgres.migrate import SERVICE_ROLE, migrate

if TYPE_CHECKING:
    type Connection = asyncpg.Connection[asyncpg.Record]

TASKS_PER_USER = 100
PEER_ROLE = "benchmark_peer"
MARK = "benchmark"
"""The category of the tasks that a run creates, and by which it deletes them afterwards."""

# One user has exactly this many tasks, beside the many users who have about a hundred.
SIZES = (100, 1_000, 10_000, 100_000)

# The same for all servers. The disk is not measured: everything fits into memory, and no commit waits for the WAL.
# Autovacuum is set because an earlier version of the benchmark turned it off in data that is still used.
SERVER_SETTINGS = {
    "shared_buffers": "3GB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "synchronous_commit": "off",
    "autovacuum": "on",
    "max_connections": "200",
    "timezone": "UTC",
}

# Inserted in order of time, as an application would, so that a user's rows are spread over the whole table.
# Some users have about ten times as many tasks as others.
LOAD = """
    INSERT INTO tasks (
        "userId", id, title, description, status, "completedAt", priority, category, "dueDate", "dueAllDay",
        version, "createdAt", "updatedAt"
    )
    SELECT COALESCE($2, {user}), uuidv7(made - now()),
           initcap(words[1 + floor(r[2] * 32)::int]) || ' ' || words[1 + floor(r[3] * 32)::int] || ' ' ||
               words[1 + floor(r[4] * 32)::int],
           CASE WHEN r[5] < 0.5 THEN
               (SELECT string_agg(words[1 + (n * word) % 32], ' ')
                  FROM generate_series(3, 3 + (r[6] * 40)::int) AS word)
           END,
           CASE WHEN done THEN 'completed' ELSE 'pending' END::task_status,
           CASE WHEN done THEN made + interval '3 days' * r[6] END,
           CASE WHEN r[7] < 0.25 THEN 'low' WHEN r[7] < 0.75 THEN 'medium' ELSE 'high' END::task_priority,
           (ARRAY['other', 'work', 'home', 'errands', 'health', 'reisen in die südtürkei'])
               [1 + floor(r[8] * r[8] * 6)::int],
           CASE WHEN r[9] < 0.2 THEN date_trunc('day', made) + interval '9 days'
                WHEN r[9] < 0.4 THEN made + interval '4 days' END,
           r[9] < 0.2, CASE WHEN done THEN 2 ELSE 1 END, made,
           CASE WHEN done THEN made + interval '3 days' * r[6] ELSE made END
      FROM (
        SELECT n, r, now() - interval '700 days' * (1 - n::float / $1) AS made, r[10] < 0.6 AS done,
               string_to_array(
                   'water the plants call pay rent buy bread write report book flight clean kitchen fix bike '
                   'read chapter send letter meet anna plan party train repair lamp wash car order books cancel',
                   ' ') AS words
          FROM (
            SELECT n, ARRAY[random(), random(), random(), random(), random(), random(), random(), random(),
                            random(), random()] AS r
              FROM generate_series(1, $1) AS n OFFSET 0
          ) AS dice OFFSET 0
      ) AS drawn
"""


def user_id(number: int) -> str:
    """A user id as long as those of Better Auth."""
    return f"user{number:028}"


def user_with(tasks: int) -> str:
    """The id of the user with exactly this many tasks, one of SIZES."""
    return f"tasks{tasks:027}"


class Server(NamedTuple):
    """A running PostgreSQL."""

    socket_directory: Path

    def url(self, role: str, database: str) -> str:
        return development.database_url(role, self.socket_directory, database)


class Loaded(NamedTuple):
    """A database with tasks in it."""

    server: Server
    name: str
    users: int

    @property
    def owner_url(self) -> str:
        return self.server.url(embedded.SUPERUSER, self.name)

    @property
    def service_url(self) -> str:
        """With the role that row-level security binds."""
        return self.server.url(SERVICE_ROLE, self.name)

    @property
    def peer_url(self) -> str:
        """With a role that row-level security does not bind."""
        return self.server.url(PEER_ROLE, self.name)


@contextmanager
def postgres(data: Path) -> Iterator[Server]:
    """PostgreSQL with the settings of the benchmark. Raises Refusal."""
    with development.locked(data):
        with embedded.postgres(data) as socket_directory:
            asyncio.run(_configure(Server(socket_directory)))
        with embedded.postgres(data) as socket_directory:
            yield Server(socket_directory)


async def _configure(server: Server) -> None:
    await development.prepare(server.socket_directory, development.DATABASE)
    owner = await asyncpg.connect(server.url(embedded.SUPERUSER, "postgres"))
    for name, value in SERVER_SETTINGS.items():
        await owner.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    if not await owner.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", PEER_ROLE):
        await owner.execute(f"CREATE ROLE {PEER_ROLE} LOGIN BYPASSRLS")
    await owner.close()


async def load(server: Server, tasks: int) -> Loaded:
    """A database with this many tasks and the users of SIZES that fit; loaded now unless an earlier run did it."""
    loaded = Loaded(server, f"tasks_{tasks}", max(1, tasks // TASKS_PER_USER))
    postgres = await asyncpg.connect(server.url(embedded.SUPERUSER, "postgres"))
    if not await postgres.fetchval("SELECT true FROM pg_database WHERE datname = $1", loaded.name):
        print(f"Loading {tasks:,} tasks ...", flush=True)
        await postgres.execute("DROP DATABASE IF EXISTS loading WITH (FORCE)")
        await postgres.execute(f"CREATE DATABASE loading TEMPLATE {development.DATABASE}")
        owner = await asyncpg.connect(server.url(embedded.SUPERUSER, "loading"))
        await _fill(owner, tasks, loaded.users)
        await owner.close()
        # Renamed only now, so that a database with this name is complete.
        await postgres.execute(f"ALTER DATABASE loading RENAME TO {loaded.name}")
    await postgres.close()
    await migrate(owner_url=loaded.owner_url, service_url=None)  # an earlier release may have loaded it
    return loaded


async def _fill(owner: "Connection", tasks: int, users: int) -> None:
    await owner.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO {PEER_ROLE}")
    # Skip the foreign key check of each row, and build the indexes at the end.
    await owner.execute("SET session_replication_role = replica; SELECT setseed(0.5)")
    everybody = [user_id(number) for number in range(users)] + [user_with(size) for size in SIZES]
    await owner.execute(
        """
        INSERT INTO "user" (id, name, email, "emailVerified")
        SELECT id, id, id || '@example.com', true FROM unnest($1::text[]) AS id
        """,
        everybody,
    )
    indexes = await owner.fetch("SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'ix_tasks_%'")
    for name, _ in indexes:
        await owner.execute(f'DROP INDEX "{name}"')
    insert = LOAD.format(user=f"'user' || lpad(floor({users} * r[1] ^ 1.3)::text, 28, '0')")
    await owner.execute(insert, tasks, None)
    for size in SIZES:
        if size <= tasks:
            await owner.execute(insert, size, user_with(size))
    for _, definition in indexes:
        await owner.execute(definition)
    await owner.execute('VACUUM (ANALYZE) tasks, "user"')


async def add_long_tasks(loaded: Loaded, tasks: int) -> str:
    """The id of a user with this many tasks of ten thousand characters."""
    user = user_with(0)
    owner = await asyncpg.connect(loaded.owner_url)
    await owner.execute(
        'INSERT INTO "user" (id, name, email, "emailVerified") VALUES ($1, $1, $1, true) ON CONFLICT DO NOTHING',
        user,
    )
    if not await owner.fetchval('SELECT true FROM tasks WHERE "userId" = $1 LIMIT 1', user):
        await owner.execute(
            """
            INSERT INTO tasks ("userId", id, title, description, "createdAt", "updatedAt")
            SELECT $1, uuidv7(), 'Long',
                   (SELECT string_agg(md5(concat(n, part)), ' ') FROM generate_series(1, 300) AS part),
                   now(), now()
              FROM generate_series(1, $2) AS n
            """,
            user,
            tasks,
        )
        await owner.execute("VACUUM (ANALYZE) tasks")
    await owner.close()
    return user


async def tidy(loaded: Loaded) -> None:
    """Delete what a measurement created, vacuum, analyze and make a checkpoint: each one finds the same state.

    Without it, a server would pay for the dead rows and the dirty pages of the one measured before.
    """
    owner = await asyncpg.connect(loaded.owner_url)
    await owner.execute("DELETE FROM tasks WHERE category = $1", MARK)
    # The foreign key locks rows of "user", which dirties its pages too.
    await owner.execute('VACUUM (ANALYZE) tasks, "user"')
    await owner.execute("CHECKPOINT")
    await owner.close()


async def task_ids(loaded: Loaded, users: list[str], each: int) -> dict[str, list[str]]:
    """The ids of up to `each` tasks of each of these users."""
    owner = await asyncpg.connect(loaded.owner_url)
    rows = await owner.fetch(
        """
        SELECT "userId", id::text FROM unnest($1::text[]) AS users (name) CROSS JOIN LATERAL (
            SELECT "userId", id FROM tasks WHERE "userId" = users.name ORDER BY id LIMIT $2
        ) AS first
        """,
        users,
        each,
    )
    await owner.close()
    found: dict[str, list[str]] = {user: [] for user in users}
    for user, task in rows:
        found[user].append(task)
    return found


def settings(loaded: Loaded) -> Settings:
    """The settings of our server. Its peers share the secret and the issuer."""
    return Settings.model_validate(
        {
            "database_url": loaded.service_url,
            "better_auth_secret": "hJ7qQ2vX9pLw4Zt8Rk3Nf6Ym1Bc5Gd0S",
            "better_auth_url": "http://localhost:3000",
            "max_tasks_per_user": 1_000_000,
        }
    )
