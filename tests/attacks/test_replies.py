"""What a model wrote, mutated: the short form of the campaign, and replies that are made to take long."""

from __future__ import annotations

import pytest

from tests.attacks.campaign_replies import attacks
from tests.attacks.reply_laws import broken_law
from tests.sampling.replies.counted import counted
from vsgen.sampling.replies.parse import parse_list

LENGTH = 100_000
UNITS = (
    *("[", "{", '{"a":', '"', "'", "\\", ",", "}", "]", ":", "[{", '[{"text":', '{"text":"', '["', '"a" ', '""', '","'),
    *('"text":', '"text":"a', '{"text":"a, ', '{"text":,', '{"text":"a"},"x":', '},"text":"a"', '"a""b"', "\\\"", "a,"),
    *("// ", "/*", "# ", "#}", "...", "<response>", "<think>", "</think>", "1. a\n", "text: a\n", "1_", "{a:{"),
)  # fmt: skip
STARTS = ("", '{"responses": [', '{"text": "', '["a" ', '[{"text": "a", "probability": 0.1}, ')


def test_mutated_replies_keep_the_laws() -> None:
    broken = [(broken_law(one.seed, one.replies, once=one.once), one.replies) for one in attacks(2000, 14)]
    assert [problem for problem in broken if problem[0]] == []


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS[::2])
def test_a_hostile_reply_is_read_to_its_end(start: str) -> None:
    """With anything quadratic, in Python or inside a regular expression, this runs for hours."""
    for unit in UNITS:
        reply = (start + unit * (LENGTH // len(unit)))[:LENGTH]
        parsed = parse_list(reply, ["text"])
        assert (parsed.problem is None) == bool(parsed.items)


@pytest.mark.slow
def test_blanks_before_many_values_are_passed_once() -> None:
    """With a look at the reply's beginning for each value, this runs for minutes."""
    assert parse_list("\n" * 500_000 + "[1]" * 150_000, ["text"]).items == ()


@pytest.mark.slow
@pytest.mark.parametrize("unit", ['"k{}":,', '"k{}":1,', '"k{}" 1,', "k{}:x,", '"k{}":{{"text":,'])
def test_a_reply_of_many_keys_is_read_to_its_end(unit: str) -> None:
    keys = "".join(unit.format(number) for number in range(2 * LENGTH // len(unit)))
    assert parse_list('[{"text": "a", "probability": 0.1}, {' + keys, ["text"]).items


def steps(reply: str) -> int:
    """How many functions of Python and C reading a reply takes."""
    return counted(lambda: parse_list(reply, ["text"]))


@pytest.mark.parametrize("start", STARTS)
def test_twice_the_reply_takes_at_most_twice_the_steps(start: str) -> None:
    for unit in UNITS:
        short, long = (steps(start + unit * (size // len(unit))) for size in (2000, 4000))
        assert long <= 2.1 * short + 300, unit
