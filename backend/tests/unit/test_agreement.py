"""A schema that does not fit its table is found when it is imported, and the error says what disagrees."""

from typing import Annotated
from uuid import UUID

import pytest
from pydantic import MISSING, BaseModel, ConfigDict, Field
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

from backend.models.tasks import PRIORITY, TIME, Priority
from backend.postgres import json
from backend.schemas.agreement import Disagreement, check_answer, check_bodies
from backend.schemas.bases import Answer, Body

# Not in the service's own metadata, which is what migrations are compared with.
TABLE = Table(
    "notes",
    SQLModel.metadata.__class__(),
    Column("id", Uuid, nullable=False),
    Column("userId", Text, key="user_id", nullable=False),
    Column("title", Text, nullable=False),
    Column("priority", PRIORITY, nullable=False, server_default=Priority.MEDIUM),
    Column("estimate", Integer),
    Column("url", Text),
    Column("doneAt", TIME, key="done_at"),
    Column("pinned", Boolean, nullable=False, server_default=text("false")),
    Column("parentId", Uuid, key="parent_id"),
    PrimaryKeyConstraint("user_id", "id"),
    CheckConstraint("char_length(title) BETWEEN 1 AND 255", name="ck_notes_title"),
    CheckConstraint("estimate BETWEEN 0 AND 1440", name="ck_notes_estimate"),
)

Title = Annotated[str, Field(min_length=1, max_length=255)]
Estimate = Annotated[int, Field(ge=0, le=1440)]


class Create(Body):
    title: Title
    pinned: bool = False
    priority: Priority = Priority.MEDIUM
    estimate: Estimate | None = None


class Patch(Body):
    title: Title | MISSING = MISSING
    pinned: bool | MISSING = MISSING
    priority: Priority | MISSING = MISSING
    estimate: Estimate | MISSING | None = MISSING


class Read(Answer):
    id: UUID
    user_id: str
    title: str
    priority: Priority
    estimate: int | None
    done_at: str | None  # computed
    pinned: bool
    parent_id: UUID | None


def test_what_agrees_is_accepted() -> None:
    check_bodies(TABLE, Create, Patch)
    check_answer(TABLE, Read, computed={"done_at"}, hidden={"url"})


class Renamed(Body):
    name: Title


class Null(Body):
    title: Title | None = None


class NotNull(Body):
    estimate: Estimate = 0


class OtherType(Body):
    estimate: str | None = None


class OtherDefault(Body):
    priority: Priority = Priority.LOW


class NoDefault(Body):
    title: Title = "x"


class Longer(Body):
    title: Annotated[str, Field(min_length=1, max_length=300)]


class More(Body):
    estimate: Annotated[int, Field(ge=0, le=9999)] | None = None


class Unbounded(Body):
    url: str | None = None


class OtherMember(BaseModel):
    user_id: str


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        (Renamed, "Renamed.name has no column in the table notes."),
        (Null, "Null.title may be null, unlike the column notes.title."),
        (NotNull, "NotNull.estimate may not be null, unlike the column notes.estimate."),
        (OtherType, "OtherType.estimate is not of the type int, as the column notes.estimate is."),
        (OtherDefault, "OtherDefault.priority is <Priority.LOW: 'low'> by default, but the column notes.priority"),
        (NoDefault, "NoDefault.title is 'x' by default, but the column notes.title is None."),
        (Longer, "Longer.title has maxLength 300, which is not in ck_notes_title."),
        (More, "More.estimate has maximum 9999, which is not in ck_notes_estimate."),
        (Unbounded, "The column notes.url is set by Unbounded, but has no CHECK named ck_notes_url."),
        (OtherMember, "OtherMember.user_id is user_id in JSON, but its column's name is userId."),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_body_that_disagrees_with_a_column_is_refused(schema: type[BaseModel], sentence: str) -> None:
    with pytest.raises(Disagreement) as refusal:
        check_bodies(TABLE, schema)

    assert str(refusal.value).startswith(sentence)


def test_a_field_that_one_body_lacks_is_missed() -> None:
    with pytest.raises(Disagreement, match="Longer has no field pinned, which Create has"):
        check_bodies(TABLE, Create, Longer)


def test_a_column_that_the_answer_lacks_is_missed() -> None:
    with pytest.raises(Disagreement, match="Read has no field url, which is a column of notes"):
        check_answer(TABLE, Read, computed={"done_at"})


def test_an_answer_that_disagrees_with_a_column_is_refused() -> None:
    with pytest.raises(Disagreement, match=r"Read\.done_at is not of the type datetime"):
        check_answer(TABLE, Read, hidden={"url"})


class WithExample(Read):
    model_config = ConfigDict(
        json_schema_extra={"example": {"id": "x", "userId": "x", "title": "x", "colour": "x"}}
    )


def test_an_example_with_other_members_is_refused() -> None:
    with pytest.raises(Disagreement, match="is in the example of WithExample or in its fields, but not in both"):
        check_answer(TABLE, WithExample, computed={"done_at"}, hidden={"url"})


def sql_of(expression: json.Sql) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped
    return str(expression.compile(dialect=dialect))


class Whole(Answer):
    done_at: str | None
    estimate: int | None
    pinned: bool
    priority: Priority
    parent_id: UUID | None
    id: UUID


def test_the_json_of_a_row_follows_the_answer() -> None:
    """Its members and their order; the form of each comes from the type of its column."""
    assert sql_of(json.row(TABLE, Whole)) == (
        """concat('{"doneAt":', coalesce(CAST(to_char(timezone('UTC', notes."doneAt"), """
        r"""'\"YYYY-MM-DD"T"HH24:MI:SS.US"Z"\"') AS TEXT), 'null'), """
        """',"estimate":', coalesce(CAST(notes.estimate AS TEXT), 'null'), """
        """',"pinned":', CAST(notes.pinned AS TEXT), ',"priority":"', notes.priority, """
        """'","parentId":', coalesce(CAST(to_json(CAST(notes."parentId" AS TEXT)) AS TEXT), 'null'), """
        """',"id":"', notes.id, '"}')"""
    )


def test_a_member_that_is_neither_a_column_nor_computed_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Renamed\.name is no column of notes, and is not computed\."):
        json.row(TABLE, Renamed)


@pytest.mark.parametrize("kind", [LargeBinary(), DateTime(timezone=False)], ids=str)
def test_a_type_that_has_no_form_in_json_is_refused(kind: LargeBinary | DateTime) -> None:
    with pytest.raises(TypeError, match=f"The column x has the type {kind}, which"):
        json.value_of(Column("x", kind))
