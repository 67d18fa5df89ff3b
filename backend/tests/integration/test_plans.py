"""PostgreSQL finds a tenant's rows by an index, and does not sort what the index has in order."""

# ruff: noqa: SLF001 - the statements as they are compiled, not what they give, are looked at here

import functools
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import combinations, product
from pathlib import Path

import pytest

from backend.auth.sessions import BY_ID, BY_TOKEN
from backend.commands import development
from backend.postgres.migrate import SERVICE_ROLE
from backend.postgres.statements import Statement
from backend.schemas.tasks import SortBy, SortOrder, TaskPatch
from backend.services import stats, tasks_sql
from databases import connected, scratch
from statements import AFTER, NOON, VALUES, every_service
from support import Connection, Json

USER = "user7"

# 200 users with 100 tasks each, in no order that would help.
SEED = """
    INSERT INTO "user" (id, name, email, "emailVerified")
    SELECT 'user' || n, 'x', n || '@example.com', true FROM generate_series(0, 199) AS n;

    INSERT INTO tasks (
        "userId", id, title, status, "completedAt", priority, category, "dueDate", "createdAt", "updatedAt"
    )
    SELECT 'user' || n % 200, md5(n::text)::uuid, md5(n::text),
           (ARRAY['pending', 'completed'])[1 + n / 200 % 2]::task_status,
           CASE n / 200 % 2 WHEN 1 THEN now() END,
           (ARRAY['low', 'medium', 'high'])[1 + n / 200 % 3]::task_priority,
           (ARRAY['home', 'work', 'other'])[1 + n / 200 % 3],
           CASE n / 200 % 4 WHEN 0 THEN '2026-01-05T12:00Z'::timestamptz + (n - 10000) * interval '1 hour' END,
           '2026-01-05T12:00Z'::timestamptz + (n - 10000) * interval '1 minute',
           '2026-01-05T12:00Z'::timestamptz + (n - 10000) * interval '1 minute'
      FROM generate_series(0, 19999) AS n;

    INSERT INTO idempotency_keys ("userId", key, fingerprint, answer, version, "createdAt")
    SELECT 'user' || n % 200, md5(n::text), sha256(n::text::bytea), '{}', 1, now() - n / 200 * interval '1 hour'
      FROM generate_series(0, 19999) AS n;
"""

# In one round trip, because there are thousands of statements to explain.
PLAN_OF = f"""
    CREATE FUNCTION plan_of(statement text, arguments text, mode text, options text) RETURNS json
    LANGUAGE plpgsql AS $$
    DECLARE
        plan json;
    BEGIN
        PERFORM set_config('app.user_id', '{USER}', true), set_config('plan_cache_mode', mode, true);
        EXECUTE 'PREPARE probe AS ' || statement;
        BEGIN
            EXECUTE format('EXPLAIN (%s) EXECUTE probe(%s)', options, arguments) INTO plan;
        EXCEPTION WHEN OTHERS THEN
            DEALLOCATE probe;  -- it would be in the way of the next one
            RAISE;
        END;
        DEALLOCATE probe;
        RETURN plan;
    END $$
"""

SEED_SESSIONS = """
    INSERT INTO "user" (id, name, email, "emailVerified")
    SELECT 'user' || n, 'x', n || '@example.com', true FROM generate_series(1, 2000) AS n;

    INSERT INTO "session" (id, "userId", token, "expiresAt", "createdAt", "updatedAt")
    SELECT 'session' || n, 'user' || n, 'session' || n, now() + interval '1 day', now(), now()
      FROM generate_series(1, 2000) AS n;

    ANALYZE "user", "session";
"""

