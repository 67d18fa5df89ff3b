"""A cursor comes from a client: it may be ours, an old one, or anything at all."""

import json
from base64 import urlsafe_b64encode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.models.tasks import Priority
from backend.schemas.due_dates import DueDate
from backend.schemas.tasks import SortBy, SortOrder, TaskQuery
from backend.services.cursors import Cursor
from support import Json

ID = UUID("019b8c5e-7a00-7000-8000-0123456789ab")
TIME = "2026-01-05T17:00:00.000001Z"

# For each order, values that a task's JSON can have.
VALUES: list[tuple[SortBy, str | None]] = [
    (SortBy.CREATED_AT, TIME),
    (SortBy.UPDATED_AT, TIME),
    (SortBy.DUE_DATE, TIME),
    (SortBy.DUE_DATE, "2026-01-05"),
    (SortBy.DUE_DATE, None),
    (SortBy.PRIORITY, "low"),
    (SortBy.PRIORITY, "high"),
    (SortBy.TITLE, "Water the plants"),
    (SortBy.TITLE, 'Rosen gießen: 🌹, \\, ", ]'),
]


def encode(parts: Json) -> str:
    return urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(("sort_by", "value"), VALUES)
@pytest.mark.parametrize("sort_order", SortOrder)
def test_a_cursor_comes_back_as_it_was(sort_by: SortBy, value: str | None, sort_order: SortOrder) -> None:
    cursor = Cursor.after({"id": str(ID), sort_by: value}, sort_by, sort_order)

    decoded = Cursor.decode(cursor.encode(), sort_by, sort_order)

    assert decoded == cursor == (sort_by, sort_order, value, ID)


@pytest.mark.parametrize(("sort_by", "value"), VALUES)
def test_a_cursor_needs_no_quoting_in_a_url(sort_by: SortBy, value: str | None) -> None:
    text = Cursor(sort_by, SortOrder.ASCENDING, value, ID).encode()

    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize("character", ["ä", "漢", "🌹", "\x01", '"', "\\", "\N{REPLACEMENT CHARACTER}"])
def test_the_cursor_of_the_longest_title_fits_into_a_query(character: str) -> None:
    cursor = Cursor(SortBy.TITLE, SortOrder.ASCENDING, character * 255, ID).encode()

    query = TaskQuery.model_validate({"cursor": cursor})

    assert query.cursor == cursor


@pytest.mark.parametrize(
    ("sort_by", "value", "key"),
    [
        (SortBy.CREATED_AT, TIME, DueDate.parse(TIME).at),
        (SortBy.UPDATED_AT, TIME, DueDate.parse(TIME).at),
        (SortBy.DUE_DATE, TIME, DueDate.parse(TIME).at),
        (SortBy.DUE_DATE, "2026-01-05", DueDate.parse("2026-01-05").at),
        (SortBy.DUE_DATE, None, None),
        (SortBy.PRIORITY, "medium", Priority.MEDIUM),
        (SortBy.TITLE, "Water the plants", "Water the plants"),
        (SortBy.TITLE, "", ""),
    ],
)
def test_the_key_is_what_postgresql_sorts_by(sort_by: SortBy, value: str | None, key: object) -> None:
    assert Cursor(sort_by, SortOrder.ASCENDING, value, ID).key() == key


