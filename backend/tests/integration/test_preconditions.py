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


@pytest.mark.parametrize("tags", ['"1"', 'W/"1"', '"7", "1"', "*", '"7" , W/"1"'])
async def test_an_unchanged_task_is_not_sent_again(user: User, tags: str) -> None:
    task = await user.add_task()

    answer = await user.get(f"tasks/{task['id']}", headers={"If-None-Match": tags})

    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("tags", ['"2"', '"1', "1", "", "nonsense"])
async def test_a_task_is_sent_when_the_reader_does_not_have_it(user: User, tags: str) -> None:
    task = await user.add_task()

    answer = await user.get(f"tasks/{task['id']}", headers={"If-None-Match": tags})

    assert answer.status_code == 200


@WRITES
@pytest.mark.parametrize("tags", ['"1"', '"7", "1"', "*", '"1",'])
async def test_a_write_goes_ahead_from_the_version_it_names(
    user: User, method: str, path: str, body: Json, tags: str
) -> None:
    task = await user.add_task()

    answer = await user.request(method, f"tasks/{task['id']}{path}", json=body, headers={"If-Match": tags})

    assert answer.status_code in {200, 204}


@WRITES
@pytest.mark.parametrize(
    "tags", ['"2"', '"0"', 'W/"1"', "1", '"1', "", '"one"', '"01"', '"1" "1"', '*, "1"', '"99999999999999999999"']
)
async def test_a_write_from_any_other_version_is_refused(
    user: User, method: str, path: str, body: Json, tags: str
) -> None:
    task = await user.add_task()

    answer = await user.request(method, f"tasks/{task['id']}{path}", json=body, headers={"If-Match": tags})

    assert_problem(answer, 412, "precondition-failed")
    assert (await user.get(f"tasks/{task['id']}")).json() == task