INDEXES = {
    (SortBy.CREATED_AT, SortOrder.ASCENDING): "ix_tasks_createdAt",
    (SortBy.CREATED_AT, SortOrder.DESCENDING): "ix_tasks_createdAt",
    (SortBy.UPDATED_AT, SortOrder.ASCENDING): "ix_tasks_updatedAt",
    (SortBy.UPDATED_AT, SortOrder.DESCENDING): "ix_tasks_updatedAt",
    (SortBy.DUE_DATE, SortOrder.ASCENDING): "ix_tasks_due_ascending",
    (SortBy.DUE_DATE, SortOrder.DESCENDING): "ix_tasks_due_descending",
    (SortBy.PRIORITY, SortOrder.ASCENDING): "ix_tasks_priority",
    (SortBy.PRIORITY, SortOrder.DESCENDING): "ix_tasks_priority",
    (SortBy.TITLE, SortOrder.ASCENDING): "ix_tasks_title",
    (SortBy.TITLE, SortOrder.DESCENDING): "ix_tasks_title",
}
FILTERS = ["pending", "completed", "priority", "category", "due_after", "due_before"]

# A plan for the values at hand, and the one for any values that a prepared statement gets after some uses.
modes = pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
orders = pytest.mark.parametrize(("sort_by", "sort_order"), INDEXES)


@pytest.fixture(scope="module")
async def service(server: Connection, socket_directory: Path) -> AsyncIterator[Connection]:
    """The service's role in a database with many users."""
    async with scratch(server) as name:
        async with connected(development.database_url("postgres", socket_directory, name)) as owner:
            await owner.execute(SEED)
            await owner.execute(PLAN_OF)
            await owner.execute("VACUUM ANALYZE tasks, idempotency_keys")  # as it does by itself after a while
        async with connected(development.database_url(SERVICE_ROLE, socket_directory, name)) as service:
            yield service


async def explain(
    service: Connection, statement: Statement, mode: str, *, options: str = "FORMAT JSON", **values: object
) -> list[Json]:
    """All nodes of the plan."""
    literals = [
        "NULL" if value is None else "'{}'".format(_text(value).replace("'", "''"))
        for value in statement.arguments({**VALUES, "tenant": USER, "versions": "{1,2}", **values})
    ]
    plan = await service.fetchval(
        "SELECT plan_of($1, $2, $3, $4)", statement.sql, ", ".join(literals), mode, options
    )
    return list(_nodes(json.loads(plan)[0]["Plan"]))


def _text(value: object) -> str:
    return rf"\x{value.hex()}" if isinstance(value, bytes) else str(value)


def _nodes(node: Json) -> Iterator[Json]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def scan_of(nodes: list[Json]) -> Json:
    """The one node that looks for tasks, which is by an index and by the tenant."""
    (scan,) = (node for node in nodes if "Index Name" in node)
    assert "Seq Scan" not in {node["Node Type"] for node in nodes}
    assert '("userId" = ' in scan["Index Cond"]
    return scan


def is_sorted(nodes: list[Json]) -> bool:
    return any("Sort" in node["Node Type"] for node in nodes)


@modes
@orders
async def test_a_first_page_is_read_off_the_index_of_its_order(
    service: Connection, sort_by: SortBy, sort_order: SortOrder, mode: str
) -> None:
    statement = tasks_sql.find(frozenset(), 0, sort_by, sort_order, paged=False)

    nodes = await explain(service, statement, mode)

    assert scan_of(nodes)["Index Name"].strip('"') == INDEXES[sort_by, sort_order]
    assert not is_sorted(nodes)


@modes
@orders
async def test_a_next_page_starts_where_the_last_one_ended(
    service: Connection, sort_by: SortBy, sort_order: SortOrder, mode: str
) -> None:
    """Not so by title and priority: PostgreSQL holds their comparisons for leaky, and lets the policy go first."""
    statement = tasks_sql.find(frozenset(), 0, sort_by, sort_order, paged=True)

    nodes = await explain(service, statement, mode, after=AFTER.get(sort_by, NOON))

    scan = scan_of(nodes)
    if sort_by not in {SortBy.TITLE, SortBy.PRIORITY}:
        assert scan["Index Name"].strip('"') == INDEXES[sort_by, sort_order]
        assert "ROW(" in scan["Index Cond"]
        # Where the planner knows that little is left, it may well sort that.
        assert mode == "force_custom_plan" or not is_sorted(nodes)


@modes
@pytest.mark.parametrize("sort_order", SortOrder)
async def test_a_page_after_the_last_due_date_starts_there_too(
    service: Connection, sort_order: SortOrder, mode: str
) -> None:
    statement = tasks_sql.find(frozenset(), 0, SortBy.DUE_DATE, sort_order, paged=True)

    nodes = await explain(service, statement, mode, after=None)

    assert "ROW(" in scan_of(nodes)["Index Cond"]


