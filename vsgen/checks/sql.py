"""Whether a text is SQL, by sqlglot (extra ``sql``), which parses it and runs nothing.

Statements that sqlglot knows by their first word only (EXPLAIN, VACUUM, CALL ...) pass. A bare expression, which it
would parse as well, is no statement: otherwise any two words were SQL.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from vsgen.errors import OptionError
from vsgen.extras import require

if TYPE_CHECKING:
    from sqlglot.errors import ParseError

_LONGEST: Final = 20_000
"""Characters; the parser is slower than those of JSON and Python."""


def require_sql(where: str, dialect: str | None) -> None:
    """See that SQL can be checked here.

    Args:
        where: What messages begin with.
        dialect: That is asked for; None is sqlglot's own, which is lenient.

    Raises:
        OptionError: sqlglot is not installed, or knows no such dialect.
    """
    require("sql", where=where, use="checking SQL")
    from sqlglot import Dialect

    if dialect is not None and Dialect.get(dialect) is None:
        known = ", ".join(sorted(name for name in Dialect.classes if name))
        raise OptionError(f"{where}: no dialect named {dialect[:60]!r}; there are: {known}")


def sql_problem(text: str, dialect: str | None) -> str | None:
    """Why a text is not valid SQL, in one line; None if every statement of it parses. Never raises.

    Args:
        text: One statement, or several with ``;`` between them.
        dialect: As for `require_sql`, which has passed.
    """
    from sqlglot import exp, parse
    from sqlglot.errors import ParseError, SqlglotError

    if len(text) > _LONGEST:
        return f"{len(text)} characters are too many to check as SQL: at most {_LONGEST:,}"
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it warns of statements that it knows by name only
    try:
        statements = [one for one in parse(text, dialect=dialect) if one is not None]
    except ParseError as error:
        return f"is not valid SQL: {_worded(error)}"
    except SqlglotError:
        return "is not valid SQL: a quote, a comment or a bracket is not closed"
    except (RecursionError, MemoryError):
        return "cannot be checked as SQL: nested too deeply"
    loose = (exp.Condition, exp.Alias, exp.Star, exp.Interval)
    if any(isinstance(one, loose) or (isinstance(one, exp.Select) and not one.expressions) for one in statements):
        return "is not valid SQL: an expression, not a statement"
    return None if statements else "is not valid SQL: contains no statement"


def _worded(error: ParseError) -> str:
    """The first problem of a text, without the excerpt that the library marks for a terminal."""
    first = error.errors[0] if error.errors else {}
    what = str(first.get("description") or error).split("<", 1)[0].strip().removesuffix("for").strip()
    line, column = first.get("line"), first.get("col")
    return f"line {line}, column {column}: {what}" if line else what
