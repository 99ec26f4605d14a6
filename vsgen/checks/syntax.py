"""Built-in checks: whether a text is JSON, Python or SQL. Each parses and never runs what it reads.

What a model wrote is untrusted: a text is refused unread where it is longer than `LONGEST` characters, and a parser
that runs out of stack or memory on a deeply nested one refuses it.
"""

from __future__ import annotations

import ast
import warnings
from typing import Final, assert_never

import orjson

from vsgen.checks.settings import Syntax
from vsgen.checks.sql import sql_problem

LONGEST: Final = 100_000
_FENCE: Final = ("```", "~~~")


def problem(syntax: Syntax, text: str, *, dialect: str | None = None) -> str | None:
    """Why a text does not parse, in one line, with the place where that is known; None if it does. Never raises.

    Args:
        syntax: What it should be.
        text: As the model wrote it.
        dialect: Of SQL; see `vsgen.checks.sql`.
    """
    if len(text) > LONGEST:
        return f"{len(text)} characters are too many to check: at most {LONGEST:,}"
    if text.lstrip().startswith(_FENCE):
        return f"is not valid {syntax.upper() if syntax != 'python' else 'Python'}: begins with a Markdown fence"
    match syntax:
        case "json":
            return _json_problem(text)
        case "python":
            return _python_problem(text)
        case "sql":
            return sql_problem(text, dialect)
        case never:
            assert_never(never)


def _json_problem(text: str) -> str | None:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return f"is not valid JSON: line {error.lineno}, column {error.colno}: {error.msg}"
    return None


def _python_problem(text: str) -> str | None:
    if "\0" in text:
        return "is not valid Python: holds a null character"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape is still Python
            ast.parse(text)
    except SyntaxError as error:
        return f"is not valid Python: line {error.lineno}: {error.msg}"
    except (RecursionError, MemoryError):
        return "cannot be checked as Python: nested too deeply"
    except ValueError as error:
        return f"is not valid Python: {error}"
    return None
