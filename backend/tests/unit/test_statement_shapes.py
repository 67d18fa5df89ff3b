"""Each statement has the form that a distributed PostgreSQL can send to the one server that has the tenant's rows.

With CITUS_URL `make test` runs them on such a cluster. Without one, this says what is wrong with a new statement.
"""

from collections.abc import Iterator

import pytest
import sqlglot
from sqlglot import exp

from backend.postgres.rights import our_tables
from backend.postgres.statements import Statement
from statements import STATEMENTS

TABLES = {table.name for table in our_tables()}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_it_can_be_sent_to_the_server_of_its_tenant(statement: Statement) -> None:
    assert list(faults(statement)) == []


def faults(statement: Statement) -> Iterator[str]:
    tree = sqlglot.parse_one(statement.sql, dialect="postgres")
    tenant = f"${statement.names.index('tenant') + 1}"
    writes = [part.this for part in tree.find_all(exp.CTE) if not isinstance(part.this, exp.Select)]
    for table in tree.find_all(exp.Table):
        if table.name in TABLES and not isinstance(table.parent, exp.Schema):
            place = table.find_ancestor(exp.Select, exp.Update, exp.Delete)
            assert place
            terms = conditions(place)
            if f'{table.name}."userId" = {tenant}' not in terms:
                yield f"a {place.key} on {table.name} without the tenant as a parameter: {terms}"
            if not writes and f'{table.name}."userId" = scope.user_id' not in terms:
                yield f"a {place.key} on {table.name} that does not wait for the scope: {terms}"
    for write in writes:
        yield from faults_of_write(write, tenant, f"${statement.names.index('deadline') + 1}")


def faults_of_write(write: exp.Expr, tenant: str, deadline: str) -> Iterator[str]:
    asked = write.expression if isinstance(write, exp.Insert) else write
    source = asked.args.get("from_") or asked.args.get("from")
    follows_another = isinstance(write, exp.Insert) and source is not None  # which has set the tenant
    if not follows_another and f"(SELECT TASKS_TENANT({tenant}, {deadline})) = {tenant}" not in conditions(asked):
        yield f"a write that does not set the tenant before its deadline: {conditions(asked)}"
    if isinstance(write, exp.Insert) and sql(asked.expressions[0].unalias()) != tenant:
        yield "an insert whose first value is not the tenant"
    returned = write.args["returning"].expressions
    yield from (
        f"RETURNING more than columns: {sql(part)}" for part in returned if not isinstance(part, exp.Column)
    )
    for case in write.find_all(exp.Case):
        for node in case.find_all(exp.Anonymous, exp.Cast):
            if node.find_ancestor(exp.Subquery, exp.Case) == case and is_computed(node):
                yield f"computed for each row inside of CASE: {sql(node)}"


def is_computed(node: exp.Expr) -> bool:
    """Whether it looks into the catalog or at the clock: a function, or a cast of text to an enumeration."""
    return not isinstance(node, exp.Cast) or (
        node.to.this == exp.DataType.Type.USERDEFINED and not isinstance(node.this, exp.Literal)
    )


def conditions(place: exp.Expr) -> set[str]:
    where = place.args.get("where")
    if not where:
        return set()
    return {sql(term) for term in (where.this.flatten() if isinstance(where.this, exp.And) else [where.this])}


def sql(node: exp.Expr) -> str:
    """In one form: without types that are stated for the driver, and without names for results."""
    whole = exp.Paren(this=node.copy())
    for cast in [*whole.find_all(exp.Cast)]:
        if isinstance(cast.this, exp.Parameter):
            cast.replace(cast.this)
    for alias in [*whole.find_all(exp.Alias)]:
        alias.replace(alias.this)
    return str(whole.this.sql(dialect="postgres"))
