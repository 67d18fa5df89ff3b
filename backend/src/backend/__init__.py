"""A multi-tenant task backend for apps whose users sign in with Better Auth."""

from importlib.metadata import version

__version__ = version("tasks-backend")
