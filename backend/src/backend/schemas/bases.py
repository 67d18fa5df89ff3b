"""What the schemas of every noun have in common. Members are named as in JSON: `dueDate` for `due_date`."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Body(BaseModel):
    """The body of a request. Values are not converted: `"5"` is no number."""

    model_config = ConfigDict(strict=True, alias_generator=to_camel, use_enum_values=True)


class Parameters(BaseModel):
    """The query string of a request. Unknown names are refused; a docstring after a field is its description."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Answer(BaseModel):
    """The body of an answer. No member has a default, so that generated types mark none as optional."""

    model_config = ConfigDict(alias_generator=to_camel)
