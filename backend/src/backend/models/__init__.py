"""The database tables. Importing this package imports its modules, which makes `SQLModel.metadata` complete.

Migrations, grants and the tests of policies walk that metadata, so a new table needs no entry anywhere.
"""

from importlib import import_module
from pkgutil import iter_modules

MODULES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
