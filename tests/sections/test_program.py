"""What a text renders to is what Jinja itself would render, which runs nothing here."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined, Undefined, meta
from jinja2.filters import do_reverse, sync_do_unique
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from vsgen.sections.misfit import TextProblem
from vsgen.sections.sandbox import compile_text

VALUES: dict[str, Any] = {
    "t": "Où est Zoé? a,b",
    "n": 3,
    "f": 2.5,
    "no": False,
    "z": None,
    "xs": [3, 1, 2, 3],
    "ws": ["b", "A", "a", "é"],
    "row": {"items": 5, "k": [1, "x", {"deep": "y"}], "e": ""},
    "rows": [{"a": 2, "b": "x"}, {"a": 1, "b": "Y"}],
    "pairs": [["a", 1], ["b", 2]],
    "empty": [],
}


class _Jinja(ImmutableSandboxedEnvironment):
    """Jinja with the same keys behind a dot, and neither formatted nor repeated texts."""

    intercepted_binops = frozenset("*%")

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise TypeError(operator)
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        return getattr(obj, attribute) if isinstance(obj, LoopContext) else self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(argument, slice):  # of a constant; of any other value, Jinja's program does it itself
            return obj[argument]
        if isinstance(obj, Undefined | Mapping | Sequence):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                pass
        return self.undefined(obj=obj, name=argument)


def _natural(value: Any) -> Any:
    if isinstance(value, str | Undefined):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return _tojson(value)


def _tojson(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, Iterator) else value, ensure_ascii=False)


def _join(values: Any, separator: str = "") -> str:
    return separator.join(str(_natural(value)) for value in values)


JINJA = _Jinja(undefined=StrictUndefined, finalize=_natural, trim_blocks=True, lstrip_blocks=True, optimized=False)
JINJA.globals = {"range": range}
JINJA.filters |= {"join": _join, "tojson": _tojson}
JINJA.filters |= {"unique": lambda *a, **k: list(sync_do_unique(JINJA, *a, **k))}  # a list here, and an error at once
JINJA.filters |= {"reverse": lambda value: value[::-1] if isinstance(value, str) else list(do_reverse(value))}


def jinjas(text: str) -> str | None:
    """What Jinja renders; None if it cannot."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Jinja compiles it to may be odd Python
        try:
            return JINJA.from_string(text).render(VALUES).strip()
        except Exception:
            return None


def ours(text: str) -> str | None:
    try:
        return compile_text(text).render(VALUES)
    except TextProblem:
        return None


FILTERS = """capitalize count length default('d') d(1,true) first float int last list lower max min reverse sort string
sort(reverse=true) sort(attribute='a') sum sum(attribute='a') title trim trim('Oa') truncate(4) unique upper
truncate(5,true,'…',0) wordcount join join(',') replace('a','bb') tojson int(7,16) int('a') int(none)
float('a') max(attribute='b')
sort(true,true) unique(true) min(case_sensitive=true) sort(attribute='b,a') sum(start=2)"""
TESTS = """boolean defined divisibleby(2) even false float in(xs) integer iterable lower mapping none number odd
sequence string true undefined upper eq(3) lt(2) ge(1) ne('a')"""
LEAVES = """missing 1 -2 0.5 'a' true none range(3) x y loop.index loop.last loop.length loop.revindex0
loop.previtem loop.depth row.k.2.deep rows.0.a [] loop.no"""


def _inner(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    signs = st.sampled_from(
        [*"+-~", "and", "or", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "*", "//", "%", "/"]
    )
    return st.one_of(
        st.tuples(inner, signs, inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(inner, st.sampled_from(FILTERS.split())).map(lambda p: f"({p[0]}|{p[1]})"),
        st.tuples(inner, st.sampled_from(TESTS.split())).map(lambda p: f"({p[0]} is {p[1]})"),
        inner.map("(not {})".format),
        inner.map("(-{})".format),
        two.map(lambda p: f"[{p[0]}, {p[1]}]"),
        two.map(lambda p: f"({p[0]}, {p[1]})"),
        inner.map("{{'k': {}}}".format),
        two.map(lambda p: f"{p[0]}[{p[1]}]"),
        inner.map("{}[1:]".format),
        inner.map("{}[::-1]".format),
        inner.map("{}.items".format),
        inner.map("{}.a".format),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        two.map(lambda p: f"({p[0]} if {p[1]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} < {p[1]} <= {p[2]})"),
    )


expressions = st.recursive(
    st.sampled_from([*VALUES, *LEAVES.split()]),
    _inner,
    max_leaves=5,
)


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(expressions, inner, inner).map(
            lambda p: f"{{% if {p[0]} %}}\n{p[1]}{{% elif n %}}{p[2]}{{% else %}}-{{% endif %}}\n"
        ),
        st.tuples(st.sampled_from(["x", "y", "x, y", "n"]), expressions, inner).map(
            lambda p: f"{{% for {p[0]} in {p[1]} %}}{p[2]} {{% else %}}none{{{{ x }}}}{{% endfor %}}"
        ),
        st.tuples(st.sampled_from(["x", "x, y"]), expressions, expressions, inner).map(
            lambda p: f"  {{% for {p[0]} in {p[1]} if {p[2]} %}}\n{p[3]}{{% endfor %}}"
        ),
    )


texts = st.recursive(st.just("text ") | expressions.map("{{{{ {} }}}}".format), _blocks, max_leaves=4)


@pytest.mark.parametrize("count", [400, pytest.param(2_000, marks=pytest.mark.slow)])
def test_a_text_renders_as_in_jinja_and_fails_where_it_fails(count: int) -> None:
    @settings(max_examples=count, deadline=None)
    @given(texts)
    def check(text: str) -> None:
        assert ours(text) == jinjas(text)

    check()


@settings(max_examples=300, deadline=None)
@given(texts)
def test_the_names_that_a_text_needs_are_those_that_jinja_finds(text: str) -> None:
    try:
        found = meta.find_undeclared_variables(JINJA.parse(text))
        needed = compile_text(text).needed
    except Exception:
        return
    assert needed <= found
    assert "defined" in text or "default" in text or "|d(" in text or needed == found
