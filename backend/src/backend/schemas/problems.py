from pydantic import BaseModel, ConfigDict, Field


class FaultRead(BaseModel):
    pointer: str = Field(examples=["/title"])
    detail: str


class ProblemRead(BaseModel):
    """Problem details (RFC 9457). `errors` is there for invalid values only."""

    model_config = ConfigDict(
        json_schema_extra={"required": ["type", "title", "status", "detail", "code", "requestId"]}
    )

    type: str = Field(examples=["/errors/task-not-found"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["task-not-found"])
    requestId: str
    errors: list[FaultRead] = []
