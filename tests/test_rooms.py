"""What import-linter does not see: who may wait asynchronously."""

from __future__ import annotations

import ast
from pathlib import Path

import vsgen

_ASYNC = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)


def test_only_adapters_say_async() -> None:
    """Who writes async above the adapters writes everything twice."""
    package = Path(vsgen.__file__).parent
    above = [path for path in package.rglob("*.py") if path.relative_to(package).parts[0] != "backends"]
    assert len(above) > 100
    found = [
        path.name for path in above if any(isinstance(one, _ASYNC) for one in ast.walk(ast.parse(path.read_text())))
    ]
    assert found == []
