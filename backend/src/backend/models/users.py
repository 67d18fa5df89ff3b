from sqlalchemy import Column, Table, Text
from sqlmodel import SQLModel

# Better Auth owns this table and its migrations. Only what the foreign key of `tasks` needs is named here.
users = Table("user", SQLModel.metadata, Column("id", Text, primary_key=True), info={"foreign": True})