@pytest.mark.parametrize("order", SortOrder)
@pytest.mark.parametrize("by", SortBy)
def test_a_cursor_is_good_for_its_own_order_only(by: SortBy, order: SortOrder) -> None:
    cursor = Cursor(SortBy.CREATED_AT, SortOrder.DESCENDING, TIME, ID)

    if (by, order) == (SortBy.CREATED_AT, SortOrder.DESCENDING):
        assert Cursor.decode(cursor.encode(), by, order) == cursor
    else:
        with pytest.raises(ValueError, match="another sort order"):
            Cursor.decode(cursor.encode(), by, order)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([], id="empty"),
        pytest.param({}, id="object"),
        pytest.param(None, id="null"),
        pytest.param(5, id="number"),
        pytest.param("title", id="string"),
        pytest.param("abcd", id="string of four"),
        pytest.param({"title": 1, "asc": 2, "x": 3, "y": 4}, id="object of four"),
        pytest.param(["title", "asc", "a"], id="too few"),
        pytest.param(["title", "asc", "a", str(ID), 1], id="too many"),
        pytest.param(["userId", "asc", "a", str(ID)], id="unknown sort"),
        pytest.param([None, "asc", "a", str(ID)], id="no sort"),
        pytest.param([["title"], "asc", "a", str(ID)], id="list for a sort"),
        pytest.param([{}, "asc", "a", str(ID)], id="object for a sort"),
        pytest.param(["title", "random()", "a", str(ID)], id="unknown order"),
        pytest.param(["title", ["asc"], "a", str(ID)], id="list for an order"),
        pytest.param(["title", "asc", "a", "1"], id="no UUID"),
        pytest.param(["title", "asc", "a", ""], id="empty id"),
        pytest.param(["title", "asc", "a", None], id="null id"),
        pytest.param(["title", "asc", "a", 5], id="number for an id"),
        pytest.param(["title", "asc", "a", [str(ID)]], id="list for an id"),
        pytest.param(["title", "asc", None, str(ID)], id="title null"),
        pytest.param(["title", "asc", 5, str(ID)], id="title number"),
        pytest.param(["title", "asc", ["a"], str(ID)], id="title list"),
        pytest.param(["title", "asc", "a\0", str(ID)], id="title with NUL"),
        pytest.param(["title", "asc", "\ud800", str(ID)], id="title with half a surrogate pair"),
        pytest.param(["priority", "asc", "urgent", str(ID)], id="priority unknown"),
        pytest.param(["priority", "asc", None, str(ID)], id="priority null"),
        pytest.param(["priority", "asc", ["low"], str(ID)], id="priority list"),
        pytest.param(["priority", "asc", {}, str(ID)], id="priority object"),
        pytest.param(["dueDate", "asc", "", str(ID)], id="due date empty"),
        pytest.param(["dueDate", "asc", "tomorrow", str(ID)], id="due date a word"),
        pytest.param(["dueDate", "asc", "9999-12-31T23:59:59-12:00", str(ID)], id="due date too late"),
        pytest.param(["dueDate", "asc", False, str(ID)], id="due date false"),
        pytest.param(["dueDate", "asc", 0, str(ID)], id="due date number"),
        pytest.param(["dueDate", "asc", [], str(ID)], id="due date list"),
        pytest.param(["createdAt", "asc", None, str(ID)], id="time null"),
        pytest.param(["createdAt", "asc", "2026-01-05T17:00:00", str(ID)], id="time without an offset"),
        pytest.param(["createdAt", "asc", 1767225600, str(ID)], id="time number"),
        pytest.param(["createdAt", "asc", "infinity", str(ID)], id="time infinite"),
        pytest.param(["updatedAt", "asc", {"a": 1}, str(ID)], id="time object"),
    ],
)
def test_what_is_not_one_of_ours_is_refused(parts: Json) -> None:
    sort_by = SortBy(parts[0]) if isinstance(parts, list) and parts and parts[0] in list(SortBy) else SortBy.TITLE

    with pytest.raises(ValueError, match="is not a cursor"):
        Cursor.decode(encode(parts), sort_by, SortOrder.ASCENDING)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("a", id="one character"),
        pytest.param("aGVsbG8", id="no JSON"),
        pytest.param("é", id="not ASCII"),
        pytest.param("\ud800", id="half a surrogate pair"),
        pytest.param(urlsafe_b64encode(b"\xff\xfe\xfd").decode(), id="no text"),
        pytest.param(urlsafe_b64encode(b"[" * 100_000).decode(), id="nested too deeply"),
        pytest.param(urlsafe_b64encode(b"9" * 5000).decode(), id="number too long"),
        pytest.param("0", id="offset"),
        pytest.param(str(ID), id="id"),
    ],
)
def test_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a cursor"):
        Cursor.decode(text, SortBy.TITLE, SortOrder.ASCENDING)


def test_a_cursor_that_was_cut_short_is_refused() -> None:
    cursor = Cursor(SortBy.CREATED_AT, SortOrder.DESCENDING, TIME, ID).encode()

    for length in range(len(cursor) - 1):
        with pytest.raises(ValueError, match="is not a cursor"):
            Cursor.decode(cursor[:length], SortBy.CREATED_AT, SortOrder.DESCENDING)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_ALMOST = st.tuples(
    st.sampled_from(SortBy) | _JSON,
    st.sampled_from(SortOrder) | _JSON,
    st.sampled_from([value for _, value in VALUES]) | _JSON,
    st.uuids().map(str) | st.text("0123456789abcdef-{}urnid:_", max_size=40) | _JSON,
).map(encode)


@given(
    text=_ALMOST | st.text(st.characters()) | st.binary().map(lambda content: urlsafe_b64encode(content).decode()),
    sort_by=st.sampled_from(SortBy),
    sort_order=st.sampled_from(SortOrder),
)
def test_any_text_is_a_cursor_or_refused(text: str, sort_by: SortBy, sort_order: SortOrder) -> None:
    try:
        cursor = Cursor.decode(text, sort_by, sort_order)
    except ValueError:
        return

    assert (cursor.sort_by, cursor.sort_order) == (sort_by, sort_order)
    assert isinstance(cursor.id, UUID)
    cursor.key()


@given(
    title=st.text(min_size=1, max_size=255).filter(lambda title: "\0" not in title),
    order=st.sampled_from(SortOrder),
)
def test_the_cursor_of_any_title_comes_back_as_it_was(title: str, order: SortOrder) -> None:
    cursor = Cursor(SortBy.TITLE, order, title, ID)

    assert Cursor.decode(cursor.encode(), SortBy.TITLE, order) == cursor
