"""Filters, search and sort orders of a list."""

import pytest

from support import Json, User, assert_problem, pointers


def titles(tasks: Json) -> list[str]:
    return [task["title"] for task in tasks]


async def test_a_list_is_a_bare_array_with_the_newest_first(user: User) -> None:
    tasks = [await user.add_task(title=f"Task {number}") for number in range(3)]

    answer = await user.get("tasks")

    assert answer.json() == tasks[::-1]
    assert "link" not in answer.headers


async def test_an_empty_list_is_an_empty_array(user: User) -> None:
    answer = await user.get("tasks")

    assert answer.text == "[]"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=completed", ["b"]),
        ("status=pending", ["a", "c", "d"]),
        ("priority=high", ["a", "b"]),
        ("category=home", ["b", "c"]),
        ("category=%20HOME%20", ["b", "c"]),
        ("category=garden", []),
        ("due_after=2026-01-05", ["b", "c"]),
        ("due_after=2026-01-05T00:00:00.000001Z", ["c"]),
        ("due_before=2026-01-05", ["a"]),
        ("due_before=2026-01-05T00:00:00.000001Z", ["a", "b"]),
        ("due_after=2026-01-05&due_before=2026-01-06T15:00:00Z", ["b"]),
        ("due_after=2026-01-06T17:00:00%2B02:00&due_before=2026-01-07", ["c"]),
        ("status=pending&priority=high&category=other&due_before=2027-01-01&search=a", ["a"]),
        ("search=", ["a", "b", "c", "d"]),
        ("search=%20%20", ["a", "b", "c", "d"]),
    ],
)
async def test_filters_narrow_the_list(user: User, query: str, expected: list[str]) -> None:
    await user.add_task(title="a", priority="high", dueDate="2026-01-04")
    done = await user.add_task(title="b", priority="high", category="home", dueDate="2026-01-05")
    await user.add_task(title="c", priority="low", category="Home", dueDate="2026-01-06T15:00:00Z")
    await user.add_task(title="d")
    await user.patch(f"tasks/{done['id']}/complete")

    answer = await user.get(f"tasks?{query}&sort_by=title&sort_order=asc")

    assert titles(answer.json()) == expected


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("water", True),
        ("WATER plants", True),
        ("plants water", True),
        ("lants ater", True),
        ("twice", True),
        ("water weekly", False),
        ("100%", True),
        ("0%_", True),
        ("%", True),
        ("w%r", False),
        ("w_ter", False),
        ("back\\slash", True),
        ("\\", True),
        ("STRASSE", False),
        ("straße", True),
        ("ÉCOLE", True),
        ("école", True),
        ("'; DROP TABLE tasks; --", False),
    ],
)
async def test_search_finds_each_word_literally_in_any_case(user: User, words: str, found: bool) -> None:
    await user.add_task(
        title="Water the plants", description="TWICE a week, 100%_sure, back\\slash, Straße, école"
    )

    answer = await user.get("tasks", params={"search": words})

    assert len(answer.json()) == int(found)


@pytest.mark.parametrize(
    ("sort_by", "ascending"),
    [
        ("createdAt", ["b", "A", "é", "a", "Z"]),
        ("updatedAt", ["A", "é", "a", "Z", "b"]),
        ("priority", ["A", "Z", "b", "é", "a"]),
        ("title", ["A", "a", "b", "Z", "é"]),
    ],
)
async def test_sort_orders(user: User, sort_by: str, ascending: list[str]) -> None:
    priorities = {"b": "medium", "A": "low", "é": "medium", "a": "high", "Z": "low"}
    tasks = {title: await user.add_task(title=title, priority=value) for title, value in priorities.items()}
    await user.put(f"tasks/{tasks['b']['id']}", json={"description": "changed"})

    forwards = await user.get(f"tasks?sort_by={sort_by}&sort_order=asc")
    backwards = await user.get(f"tasks?sort_by={sort_by}&sort_order=desc")

    assert titles(forwards.json()) == ascending
    assert titles(backwards.json()) == ascending[::-1]


async def test_tasks_without_a_due_date_come_last_in_both_orders(user: User) -> None:
    for title, due in (("none", None), ("late", "9999-12-31"), ("soon", "2026-01-05"), ("never", None)):
        await user.add_task(title=title, dueDate=due)

    forwards = await user.get("tasks?sort_by=dueDate&sort_order=asc")
    backwards = await user.get("tasks?sort_by=dueDate&sort_order=desc")

    assert titles(forwards.json()) == ["soon", "late", "none", "never"]
    assert titles(backwards.json()) == ["late", "soon", "never", "none"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("limit=-1", "/limit"),
        ("limit=9223372036854775808", "/limit"),
        ("limit=1.0", "/limit"),
        ("limit=1_0", "/limit"),
        ("limit=%2B1", "/limit"),
        ("limit=%D9%A1", "/limit"),
        ("limit=%EF%BC%91", "/limit"),
        ("limit=", "/limit"),
        ("status=done", "/status"),
        ("priority=urgent", "/priority"),
        ("category=", "/category"),
        ("category=" + "x" * 51, "/category"),
        ("search=" + "x" * 201, "/search"),
        ("search=" + "+".join("abcdefghijk"), "/search"),
        ("search=%00", "/search"),
        ("due_after=tomorrow", "/due_after"),
        ("due_after=0001-01-01T00:00:00%2B14:00", "/due_after"),
        ("due_before=9999-12-31T23:59:59-12:00", "/due_before"),
        ("due_before=2026-01-05T17:00:00", "/due_before"),
        ("sort_by=category", "/sort_by"),
        ("sort_order=up", "/sort_order"),
        ("cursor=nonsense", "/cursor"),
        ("cursor=", "/cursor"),
        ("offset=10", "/offset"),
        ("completed=true", "/completed"),
    ],
)
async def test_a_bad_parameter_is_named(user: User, query: str, pointer: str) -> None:
    answer = await user.get(f"tasks?{query}")

    assert pointers(assert_problem(answer, 422, "invalid-values")) == [pointer]


@pytest.mark.parametrize("query", ["limit=1", "limit=1000", "search=" + "x" * 200, "search=a+b+c+d+e+f+g+h+i+j"])
async def test_values_at_their_bounds_are_taken(user: User, query: str) -> None:
    assert (await user.get(f"tasks?{query}")).status_code == 200


async def test_every_bad_parameter_is_named_at_once(user: User) -> None:
    answer = await user.get("tasks?limit=0&status=done&colour=green")

    assert pointers(assert_problem(answer, 422, "invalid-values")) == ["/colour", "/limit", "/status"]


@pytest.mark.parametrize(("query", "nearest"), [("sortBy=title", "sort_by"), ("limits=1", "limit")])
async def test_a_parameter_that_looks_like_a_mistake_is_refused(user: User, query: str, nearest: str) -> None:
    (fault,) = assert_problem(await user.get(f"tasks?{query}"), 422, "invalid-values")["errors"]

    assert fault["detail"] == f"is not a known name; perhaps you mean {nearest}."


@pytest.mark.parametrize("query", ["limit=5&limit=5", "search=a&search=b", "cursor=x&cursor=x"])
async def test_a_parameter_is_given_once(user: User, query: str) -> None:
    answer = await user.get(f"tasks?{query}")

    assert query.partition("=")[0] in pointers(assert_problem(answer, 422, "invalid-values"))[0]


async def test_many_unknown_parameters_make_a_small_answer(user: User) -> None:
    answer = await user.get(f"tasks?{'&'.join(f'{number}=' for number in range(1400))}")

    assert_problem(answer, 422, "invalid-values")
    assert len(answer.content) < 2048
