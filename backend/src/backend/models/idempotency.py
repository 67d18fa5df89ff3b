"""The table of idempotency keys: the answers to requests that a client may repeat, for a day."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    text,
)
from sqlmodel import Field, SQLModel

from backend.models.tasks import TIME

MAX_KEY_LENGTH = 255
LIFETIME = "24 hours"


class IdempotencyKey(SQLModel, table=True):
    """A key that a user sent with a request that was done, what the request was, and the answer to it."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "key", name="pk_idempotency_keys"),
        ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_idempotency_keys_userId", ondelete="CASCADE"),
        CheckConstraint(f"char_length(key) BETWEEN 1 AND {MAX_KEY_LENGTH}", name="ck_idempotency_keys_key"),
        Index("ix_idempotency_keys_createdAt", "user_id", "created_at", "key"),
        {"info": {"service": ("SELECT", "INSERT", "DELETE")}},
    )

    user_id: str = Field(sa_column=Column("userId", Text, key="user_id", nullable=False))
    key: str = Field(sa_column=Column("key", Text(collation="C"), nullable=False))
    fingerprint: bytes = Field(sa_column=Column("fingerprint", LargeBinary, nullable=False))
    answer: str = Field(sa_column=Column("answer", Text, nullable=False))
    version: int = Field(sa_column=Column("version", Integer, nullable=False))
    created_at: datetime = Field(
        sa_column=Column("createdAt", TIME, key="created_at", nullable=False, server_default=text("now()"))
    )


idempotency_keys = SQLModel.metadata.tables["idempotency_keys"]
