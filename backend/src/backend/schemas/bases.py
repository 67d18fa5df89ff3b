"""What the schemas of every noun have in common. Members are named as in JSON: `dueDate` for `due_date`."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel


class Body(BaseModel):
    """The body of a request. Values are not converted: `"5"` is no number. Unknown members are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel, use_enum_values=True)

    ignored: ClassVar[frozenset[str]] = frozenset()
    """Members, as in JSON, that are neither known nor refused."""

    @model_validator(mode="before")
    @classmethod
    def _leave_out_ignored(cls, members: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(members, dict) and not cls.ignored.isdisjoint(members):
            return {name: value for name, value in members.items() if name not in cls.ignored}
        return members


class Parameters(BaseModel):
    """The query string of a request. Unknown names are refused; a docstring after a field is its description."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Answer(BaseModel):
    """The body of an answer. No member has a default, so that generated types mark none as optional."""

    model_config = ConfigDict(alias_generator=to_camel)