@modes
@pytest.mark.parametrize("sort_order", SortOrder)
@pytest.mark.parametrize("paged", [False, True])
async def test_pending_tasks_have_an_index_of_their_own(
    service: Connection, sort_order: SortOrder, paged: bool, mode: str
) -> None:
    """However many tasks somebody has completed, the list of what is left to do stays quick."""
    statement = tasks_sql.find(frozenset({"pending"}), 0, SortBy.CREATED_AT, sort_order, paged=paged)

    nodes = await explain(service, statement, mode, after=NOON)

    assert scan_of(nodes)["Index Name"] == "ix_tasks_pending"
    assert paged or not is_sorted(nodes)


CHANGES = {
    "toggle": tasks_sql.TOGGLE,
    "toggle if": tasks_sql.TOGGLE_IF,
    "remove": tasks_sql.REMOVE,
    "remove if": tasks_sql.REMOVE_IF,
    "change": tasks_sql.change(frozenset({"title", "status", "due_date", "due_all_day"}), conditional=False),
    "change if": tasks_sql.change(frozenset({"title"}), conditional=True),
}

ONE_TASK = {"get": tasks_sql.GET, **CHANGES}


@modes
@pytest.mark.parametrize("statement", ONE_TASK.values(), ids=ONE_TASK)
async def test_one_task_is_found_by_its_key(service: Connection, statement: Statement, mode: str) -> None:
    nodes = await explain(service, statement, mode)

    scan = scan_of(nodes)
    assert scan["Index Name"] == "pk_tasks"
    assert "(id = " in scan["Index Cond"]


ALL_OF_A_TENANT = {
    "create": tasks_sql.CREATE,
    "search": tasks_sql.find(frozenset(), 1, SortBy.CREATED_AT, SortOrder.DESCENDING, paged=False),
    **{
        name: tasks_sql.find(frozenset({name}), 0, SortBy.CREATED_AT, SortOrder.DESCENDING, paged=False)
        for name in FILTERS
    },
}


@modes
@pytest.mark.parametrize("statement", ALL_OF_A_TENANT.values(), ids=ALL_OF_A_TENANT)
async def test_counting_and_filtering_look_at_the_tenants_own_tasks(
    service: Connection, statement: Statement, mode: str
) -> None:
    scan_of(await explain(service, statement, mode))


@modes
async def test_tasks_are_counted_without_a_look_at_their_rows(service: Connection, mode: str) -> None:
    nodes = await explain(service, stats._COUNT, mode)

    scans = [node for node in nodes if "Index Name" in node]
    assert {scan["Node Type"] for scan in scans} == {"Index Only Scan"}
    assert len(scans) == 2
    assert "ix_tasks_pending" in {scan["Index Name"] for scan in scans}


READS = {name: ALL_OF_A_TENANT[name] for name in ("search", *FILTERS)} | {
    "stats": stats._COUNT,
    "get": tasks_sql.GET,
}


@modes
@pytest.mark.parametrize("statement", READS.values(), ids=READS)
async def test_a_read_sets_the_tenant_before_it_looks(
    service: Connection, statement: Statement, mode: str
) -> None:
    """The other way round the policy would still hold for nobody, and show nothing."""
    nodes = await explain(service, statement, mode)

    first, then = nodes[0]["Plans"]
    assert nodes[0]["Node Type"] == "Nested Loop"
    assert not any("Index Name" in node for node in _nodes(first))
    assert any("Index Name" in node for node in _nodes(then))


WRITES = {**CHANGES, "create": tasks_sql.CREATE, "create keyed": tasks_sql.CREATE_KEYED}


@modes
@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES)
async def test_a_write_sets_the_tenant_before_anything_else(
    service: Connection, statement: Statement, mode: str
) -> None:
    """The policy reads the setting, and so does a count; too early they would find nothing."""
    nodes = await explain(service, statement, mode, options="VERBOSE, FORMAT JSON")

    settings = [node["Subplan Name"] for node in nodes if "set_config" in node.get("Output", [""])[0]]
    gates = [node["One-Time Filter"] for node in nodes if "InitPlan" in node.get("One-Time Filter", "")]
    assert len(gates) == len(settings) == statement.sql.count("tasks_tenant(")
    for gate in gates:
        assert gate.lstrip("(").startswith(tuple(f"{setting})" for setting in settings))


