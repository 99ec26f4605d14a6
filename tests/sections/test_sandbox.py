"""Prompts are written in a part of Jinja that can neither hang nor fill the memory."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsgen.sections.misfit import TextProblem
from vsgen.sections.rendering import MAX_CHARS
from vsgen.sections.sandbox import compile_text

LONG = "a" * 10_000


@pytest.mark.parametrize(
    ("text", "values", "rendered"),
    [
        ("  Hi {{ x }}.\n", {"x": "é"}, "Hi é."),
        ("{{ a }} {{ b }} {{ c }} {{ d }}", {"a": 1, "b": 2.5, "c": True, "d": None}, "1 2.5 true null"),
        ("{{ a }} {{ b }}", {"a": ["é", 1], "b": {"k": None}}, '["é", 1] {"k": null}'),
        ("{% for x in xs if x > 1 %}{{ loop.index }}:{{ x }} {% else %}none{% endfor %}", {"xs": [1, 2, 3]}, "1:2 2:3"),
        ("{% for i in range(3) %}\n{{ i }}\n{% endfor %}", {}, "0\n1\n2"),
        ("{% if x is defined %}{{ x }}{% else %}none{% endif %}", {}, "none"),
        ("{{ x | default('none') }}", {}, "none"),
        ("{{ row.items }} {{ row['items'] }} {{ row.list.1 }}", {"row": {"items": 5, "list": "ab"}}, "5 5 b"),
        ("{{ xs | join(', ') }} {{ xs | sort | first }} {{ xs | tojson }}", {"xs": ["b", "a"]}, 'b, a a ["b", "a"]'),
        ("{{ x | upper | replace('A', 'o') | trim }}", {"x": " banana "}, "BoNoNo"),
        ("{{ 3 * 4 }} {{ 7 % 4 }} {{ x ~ 1 }} {{ x + x }}", {"x": "a"}, "12 3 a1 aa"),
        ("{% raw %}{{ x }}{% endraw %}{# a comment #}", {}, "{{ x }}"),
        ("<b> & 'q'", {}, "<b> & 'q'"),
    ],
)
def test_what_a_prompt_needs_is_there(text: str, values: dict[str, object], rendered: str) -> None:
    assert compile_text(text).render(values) == rendered


@pytest.mark.parametrize(
    "text",
    [
        "{% set x = 1 %}",
        "{% macro f() %}{% endmacro %}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% for x in y recursive %}{% endfor %}",
        "{{ x.upper() }}",
        "{{ self }}",
        "{{ range }}",
        "{{ 'a' ** 10**9 }}",
        "{{ 'a' | center(1000000000) }}",
        "{{ xs | random }}",
        "{{ x | attr('y') }}",
        "{{ x is callable }}",
        "{{ x",
        "{% if x %}",
        "{{ " + "(" * 500 + "x" + ")" * 500 + " }}",
        "{{ " + "9" * 5_000 + " }}",
        "{{ " + "x ~ " * 200_000 + "x }}",
        "{% for i in range(3) %}" * 101 + "{% endfor %}" * 101,
    ],
)
def test_what_can_grow_or_break_out_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(TextProblem) as caught:
        compile_text("one\n" + text)
    no_line = "digits" in str(caught.value)  # from Python, which does not say where
    assert caught.value.line == (1 if no_line else 2)


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 10 * 1.5 * x }}",
        "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}",
        "{% for a in range(200) %}{{ x }}{% endfor %}",
        "{{ range(1000000) }}",
        "{{ x | replace('a', x) }}",
        "{{ range(1000) | join(x) }}",
        "{{ " + "9999999999 * " * 60 + "1 }}",
        "{{ x.__class__ }}",
        "{{ x.upper }}",
        "{{ {}.nothing }}",
        "{{ 1 / 0 }}",
        "{{ x < 1 }}",
        "{% for c in 5 %}{% endfor %}",
    ],
)
def test_what_grows_or_fails_while_rendering_ends_with_a_problem(text: str) -> None:
    with pytest.raises(TextProblem):
        compile_text(text).render({"x": LONG})


def test_needed_are_the_variables_that_have_no_way_out() -> None:
    text = "{{ a }} {% for b in c %}{{ b }}{% endfor %} {{ d | default(1) }} {% if e is defined %}{{ e }}{% endif %}"
    assert compile_text(text).needed == {"a", "c"}


def test_rendering_leaves_the_values_alone() -> None:
    values: dict[str, object] = {"xs": [3, 1]}
    assert compile_text("{{ xs | sort }}").render(values) == "[1, 3]"
    assert values == {"xs": [3, 1]}


PIECES = (
    *(
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        " x ",
        "for",
        " in ",
        "if ",
        "endif",
        "endfor",
        "loop",
        "range",
        "not ",
        "is ",
    ),
    *("|", "join", "sort", "default", "(", ")", "[", "]", "'", '"', "*", "+", "~", ".", ":", ",", "1", "99999", "\n"),
)
pieces = st.sampled_from(PIECES)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(pieces, max_size=14).map("".join) | st.lists(pieces, max_size=9).map(lambda p: "{{ " + "".join(p) + " }}")
)
def test_no_text_raises_anything_but_a_text_problem(text: str) -> None:
    try:
        assert len(compile_text(text).render({"x": ["a", {"b": 1}]})) <= MAX_CHARS
    except TextProblem as problem:
        assert str(problem)
