"""The database tables. They are the only description of the schema; migrations are compared with them."""

from backend.models.tasks import Priority, Status, Task
from backend.models.users import users

__all__ = ["Priority", "Status", "Task", "users"]