FIXED = {
    f"{module.__name__}.{name}": statement
    for module in every_service()
    for name, statement in vars(module).items()
    if isinstance(statement, Statement)
}


@modes
@pytest.mark.parametrize("statement", FIXED.values(), ids=FIXED)
async def test_no_statement_looks_beyond_the_tenants_own_tasks(
    service: Connection, statement: Statement, mode: str
) -> None:
    nodes = await explain(service, statement, mode)

    reads = any("Relation Name" in node for node in nodes if node["Node Type"] != "ModifyTable")
    assert reads or "INSERT INTO" in statement.sql
    if reads:
        assert_bounded(nodes)


def test_no_maker_of_statements_is_forgotten() -> None:
    """Those that are made for a combination of fields have the two tests below."""
    makers = {
        name
        for module in every_service()
        for name, value in vars(module).items()
        if isinstance(value, functools._lru_cache_wrapper)
    }

    assert makers == {tasks_sql.find.__name__, tasks_sql.change.__name__}


def subsets(names: Iterable[str]) -> list[frozenset[str]]:
    chosen = list(names)
    return [frozenset(some) for number in range(len(chosen) + 1) for some in combinations(chosen, number)]


@orders
async def test_no_list_looks_beyond_the_tenants_own_tasks(
    service: Connection, sort_by: SortBy, sort_order: SortOrder
) -> None:
    """Every combination of filters, with and without words, as a first and as a next page."""
    filters = [*tasks_sql.FILTERS, *tasks_sql.STATUS_FILTERS]
    choices = [chosen for chosen in subsets(filters) if not chosen >= {"pending", "completed"}]
    assert set().union(*choices) == set(FILTERS)

    for chosen, words, paged in product(choices, (0, 1), (False, True)):
        statement = tasks_sql.find.__wrapped__(chosen, words, sort_by, sort_order, paged=paged)
        for mode in ("force_custom_plan", "force_generic_plan"):
            assert_bounded(await explain(service, statement, mode, after=AFTER.get(sort_by, NOON)))


@pytest.mark.parametrize("conditional", [False, True])
async def test_no_change_looks_for_more_than_one_task(service: Connection, *, conditional: bool) -> None:
    """Every combination of fields."""
    for chosen in subsets(TaskPatch.model_fields.keys() - {"completed"}):
        if not chosen:
            continue
        names = chosen | {"due_all_day"} if "due_date" in chosen else chosen
        statement = tasks_sql.change.__wrapped__(names, conditional=conditional)
        for mode in ("force_custom_plan", "force_generic_plan"):
            assert scan_of(await explain(service, statement, mode))["Index Name"] == "pk_tasks"


def assert_bounded(nodes: list[Json]) -> None:
    """Tasks are only found by an index and by the tenant, so whatever is sorted is one tenant's."""
    scans = [node for node in nodes if "Index Name" in node]
    assert scans
    assert all('("userId" = ' in node["Index Cond"] for node in scans), scans
    assert "Seq Scan" not in {node["Node Type"] for node in nodes}, nodes


@pytest.mark.parametrize("sql", [BY_TOKEN, BY_ID])
async def test_a_session_is_found_by_an_index(server: Connection, socket_directory: Path, sql: str) -> None:
    """Better Auth's own: one on the token, one on the id."""
    async with (
        scratch(server) as name,
        connected(development.database_url("postgres", socket_directory, name)) as owner,
    ):
        await owner.execute(SEED_SESSIONS)
        await owner.execute("SET plan_cache_mode = force_generic_plan")
        await owner.execute(f"PREPARE probe AS {sql}")
        plan = await owner.fetchval("EXPLAIN (FORMAT JSON) EXECUTE probe('session7')")

    assert "Seq Scan" not in {node["Node Type"] for node in _nodes(json.loads(plan)[0]["Plan"])}
