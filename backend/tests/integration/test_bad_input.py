"""Whatever is sent, the answer says what is wrong, is never a 500, and nothing is stored."""

import gzip
from collections.abc import AsyncIterator

import httpx2
import pytest

from backend.http.bodies import MAX_BODY_BYTES
from backend.http.gate import MAX_HEADER_BYTES, MAX_QUERY_BYTES
from support import Json, User, assert_problem, pointers

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"title=x",
        b'{"title": "x"',
        b'{"title": "x",}',
        b"{'title': 'x'}",
        b'{"title": "\xff"}',
        b'\xef\xbb\xbf{"title": "x"}',
        '{"title": "x"}'.encode("utf-16"),
        b'{"title": "x", "n": ' + b"1" * 5000 + b"}",
        b'{"title": ' + b"[" * 60_000,
        b'{"title": "x\n"}',
        b'{"title": NaN}',
        b'{"title": "x", "deep": [{"n": -Infinity}]}',
        b'{"title": "x", "title": "x"}',
        b'{"title": "x", "\\u0074itle": "y"}',
        b'{"title": "x", "deep": {"a": 1, "b": 2, "a": 1}}',
        b'{"title": "x", "": 1, "": 2}',
        b'{"title": "x", "\\ud800": 1, "\\ud800": 2}',
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_what_is_not_json_is_a_400(user: User, body: bytes) -> None:
    answer = await user.post("tasks", content=body, headers=JSON)

    assert_problem(answer, 400, "malformed-request")
    assert (await user.get("tasks")).json() == []


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json; charset=latin-1",
        "application/json; profile=x; charset=latin-1",
        "application/json; charset=utf-8; charset=latin-1",
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_body_of_another_type_is_a_415(user: User, method: str, media_type: str | None) -> None:
    task = await user.add_task()
    path = "tasks" if method == "POST" else f"tasks/{task['id']}"
    headers = {} if media_type is None else {"Content-Type": media_type}

    answer = await user.request(method, path, content=b'{"title": "Feed the cat"}', headers=headers)

    assert_problem(answer, 415, "unsupported-media-type")
    assert (await user.get("tasks")).json() == [task]


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "APPLICATION/JSON ; charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json;",
        "application/json; profile=x; charset=utf-8",
    ],
)
async def test_the_media_type_may_have_parameters(user: User, media_type: str) -> None:
    answer = await user.post("tasks", content=b'{"title": "x"}', headers={"Content-Type": media_type})

    assert answer.status_code == 201


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip", "identity, gzip", "GZIP", "x"])
@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", ""), ("PATCH", ""), ("PATCH", "/complete")])
async def test_a_coded_body_is_a_415(user: User, method: str, path: str, coding: str) -> None:
    task = await user.add_task()
    url = "tasks" if method == "POST" else f"tasks/{task['id']}{path}"
    body = gzip.compress(b'{"title": "Feed the cat"}')

    answer = await user.request(method, url, content=body, headers={**JSON, "Content-Encoding": coding})

    assert_problem(answer, 415, "unsupported-content-coding")
    assert answer.headers["accept-encoding"] == "identity"
    assert (await user.get("tasks")).json() == [task]


@pytest.mark.parametrize("coding", ["identity", "Identity", "", "identity, identity"])
async def test_identity_is_no_coding(user: User, coding: str) -> None:
    answer = await user.post("tasks", content=b'{"title": "x"}', headers={**JSON, "Content-Encoding": coding})

    assert answer.status_code == 201


