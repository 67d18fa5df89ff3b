"""Entity tags: reading only what has changed, and writing only over what was read (RFC 9110, section 13)."""

import pytest

from support import Json, User, assert_problem

WRITES = pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", {"title": "Feed the cat"}),
        ("PUT", "", {}),
        ("PATCH", "", {"title": "Feed the cat"}),
        ("PATCH", "/complete", None),
        ("PATCH", "/complete", {"completed": True}),
        ("DELETE", "", None),
    ],
)


async def test_every_answer_with_one_task_carries_its_version(user: User) -> None:
    created = await user.post("tasks", json={"title": "x"})
    path = f"tasks/{created.json()['id']}"

    answers = [
        created,
        await user.get(path),
        await user.put(path, json={"title": "y"}),
        await user.patch(path, json={"title": "z"}),
        await user.patch(f"{path}/complete"),
    ]

    assert [answer.headers["etag"] for answer in answers] == ['"1"', '"1"', '"2"', '"3"', '"4"']
    assert all(answer.json()["version"] == int(answer.headers["etag"].strip('"')) for answer in answers)


# Lists with a task's version 1, in every form that RFC 9110 (sections 5.6.1.2 and 8.8.3) allows.
NAMING_IT = [
    '"1"',
    '"7", "1"',
    '"7","1"',
    '"7"\t, "1" ',
    '"1",',
    ', , "1",,"7",',
    '"a,b", "1"',
    '"1,", "1"',
    'W/"2", "1"',
    '"\xe4", "", "1"',
    ", ".join(f'"{number}"' for number in range(1000, 0, -1)),
]
NOT_NAMING_IT = [
    '"2"',
    '"0"',
    '"2", "3"',
    '""',
    "",
    ",",
    '"one"',
    '"01"',
    '"a,1"',
    '"99999999999999999999"',
    'W/"2"',
]
MALFORMED = ["1", '"1', '1"', '"1" "1"', '*, "1"', '"1", *', "**", 'w/"1"', 'W / "1"', '"1"; "2"', '"a\tb"']


def lines(name: str, *values: str) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for value in values]


# Reads


@pytest.mark.parametrize("tags", [*NAMING_IT, "*", 'W/"1"', '"7" , W/"1"'])
async def test_an_unchanged_task_is_not_sent_again(user: User, tags: str) -> None:
    task = await user.add_task()

    answer = await user.get(f"tasks/{task['id']}", headers=lines("If-None-Match", tags))

    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("tags", [*NOT_NAMING_IT, *MALFORMED])
async def test_a_task_is_sent_when_the_reader_does_not_have_it(user: User, tags: str) -> None:
    task = await user.add_task()

    answer = await user.get(f"tasks/{task['id']}", headers=lines("If-None-Match", tags))

    assert answer.status_code == 200


@pytest.mark.parametrize("tags", [*NAMING_IT, "*"])
async def test_a_task_is_read_at_the_version_that_was_asked_for(user: User, tags: str) -> None:
    task = await user.add_task()

    answer = await user.get(f"tasks/{task['id']}", headers=lines("If-Match", tags))

    assert answer.status_code == 200


@pytest.mark.parametrize("tags", [*NOT_NAMING_IT, *MALFORMED, 'W/"1"'])
async def test_a_task_is_not_read_at_another_version(user: User, tags: str) -> None:
    """Not even if the reader has it already: `If-Match` comes first (RFC 9110, section 13.2.2)."""
    task = await user.add_task()

    answer = await user.get(
        f"tasks/{task['id']}", headers=[*lines("If-Match", tags), *lines("If-None-Match", '"1"')]
    )

    assert_problem(answer, 412, "precondition-failed")


async def test_a_missing_task_is_not_found_whatever_is_demanded_of_it(user: User) -> None:
    for name in ("If-Match", "If-None-Match"):
        for method in ("GET", "PUT", "DELETE"):
            path = "tasks/01a202b1-fa21-79e9-b75d-f80d096bdf97"
            body = {"title": "x"} if method == "PUT" else None

            assert (await user.request(method, path, json=body, headers=lines(name, "*"))).status_code == 404


# Writes


@WRITES
@pytest.mark.parametrize("tags", ['"1"', '"7", "1"', ', W/"2", "1"', "*"])
async def test_a_write_goes_ahead_from_the_version_it_names(
    user: User, method: str, path: str, body: Json, tags: str
) -> None:
    task = await user.add_task()

    answer = await user.request(method, f"tasks/{task['id']}{path}", json=body, headers=lines("If-Match", tags))

    assert answer.status_code in {200, 204}


@WRITES
@pytest.mark.parametrize("tags", ['"2"', "", 'W/"1"', "1", '*, "1"'])
async def test_a_write_from_any_other_version_is_refused(
    user: User, method: str, path: str, body: Json, tags: str
) -> None:
    task = await user.add_task()

    answer = await user.request(method, f"tasks/{task['id']}{path}", json=body, headers=lines("If-Match", tags))

    assert_problem(answer, 412, "precondition-failed")
    assert (await user.get(f"tasks/{task['id']}")).json() == task


@WRITES
@pytest.mark.parametrize("tags", ["*", '"7", "1"', 'W/"1"', "1"])
async def test_a_write_is_refused_at_a_version_it_excludes(
    user: User, method: str, path: str, body: Json, tags: str
) -> None:
    task = await user.add_task()

    answer = await user.request(
        method, f"tasks/{task['id']}{path}", json=body, headers=lines("If-None-Match", tags)
    )

    assert_problem(answer, 412, "precondition-failed")
    assert (await user.get(f"tasks/{task['id']}")).json() == task


@WRITES
@pytest.mark.parametrize("tags", ['"2"', "", '"a,1"'])
async def test_a_write_goes_ahead_at_any_version_it_does_not_exclude(
    user: User, method: str, path: str, body: Json, tags: str
) -> None:
    task = await user.add_task()

    answer = await user.request(
        method, f"tasks/{task['id']}{path}", json=body, headers=lines("If-None-Match", tags)
    )

    assert answer.status_code in {200, 204}


@pytest.mark.parametrize(
    ("match", "none_match", "status"),
    [('"1"', '"2"', 200), ('"1", "2"', '"2"', 200), ("*", '"2"', 200), ('"1"', "*", 412), ('"1"', '"1"', 412)],
)
async def test_both_headers_have_to_be_fulfilled(user: User, match: str, none_match: str, status: int) -> None:
    task = await user.add_task()
    headers = [*lines("If-Match", match), *lines("If-None-Match", none_match)]

    answer = await user.put(f"tasks/{task['id']}", json={"title": "Feed the cat"}, headers=headers)

    assert answer.status_code == status


async def test_the_lines_of_a_header_are_one_list(user: User) -> None:
    task = await user.add_task()
    path = f"tasks/{task['id']}"

    assert (await user.get(path, headers=lines("If-None-Match", '"7"', '"1"'))).status_code == 304
    assert (await user.get(path, headers=lines("If-Match", '"7"', '"1"'))).status_code == 200
    assert (await user.delete(path, headers=lines("If-None-Match", '"7"', '"1"'))).status_code == 412
    assert (await user.delete(path, headers=lines("If-Match", '"7"', "*"))).status_code == 412
    assert (await user.delete(path, headers=lines("If-Match", '"7"', '"1"'))).status_code == 204
