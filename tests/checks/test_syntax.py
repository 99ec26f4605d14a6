"""The built-in checks: what parses passes, what does not is told with its place, and no text can do harm."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.checks.settings import Syntax
from vsgen.checks.sql import require_sql
from vsgen.checks.syntax import LONGEST, problem
from vsgen.errors import OptionError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("syntax", "text"),
    [
        ("json", '{"a": [1, 2.5, null]}'),
        ("json", " 3 "),
        ("python", "def f(x):\n    return x + 1\n"),
        ("python", "import os\nos.remove('/')"),
        ("python", r"pattern = '\d'"),
        ("python", "# nothing but a comment"),
        ("sql", "SELECT name FROM users WHERE age > 3"),
        ("sql", "DROP TABLE users; SELECT 1;"),
        ("sql", "WITH a AS (SELECT 1) SELECT * FROM a"),
        ("sql", "INSERT INTO t VALUES (1, 'x')"),
        ("sql", "EXPLAIN SELECT 1"),
        ("sql", "CREATE TABLE t (a INT)"),
    ],
)
def test_what_parses_passes_and_is_not_run(syntax: Syntax, text: str) -> None:
    assert problem(syntax, text) is None


@pytest.mark.parametrize(
    ("syntax", "text", "told"),
    [
        ("json", '{"a": 1,}', "is not valid JSON: line 1, column 8: trailing comma"),
        ("json", "{'a': 1}", "is not valid JSON: line 1"),
        ("json", "NaN", "is not valid JSON: line 1"),
        ("json", "", "is not valid JSON: line 1"),
        ("python", "x = 1\ny = (2\n", "is not valid Python: line 2: '(' was never closed"),
        ("python", "Sure, here is the code:", "is not valid Python: line 1"),
        ("python", "```python\nx = 1\n```", "is not valid Python: begins with a Markdown fence"),
        ("python", "x = '\0'", "is not valid Python: holds a null character"),
        ("python", "x = '\ud800'", "is not valid Python: "),
        ("sql", "SELECT * FROM t WHERE", "is not valid SQL: line 1, column 21: Required keyword: 'this' missing"),
        ("sql", "select * form t", "is not valid SQL: line 1, column 15"),
        ("sql", "INSERT INTO t VALUES (1, 2", "is not valid SQL: line 1"),
        ("sql", "select 'abc", "is not valid SQL: a quote, a comment or a bracket is not closed"),
        ("sql", "hello world", "is not valid SQL: an expression, not a statement"),
        ("sql", "1 + 1", "is not valid SQL: an expression, not a statement"),
        ("sql", "select", "is not valid SQL: an expression, not a statement"),
        ("sql", "-- a comment", "is not valid SQL: contains no statement"),
    ],
)
def test_what_does_not_parse_is_told_with_its_place(syntax: Syntax, text: str, told: str) -> None:
    found = problem(syntax, text)
    assert found is not None
    assert found.startswith(told)
    assert "\n" not in found
    assert "\x1b" not in found


BOMBS = [
    *("(", "[", "{", "-", "not ", "a.", "1+", "1**", "lambda:", "1 if 1 else ", "f(", "'", "\\", "if 1:\n ", "f'{"),
    *("elif 1:0\n", "@a\n", "select (", "select (select ", "case when 1 then ", "union select 1 ", "/*", "1", '{"a":'),
]


@pytest.mark.parametrize("syntax", get_args(Syntax))
@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("size", [5_000, LONGEST, LONGEST + 100])
def test_no_text_breaks_a_parser(syntax: Syntax, bomb: str, size: int) -> None:
    found = problem(syntax, "x = " * (syntax == "python") + bomb * (size // len(bomb)))
    assert found is None or len(found) < 300


def test_a_text_that_is_too_long_is_refused_unread() -> None:
    assert problem("python", "x\n" * LONGEST) == f"{2 * LONGEST} characters are too many to check: at most {LONGEST:,}"
    assert "too many to check as SQL" in str(problem("sql", "select 1" + " " * 20_000))


@given(JSON)
def test_all_json_is_json(value: object) -> None:
    assert problem("json", json.dumps(value)) is None


@given(st.sampled_from(get_args(Syntax)), st.text())
def test_no_text_raises(syntax: Syntax, text: str) -> None:
    problem(syntax, text)


def test_a_dialect_decides_what_sql_is() -> None:
    assert problem("sql", "SELECT `a` FROM t", dialect="mysql") is None
    assert problem("sql", "SELECT `a` FROM t", dialect="postgres") is not None


def test_an_unknown_dialect_is_named_with_those_that_there_are() -> None:
    require_sql("t.yaml: check.query", "sqlite")
    with pytest.raises(OptionError, match=r"t.yaml: check.query: no dialect named 'sqllite'; there are: .*sqlite"):
        require_sql("t.yaml: check.query", "sqllite")
