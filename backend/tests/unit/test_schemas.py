"""What each field of a request may be."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import MISSING, BaseModel, ValidationError

from backend.models.tasks import Priority, Status
from backend.schemas.due_dates import DueDate
from backend.schemas.tasks import (
    SET_BY_THE_SERVER,
    Completion,
    SortBy,
    SortOrder,
    TaskCreate,
    TaskPatch,
    TaskPut,
    TaskQuery,
    TaskRead,
)
from support import Json

type Body = type[TaskCreate | TaskPut | TaskPatch]

BODIES = [TaskCreate, TaskPut, TaskPatch]
DAY = DueDate(datetime(2026, 1, 5, tzinfo=UTC), all_day=True)
INSTANT = DueDate(datetime(2026, 1, 5, 15, tzinfo=UTC), all_day=False)

all_bodies = pytest.mark.parametrize("body", BODIES)


def read(body: Body, **members: Json) -> dict[str, Json]:
    """What the service takes from a body, which gets a title where it needs one."""
    title = {"title": "Water the plants"} if body is TaskCreate else {}
    return sent(body.model_validate({**title, **members}))


def sent(body: TaskCreate | TaskPut | TaskPatch) -> dict[str, Json]:
    return {name: value for name, value in body if name in body.model_fields_set and value is not MISSING}


def faults(model: type[BaseModel], members: Json) -> set[str]:
    """The members that are refused; the empty string stands for the whole."""
    with pytest.raises(ValidationError) as refusal:
        model.model_validate(members)
    return {".".join(str(part) for part in fault["loc"]) for fault in refusal.value.errors()}


INVISIBLE = {
    "control characters": "\x01\x7f",
    "zero-width space": "\u200b",
    "joiners": "\u200c\u200d\u2060\ufeff",
    "directions": "\u202e\u2066\u200f",
    "soft hyphen": "\u00ad",
    "combining grapheme joiner": "\u034f",
    "variation selectors": "\ufe0f\U000e0100",
    "tags": "\U000e0067\U000e007f",
    "Hangul fillers": "\u115f\u1160\u3164\uffa0",
    "Braille blank": "\u2800",
    "Khmer vowels": "\u17b4\u17b5",
    "Mongolian selectors": "\u180b\u180e\u180f",
    "reserved": "\u2065\ufff0",
    "Egyptian blanks": "\U00013441",
    "Khitan filler": "\U00016fe4",
    "null notehead": "\U0001d159",
    "with a space within": "\u200b \u200b",
}


def refused(body: Body, name: str, value: Json) -> bool:
    title = {"title": "Water the plants"} if body is TaskCreate else {}
    return faults(body, {**title, name: value}) == {name}


# Text


@all_bodies
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("x", "x", id="one character"),
        pytest.param("x" * 255, "x" * 255, id="255 characters"),
        pytest.param("🌹" * 255, "🌹" * 255, id="255 characters of four bytes"),
        pytest.param(" " * 300 + "x" * 255 + " " * 300, "x" * 255, id="255 characters after trimming"),
        pytest.param("\n\t x y \r\n", "x y", id="white space around"),
        pytest.param("\N{NO-BREAK SPACE}x\N{IDEOGRAPHIC SPACE}", "x", id="other white space around"),
        pytest.param("a\nb", "a\nb", id="line break within"),
        pytest.param("\x01a\x7f", "\x01a\x7f", id="control characters"),
        pytest.param("\u200ba\u200b", "\u200ba\u200b", id="zero-width spaces"),
        pytest.param("👩\u200d🌾", "👩\u200d🌾", id="an emoji of several"),
        pytest.param("❤\ufe0f", "❤\ufe0f", id="an emoji with a variation selector"),
        pytest.param("🏴\U000e0067\U000e007f", "🏴\U000e0067\U000e007f", id="a flag with tags"),
        pytest.param("\u0301", "\u0301", id="an accent alone"),
        pytest.param("\ue000", "\ue000", id="for private use"),
        pytest.param("\U0003fffd", "\U0003fffd", id="not assigned yet"),
        pytest.param("ᄀ\u1160", "ᄀ\u1160", id="a Hangul syllable with a filler"),
        pytest.param("<b>'; --", "<b>'; --", id="markup"),
        pytest.param("Ärger", "Ärger", id="case is kept"),
    ],
)
def test_a_title_is_1_to_255_characters_after_trimming(body: Body, text: str, kept: str) -> None:
    assert read(body, title=text) == {"title": kept}


@all_bodies
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param(" \t\n\N{NO-BREAK SPACE}", id="blank"),
        pytest.param("x" * 256, id="256 characters"),
        pytest.param("x" * 100_000, id="100,000 characters"),
        pytest.param("a\0b", id="NUL"),
        pytest.param("\0", id="NUL alone"),
        pytest.param("\ud800", id="half a surrogate pair"),
        pytest.param("\udc00\ud800", id="surrogates in the wrong order"),
        pytest.param(None, id="null"),
        pytest.param(5, id="number"),
        pytest.param(True, id="true"),
        pytest.param(["x"], id="list"),
        pytest.param({"x": "x"}, id="object"),
        pytest.param(b"x", id="bytes"),
    ],
)
def test_any_other_title_is_refused(body: Body, value: Json) -> None:
    assert refused(body, "title", value)


@all_bodies
@pytest.mark.parametrize(
    "text", ["", " x ", "x" * 10_000, "🌹" * 10_000, "a\nb\tc", None], ids=lambda text: str(text)[:4]
)
def test_a_description_is_up_to_10000_characters_kept_as_they_are(body: Body, text: str | None) -> None:
    assert read(body, description=text)["description"] == text


@all_bodies
@pytest.mark.parametrize(
    "value", ["x" * 10_001, "a\0b", "\udfff", 5, False, [], {}], ids=lambda value: repr(value)[:8]
)
def test_any_other_description_is_refused(body: Body, value: Json) -> None:
    assert refused(body, "description", value)


@all_bodies
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("home", "home", id="plain"),
        pytest.param("  Home\n", "home", id="trimmed and lowered"),
        pytest.param("x" * 50, "x" * 50, id="50 characters"),
        pytest.param(" " * 99 + "X" * 50, "x" * 50, id="50 characters after trimming"),
        pytest.param("ÄRGER", "ärger", id="umlaut"),
        pytest.param("İ" * 25, "i̇" * 25, id="a letter that becomes two"),
        pytest.param("two words", "two words", id="space within"),
    ],
)
def test_a_category_is_trimmed_and_lowered_rather_than_refused(body: Body, text: str, kept: str) -> None:
    assert read(body, category=text)["category"] == kept


@all_bodies
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("  ", id="blank"),
        pytest.param("x" * 51, id="51 characters"),
        pytest.param("İ" * 26, id="52 characters after lowering"),
        pytest.param("a\0", id="NUL"),
        pytest.param("\ud800", id="half a surrogate pair"),
        pytest.param(None, id="null"),
        pytest.param(5, id="number"),
        pytest.param(["home"], id="list"),
    ],
)
def test_any_other_category_is_refused(body: Body, value: Json) -> None:
    assert refused(body, "category", value)


@given(text=st.text())
def test_a_category_that_was_kept_is_kept_as_it_is(text: str) -> None:
    """A filter by category is lowered in the same way, and has to find what was stored."""
    try:
        kept = TaskQuery.model_validate({"category": text}).category
    except ValidationError:
        return

    assert kept == read(TaskPatch, category=text)["category"] == read(TaskPatch, category=kept)["category"]


@all_bodies
@pytest.mark.parametrize("name", ["title", "category"])
@pytest.mark.parametrize("text", INVISIBLE.values(), ids=INVISIBLE)
def test_a_name_that_nobody_can_see_is_refused(body: Body, name: str, text: str) -> None:
    assert refused(body, name, text)


def test_text_that_may_be_empty_may_be_invisible() -> None:
    assert read(TaskPatch, description="\u200b") == {"description": "\u200b"}


# Choices


@all_bodies
@pytest.mark.parametrize("value", Priority)
def test_a_priority_is_one_of_three(body: Body, value: Priority) -> None:
    assert read(body, priority=value.value)["priority"] == value


@all_bodies
@pytest.mark.parametrize("value", ["", "urgent", "HIGH", " high", "high\0", None, 1, True, ["high"], {}], ids=repr)
def test_any_other_priority_is_refused(body: Body, value: Json) -> None:
    assert refused(body, "priority", value)


@pytest.mark.parametrize("value", ["", "done", "Pending", " pending", None, 0, False, ["pending"], {}], ids=repr)
def test_a_status_that_is_not_one_of_two_is_refused(value: Json) -> None:
    assert refused(TaskPatch, "status", value)


@pytest.mark.parametrize("value", [None, 0, 1, 1.0, "", "true", "True", "yes", [], {}], ids=repr)
@pytest.mark.parametrize("model", [TaskPatch, Completion])
def test_completed_is_true_or_false_and_nothing_like_it(model: type[BaseModel], value: Json) -> None:
    assert faults(model, {"completed": value}) == {"completed"}


# Due dates


@all_bodies
@pytest.mark.parametrize(
    ("text", "due"), [("2026-01-05", DAY), ("2026-01-05T17:00:00+02:00", INSTANT), (None, None)], ids=str
)
def test_a_due_date_is_a_day_an_instant_or_null(body: Body, text: str | None, due: DueDate | None) -> None:
    assert read(body, dueDate=text)["due_date"] == due


@all_bodies
@pytest.mark.parametrize(
    "value",
    [
        "tomorrow",
        " ",
        "2026-02-30",
        "2026-01-05T17:00:00",
        0,
        1767225600,
        1.5,
        True,
        False,
        [],
        ["2026-01-05"],
        {},
    ],
    ids=repr,
)
def test_any_other_due_date_is_refused(body: Body, value: Json) -> None:
    assert refused(body, "dueDate", value)


@pytest.mark.parametrize("body", [TaskCreate, TaskPut])
def test_an_empty_due_date_is_none_where_forms_are_sent_whole(body: Body) -> None:
    assert read(body, dueDate="")["due_date"] is None


def test_an_empty_due_date_is_refused_in_a_patch() -> None:
    assert refused(TaskPatch, "dueDate", "")


# What a body says as a whole


def test_a_new_task_has_defaults_for_all_but_its_title() -> None:
    new = TaskCreate.model_validate({"title": "Water the plants"})

    assert dict(new) == {
        "title": "Water the plants",
        "description": None,
        "priority": Priority.MEDIUM,
        "category": "other",
        "due_date": None,
    }


def test_a_new_task_without_a_title_is_refused() -> None:
    assert faults(TaskCreate, {"description": "x"}) == {"title"}


@pytest.mark.parametrize("body", [TaskPut, TaskPatch])
def test_nothing_sent_changes_nothing(body: Body) -> None:
    assert read(body) == {}


@pytest.mark.parametrize("body", [TaskPut, TaskPatch])
def test_fields_that_were_not_sent_are_left_alone_and_null_is_a_value(body: Body) -> None:
    assert read(body, description=None, dueDate=None) == {"description": None, "due_date": None}


READ_ONLY: dict[str, Json] = {
    "id": "x",
    "userId": 5,
    "completedAt": "never",
    "version": -1,
    "createdAt": [],
    "updatedAt": {},
}
UNKNOWN: dict[str, Json] = {"unknown": True, "due_date": "2026-01-05", "user_id": "x", "": None}


@pytest.mark.parametrize("body", [TaskCreate, TaskPut])
def test_members_that_only_the_server_sets_are_ignored_where_a_whole_task_may_be_sent(body: Body) -> None:
    members = read(body, title="x", **READ_ONLY, status="completed", completed="nonsense")

    assert members == {"title": "x"}


def test_they_are_the_members_of_a_task_that_cannot_be_set() -> None:
    members = {field.alias or name for name, field in TaskRead.model_fields.items()}
    settable = {field.alias or name for name, field in TaskCreate.model_fields.items()}

    assert members - settable == SET_BY_THE_SERVER
    assert {*READ_ONLY, "status", "completed"} == SET_BY_THE_SERVER


@pytest.mark.parametrize("name", READ_ONLY)
def test_such_members_are_refused_in_a_patch(name: str) -> None:
    assert refused(TaskPatch, name, READ_ONLY[name])


@all_bodies
@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_members_are_refused(body: Body, name: str) -> None:
    assert refused(body, name, UNKNOWN[name])


def test_every_fault_of_a_body_is_found_at_once() -> None:
    assert faults(TaskPatch, {"title": "", "priority": "x", "dueDate": "x", "extra": 1}) == {
        "title",
        "priority",
        "dueDate",
        "extra",
    }


@pytest.mark.parametrize("value", [None, [], "x", 5, True, [{"title": "x"}], [["title", "x"]]], ids=repr)
@pytest.mark.parametrize("model", [*BODIES, Completion])
def test_a_body_that_is_no_object_is_refused(model: type[BaseModel], value: Json) -> None:
    assert faults(model, value) == {""}


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"status": "completed"}, Status.COMPLETED),
        ({"status": "pending"}, Status.PENDING),
        ({"completed": True}, Status.COMPLETED),
        ({"completed": False}, Status.PENDING),
        ({"status": "completed", "completed": True}, Status.COMPLETED),
        ({"status": "pending", "completed": False}, Status.PENDING),
    ],
    ids=str,
)
def test_a_patch_sets_the_state_by_either_name(members: dict[str, Json], status: Status) -> None:
    assert read(TaskPatch, **members) == {"status": status}


@pytest.mark.parametrize(("status", "completed"), [("completed", False), ("pending", True)])
def test_a_patch_that_contradicts_itself_is_refused(status: str, completed: bool) -> None:
    assert faults(TaskPatch, {"status": status, "completed": completed}) == {""}


@pytest.mark.parametrize("members", [{}, {"completed": True, "status": "completed"}, {"Completed": True}], ids=str)
def test_completion_takes_completed_and_nothing_else(members: dict[str, Json]) -> None:
    assert faults(Completion, members)


# Queries


def test_a_query_has_defaults_for_everything() -> None:
    query = TaskQuery.model_validate({})

    assert query.model_dump(exclude_none=True) == {
        "sort_by": SortBy.CREATED_AT,
        "sort_order": SortOrder.DESCENDING,
        "limit": 1000,
    }


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("2", 2), ("999", 999), ("1000", 1000), ("0000000007", 7)])
def test_a_limit_is_1_to_1000(text: str, limit: int) -> None:
    assert TaskQuery.model_validate({"limit": text}).limit == limit


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "1001", "-1", "+1", "1.0", "1e2", "1_0", " 7", "7 ", "0x7", "9" * 19, "9" * 5000, "all", "nan"),
        *("True", "\0", "\N{FULLWIDTH DIGIT SEVEN}", "\N{SUPERSCRIPT TWO}", "\N{ARABIC-INDIC DIGIT TWO}"),
    ],
    ids=lambda text: repr(text)[:12],
)
def test_any_other_limit_is_refused(text: str) -> None:
    assert faults(TaskQuery, {"limit": text}) == {"limit"}


@pytest.mark.parametrize(
    "text", ["x" * 200, "a b c d e f g h i j", " a\tb\nc ", "100%_", "🌹" * 200], ids=lambda text: text[:8]
)
def test_a_search_is_up_to_200_characters_and_10_words(text: str) -> None:
    assert TaskQuery.model_validate({"search": text}).search == text


@pytest.mark.parametrize(
    "text", ["x" * 201, "a b c d e f g h i j k", "a\0", "\ud800"], ids=lambda text: repr(text)[:8]
)
def test_any_other_search_is_refused(text: str) -> None:
    assert faults(TaskQuery, {"search": text}) == {"search"}


def test_an_empty_search_is_none() -> None:
    """A form that is sent with its search field empty means all tasks."""
    assert TaskQuery.model_validate({"search": ""}).search is None


@pytest.mark.parametrize("name", ["due_after", "due_before"])
@pytest.mark.parametrize(("text", "instant"), [("2026-01-05", DAY.at), ("2026-01-05T17:00:00+02:00", INSTANT.at)])
def test_a_day_in_a_query_is_its_midnight_in_utc(name: str, text: str, instant: datetime) -> None:
    assert getattr(TaskQuery.model_validate({name: text}), name) == instant


@pytest.mark.parametrize("name", ["due_after", "due_before"])
@pytest.mark.parametrize("text", ["", "now", "2026-02-30", "2026-01-05T17:00:00", "0001-01-01"])
def test_any_other_time_in_a_query_is_refused(name: str, text: str) -> None:
    assert faults(TaskQuery, {name: text}) == {name}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("status", ""),
        ("status", "done"),
        ("status", "PENDING"),
        ("priority", ""),
        ("priority", "urgent"),
        ("category", ""),
        ("category", "x" * 51),
        ("category", "\0"),
        ("sort_by", ""),
        ("sort_by", "created_at"),
        ("sort_by", "userId"),
        ("sort_by", "title; DROP TABLE tasks"),
        ("sort_order", ""),
        ("sort_order", "DESC"),
        ("sort_order", "random"),
        ("cursor", "x" * 4097),
    ],
)
def test_any_other_choice_in_a_query_is_refused(name: str, text: str) -> None:
    assert faults(TaskQuery, {name: text}) == {name}


def test_a_cursor_is_up_to_4096_characters() -> None:
    assert TaskQuery.model_validate({"cursor": "x" * 4096}).cursor == "x" * 4096


@pytest.mark.parametrize("name", ["page", "offset", "sortBy", "dueAfter", "Status", "user_id", ""])
def test_an_unknown_parameter_is_refused(name: str) -> None:
    """A filter with a misspelt name would otherwise answer with more than was asked for."""
    assert faults(TaskQuery, {name: "1"}) == {name}


# Whatever else there may be

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_NAMES = ["title", "description", "status", "completed", "priority", "category", "dueDate"]
_LIKELY = st.text(max_size=260) | st.sampled_from([*Priority, *Status, True, False, "2026-01-05", ""]) | _JSON


@given(members=st.dictionaries(st.sampled_from(_NAMES), _LIKELY, max_size=4))
@pytest.mark.parametrize("body", BODIES)
def test_of_any_body_only_what_the_database_can_hold_is_accepted(body: Body, members: dict[str, Json]) -> None:
    try:
        fields = sent(body.model_validate(members))
    except ValidationError:
        return

    texts = {name: fields[name] for name in ("title", "description", "category") if fields.get(name) is not None}
    assert all("\0" not in text and text.encode() is not None for text in texts.values())
    assert 1 <= len(texts.get("title", "x")) <= 255
    assert 1 <= len(texts.get("category", "x")) <= 50
    assert all(texts[name] == texts[name].strip() for name in texts.keys() & {"title", "category"})
    assert fields.get("priority", "low") in set(Priority)
    assert fields.get("status", "pending") in set(Status)
    assert isinstance(fields.get("due_date"), DueDate | None)
    assert "completed" not in fields
