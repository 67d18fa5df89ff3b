"""Which tables are ours, and what each role may do with them. Grants, admission and tests all follow this."""

from collections.abc import Mapping

from sqlalchemy import Table
from sqlmodel import SQLModel

from backend import models

type Rights = Mapping[str, tuple[str, ...]]
"""Privileges by the name of the table."""

WORKER_GROUP = "tasks_workers"
"""The role that the policies for workers name. Nobody logs in with it; the roles of workers are its members."""

SERVICE_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def our_tables() -> list[Table]:
    """Every table that our migrations create, and none of Better Auth's."""
    assert models.MODULES  # imported so that the metadata is complete
    return [table for table in SQLModel.metadata.sorted_tables if "foreign" not in table.info]


def of_service() -> Rights:
    """All of SERVICE_RIGHTS, unless a model declares with `info={"service": (…)}` that it needs fewer."""
    return {table.name: table.info.get("service", SERVICE_RIGHTS) for table in our_tables()}


def of_worker() -> Rights:
    """What a model declares with `info={"worker": ("SELECT",)}`; where it says nothing, nothing."""
    return {table.name: table.info.get("worker", ()) for table in our_tables()}