async def test_a_merge_patch_is_for_patch_only(user: User) -> None:
    answer = await user.post("tasks", content=b"{}", headers={"Content-Type": "application/merge-patch+json"})

    assert_problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("{}", "/title"),
        ("[]", ""),
        ("null", ""),
        ('"title"', ""),
        ('{"title": null}', "/title"),
        ('{"title": ""}', "/title"),
        ('{"title": "  \\t\\n "}', "/title"),
        ('{"title": 7}', "/title"),
        ('{"title": true}', "/title"),
        ('{"title": ["x"]}', "/title"),
        ('{"title": 1e400}', "/title"),
        ('{"title": "a\\u0000b"}', "/title"),
        ('{"title": "x", "due_date": "2026-01-05"}', "/due_date"),
        ('{"title": "x", "": 1}', "/"),
        ('{"title": "\\ud800"}', "/title"),
        ('{"title": "' + "x" * 256 + '"}', "/title"),
        ('{"title": "x", "description": 7}', "/description"),
        ('{"title": "x", "description": "' + "x" * 10_001 + '"}', "/description"),
        ('{"title": "x", "description": "\\u0000"}', "/description"),
        ('{"title": "x", "priority": "urgent"}', "/priority"),
        ('{"title": "x", "priority": "HIGH"}', "/priority"),
        ('{"title": "x", "priority": null}', "/priority"),
        ('{"title": "x", "priority": 1}', "/priority"),
        ('{"title": "x", "category": null}', "/category"),
        ('{"title": "x", "category": " "}', "/category"),
        ('{"title": "x", "category": "' + "x" * 51 + '"}', "/category"),
        ('{"title": "x", "dueDate": 1767571200}', "/dueDate"),
        ('{"title": "x", "dueDate": "tomorrow"}', "/dueDate"),
        ('{"title": "x", "dueDate": "2026-02-29"}', "/dueDate"),
        ('{"title": "x", "dueDate": "2026-01-05T17:00:00"}', "/dueDate"),
        ('{"title": "x", "dueDate": "0001-01-01"}', "/dueDate"),
        ('{"title": "x", "dueDate": "0001-01-02T00:00:00+14:00"}', "/dueDate"),
        ('{"title": "x", "dueDate": "9999-12-31T23:59:59.000001Z"}', "/dueDate"),
        ('{"title": "x", "dueDate": "9999-12-31T23:59:59-12:00"}', "/dueDate"),
    ],
    ids=lambda value: value[:40],
)
async def test_a_bad_value_is_named_and_nothing_is_stored(user: User, body: str, pointer: str) -> None:
    answer = await user.post("tasks", content=body.encode(), headers=JSON)

    assert pointers(assert_problem(answer, 422, "invalid-values")) == [pointer]
    assert (await user.get("tasks")).json() == []


@pytest.mark.parametrize(
    "members",
    [
        {"title": "x" * 255},
        {"title": f"  {'🪴' * 255}\n"},
        {"description": "x" * 10_000},
        {"description": ""},
        {"category": "x" * 50},
        {"version": 2**31, "userId": 1e300, "completed": [[[[{}]]]]},
    ],
    ids=lambda members: str(members)[:30],
)
async def test_values_at_their_bounds_are_taken(user: User, members: Json) -> None:
    answer = await user.post("tasks", json={"title": "x"} | members)

    assert answer.status_code == 201


async def test_a_body_that_is_no_object_is_told_in_the_terms_of_json(user: User) -> None:
    answer = await user.post("tasks", json=["x"])

    assert assert_problem(answer, 422, "invalid-values")["detail"] == "the body: should be a JSON object."


async def test_the_answer_repeats_nothing_of_what_was_sent(user: User) -> None:
    sent = "confidential" * 100

    answer = await user.post("tasks", json={"title": sent, "category": sent, "priority": sent, "dueDate": sent})

    assert "confidential" not in answer.text
    assert len(answer.content) < 1000


@pytest.mark.parametrize(("wrong", "named"), [(19, 19), (20, 20), (21, 20)])
async def test_up_to_20_faults_are_named(user: User, wrong: int, named: int) -> None:
    task = await user.add_task()

    answer = await user.patch(f"tasks/{task['id']}", json={f"member{number}": 1 for number in range(wrong)})

    problem = assert_problem(answer, 422, "invalid-values")
    assert len(problem["errors"]) == named
    unnamed = ", 1 more than are named here" if wrong > 20 else ""
    assert (
        problem["detail"] == f"{wrong} values are not valid{unnamed}; the first is member0: is not a known name."
    )


async def test_a_long_name_is_cut(user: User) -> None:
    task = await user.add_task()

    answer = await user.patch(f"tasks/{task['id']}", json={"x" * 100_000: 1, "y" * 100: 1})

    assert pointers(assert_problem(answer, 422, "invalid-values")) == [f"/{'x' * 100}", f"/{'y' * 100}"]


async def test_many_faults_make_a_small_answer(user: User) -> None:
    task = await user.add_task()
    members = {f"{'x' * 3}{number}": 1 for number in range(9000)}

    answer = await user.patch(f"tasks/{task['id']}", json=members)

    assert_problem(answer, 422, "invalid-values")
    assert len(answer.content) < 2048


async def test_a_name_that_has_no_utf_8_is_told(user: User) -> None:
    task = await user.add_task()

    answer = await user.patch(f"tasks/{task['id']}", content=b'{"\\ud800": 1}', headers=JSON)

    assert pointers(assert_problem(answer, 422, "invalid-values")) == [""]


