"""A reply in the very form that was asked for is read as all others are, only sooner."""

from __future__ import annotations

import json

import orjson
from hypothesis import given
from hypothesis import strategies as st

from vsgen.sampling.replies.clean import _STRICT, read_clean
from vsgen.sampling.replies.naming import names
from vsgen.sampling.replies.reading import Flaw
from vsgen.sampling.replies.records import records

KEYS = st.sampled_from(["text", "day", "probability", "p", "responses", "reasoning", "answers"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3))
ENTRIES = st.dictionaries(KEYS, st.one_of(SCALARS, st.lists(SCALARS, max_size=2)), max_size=3)
FORM = st.fixed_dictionaries({"text": st.one_of(st.text(max_size=3), SCALARS), "probability": SCALARS})
REPLIES = st.one_of(
    st.fixed_dictionaries({"responses": st.lists(FORM, max_size=3)}),
    st.fixed_dictionaries({"reasoning": st.one_of(SCALARS, FORM), "responses": st.lists(FORM, max_size=2)}),
    st.dictionaries(KEYS, st.one_of(SCALARS, st.lists(st.one_of(ENTRIES, SCALARS), max_size=2)), max_size=3),
)
NOWHERE = {0: Flaw(0, 0, closed=True)}
"""A flaw of no container, with which every reply is searched."""


@given(REPLIES, st.sampled_from([("text",), ("text", "day"), ("responses",), ("probability",)]), st.booleans())
def test_the_form_that_was_asked_for_needs_no_search(
    reply: dict[str, object], fields: tuple[str, ...], verbalized: bool
) -> None:
    asked = names(fields, verbalized=verbalized)
    found = records(reply, asked, trusted=True)
    assert repr(found) == repr(records(reply, asked, "", NOWHERE, trusted=True))


NUMBERS = st.one_of(
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.sampled_from(
        ["-0", "-0.0", "1e999", "1E5", "18446744073709551616", "0.1", "007", "1.", "NaN", "-1", "12345678901"]
    ),
)


@given(st.lists(NUMBERS, max_size=3), st.text(max_size=4))
def test_numbers_are_the_same_by_either_reader(numbers: list[str], text: str) -> None:
    reply = f"[{','.join((*numbers, json.dumps(text)))}]"
    assert repr(read_clean(reply)) == repr(_read_number_by_number(reply))


def _read_number_by_number(reply: str) -> object:
    try:
        value: object = _STRICT.decode(reply)
        if "\\u" in reply or not reply.isascii():
            orjson.loads(reply)
    except ValueError:
        return None
    return value
