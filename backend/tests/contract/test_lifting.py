"""The folder auth/ can be copied into another project, as docs/better-auth.md says."""

import shutil
import subprocess
import sys
from pathlib import Path

from backend import auth

PROGRAM = """
import sys
from importlib import import_module
from pathlib import Path

sys.modules["backend"] = None  # importing it, or anything in it, is an ImportError from here on
for path in Path("borrowed").glob("*.py"):
    import_module("borrowed" if path.stem == "__init__" else f"borrowed.{path.stem}")
print(sorted(name for name in sys.modules if name.startswith(("borrowed", "backend."))))
"""


def test_the_package_of_authentication_stands_alone(tmp_path: Path) -> None:
    source = Path(auth.__file__).parent
    shutil.copytree(source, tmp_path / "borrowed", ignore=shutil.ignore_patterns("__pycache__"))

    program = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert program.returncode == 0, program.stderr
    modules = {f"borrowed.{path.stem}" for path in source.glob("*.py")} - {"borrowed.__init__"}
    assert program.stdout.strip() == str(sorted({"borrowed", *modules}))