@pytest.mark.parametrize(
    ("method", "path", "members", "nearest"),
    [
        ("POST", "", {"priorty": "low"}, "priority"),
        ("POST", "", {"due_date": None}, "dueDate"),
        ("POST", "", {"Title": "x"}, "title"),
        ("PUT", "", {"titel": "x"}, "title"),
        ("PATCH", "", {"complete": True}, "completed"),
        ("PATCH", "/complete", {"complete": True}, "completed"),
        ("POST", "", {"colour": "red"}, None),
        ("POST", "", {"x" * 50_000: 1}, None),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_a_member_that_looks_like_a_mistake_is_refused(
    user: User, method: str, path: str, members: Json, nearest: str | None
) -> None:
    task = await user.add_task()
    url = "tasks" if method == "POST" else f"tasks/{task['id']}{path}"
    rest = {"title": "x"} if method == "POST" else {"completed": True} if path else {}

    answer = await user.request(method, url, json={**rest, **members})

    (fault,) = assert_problem(answer, 422, "invalid-values")["errors"]
    perhaps = f"; perhaps you mean {nearest}" if nearest else ""
    assert fault["detail"] == f"is not a known name{perhaps}."
    assert (await user.get("tasks")).json() == [task]


async def test_a_whole_task_can_be_sent_back(user: User) -> None:
    task = await user.add_task(description="With rain", dueDate="2026-01-05T15:00:00Z")

    created = await user.post("tasks", json=task)
    changed = await user.put(f"tasks/{task['id']}", json=task)

    assert created.status_code == 201
    assert changed.json() == task


async def test_an_empty_name_is_not_taken_for_the_body(user: User) -> None:
    answer = await user.get("tasks?=1")

    problem = assert_problem(answer, 422, "invalid-values")
    assert problem["detail"] == "the empty name: is not a known name."
    assert pointers(problem) == ["/"]


@pytest.mark.parametrize(
    "task_id",
    [
        "7",
        "no-id",
        "%00",
        "x" * 500,
        "00000000-0000-0000-0000-00000000000g",
        "urn:uuid:01a202b1-fa21-79e9-b75d-f80d096bdf97",
        "01a202b1fa2179e9b75df80d096bdf97",
    ],
)
async def test_a_task_id_that_is_no_uuid_is_a_422(user: User, task_id: str) -> None:
    answer = await user.get(f"tasks/{task_id}")

    assert pointers(assert_problem(answer, 422, "invalid-values")) == ["/task_id"]


@pytest.mark.parametrize(
    "path", ["/api/%00/tasks", "/api/%F0%9F%AA%B4/tasks", "/api/ME/tasks", "/api/..%2Fme/tasks"]
)
async def test_a_strange_user_id_is_not_the_callers(user: User, path: str) -> None:
    answer = await user.get(path)

    assert answer.status_code in {403, 404}


@pytest.mark.parametrize("path", ["tasks?search=%ff", "tasks?search=%c3%28", "tasks/%ff", "/%80"])
async def test_broken_utf_8_in_the_url_is_a_400(user: User, path: str) -> None:
    answer = await user.get(path)

    assert_problem(answer, 400, "malformed-request")


async def test_a_body_may_have_128_kib_and_no_byte_more(user: User) -> None:
    frame = len(b'{"title": "x", "userId": ""}')
    fitting, larger = (
        b'{"title": "x", "userId": "%s"}' % (b"x" * (MAX_BODY_BYTES - frame + extra)) for extra in (0, 1)
    )

    async def chunks(body: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    assert (await user.post("tasks", content=fitting, headers=JSON)).status_code == 201
    assert (await user.post("tasks", content=chunks(fitting), headers=JSON)).status_code == 201
    assert_problem(await user.post("tasks", content=larger, headers=JSON), 413, "content-too-large")
    assert_problem(await user.post("tasks", content=chunks(larger), headers=JSON), 413, "content-too-large")
    assert len((await user.get("tasks")).json()) == 2


async def test_a_query_string_may_have_8_kib(user: User) -> None:
    fitting, longer = ("search=" + "%20" * 2000 + "x" * (MAX_QUERY_BYTES - 6007 + extra) for extra in (0, 1))

    assert_problem(await user.get(f"tasks?{fitting}"), 422, "invalid-values")
    assert_problem(await user.get(f"tasks?{longer}"), 414, "uri-too-long")


async def test_headers_may_have_32_kib(client: httpx2.AsyncClient) -> None:
    request = client.build_request("GET", "/health/live")
    used = sum(len(name) + len(value) for name, value in request.headers.raw) + len("userId")

    for extra, status in ((0, 200), (1, 431)):
        answer = await client.get("/health/live", headers={"userId": "x" * (MAX_HEADER_BYTES - used + extra)})

        assert answer.status_code == status
    assert_problem(answer, 431, "headers-too-large")
