from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from vsgen.engine.replay import Tally
from vsgen.files.journal import FileJournal
from vsgen.files.replies import Unreadable, read_reply, said_reply
from vsgen.values import (
    Call,
    Completion,
    Decide,
    Decided,
    Decision,
    Generate,
    Prompt,
    Reply,
    Score,
    Scores,
    Taught,
    Teach,
    TypedQuestion,
    Usage,
)

CALL = Generate(Prompt(prefill="x"), seed=1)
SCORE = Score(Prompt(prefill="x"), ("a", "b"))
DECIDE = Decide("x", (TypedQuestion("predicate", "Is it?"), TypedQuestion("choice", "Which?", ("a", "b", "c"))))


@pytest.mark.parametrize(
    ("call", "reply"),
    [
        (CALL, Completion("text", count=12, prompt_tokens=5)),
        (CALL, Completion("text", (1, 2), -1.0, -1.5)),
        (SCORE, Scores((-1.0, -3.0), 7, (-1.0, -math.inf), (-1.0, -2.0))),
        (SCORE, Scores((-1.0, -3.0), 7)),
        (DECIDE, Decided((Decision((0.25, 0.75), 0.5), Decision((0.1, 0.2, 0.7))), Usage(9, 2))),
        (DECIDE, Decided((Decision((1.0, 0.0)), Decision(problem="refused")))),
    ],
)
def test_what_only_a_server_says_is_read_back_as_it_was(tmp_path: Path, call: Call, reply: Reply) -> None:
    for _ in range(2):
        with FileJournal(tmp_path / "journal") as journal:
            key = journal.key("m", call)
            assert journal.find(key, call) in (None, reply)
            journal.add(key, "m", call, reply)
            assert journal.find(key, call) == reply


def test_a_line_of_a_local_reply_has_no_members_of_a_servers_reply() -> None:
    assert orjson.dumps(said_reply(Completion("x", (1,)))) == (
        b'{"text":"x","tokens":[1],"logp":null,"logq":null,"stopped":true,"prompt_tokens":0,"logps":[],"logqs":[]}'
    )
    assert orjson.dumps(said_reply(Scores((-1.0,)))) == b'{"logp":[-1.0],"prompt_tokens":0}'


def test_tokens_that_a_server_counts_are_counted_though_it_names_none() -> None:
    tally = Tally()
    tally.add(CALL, Completion("one", (1, 2, 3)))
    tally.add(CALL, Completion("two", count=4))
    assert tally.tokens == 7


@pytest.mark.parametrize(
    ("call", "reply"),
    [
        (CALL, Completion("x", count=4)),
        (SCORE, Scores((-1.0, -2.0))),
        (Teach(Prompt(prefill="x"), "y", 1), Taught((1,), (2,), (-1.0,), 1, b"abcd", b"efgh")),
    ],
)
def test_what_a_reply_took_is_read_back(tmp_path: Path, call: Call, reply: Completion | Scores | Taught) -> None:
    usage = Usage(9, 4, 1, 2, 3)
    with FileJournal(tmp_path / "journal") as journal:
        journal.add(journal.key("m", call), "m", call, replace(reply, usage=usage))
    with FileJournal(tmp_path / "journal") as journal:
        found = journal.find(journal.key("m", call), call)
    assert found == reply and isinstance(found, Completion | Scores | Taught) and found.usage == usage


@pytest.mark.parametrize(
    "usage", [7, {"prompt": 1}, {"prompt": -1, "drawn": 0, "hidden": 0, "cached": 0, "estimated": 0}]
)
def test_a_usage_that_is_none_makes_no_reply(usage: object) -> None:
    with pytest.raises(Unreadable):
        read_reply(SCORE, "score", {"logp": [-1, -2], "prompt_tokens": 0, "usage": usage})


def test_bounds_of_another_length_than_the_choices_are_no_reply() -> None:
    with pytest.raises(Unreadable):
        read_reply(SCORE, "score", {"logp": [-1, -2], "prompt_tokens": 0, "upper": [-1]})


@pytest.mark.parametrize(
    "decisions",
    [
        [{"probs": [0.5, 0.5], "mass": None, "problem": ""}],
        [{"probs": [0.5, 0.6], "mass": None, "problem": ""}, {"probs": [], "mass": None, "problem": "no"}],
        [{"probs": [1.5, -0.5], "mass": None, "problem": ""}, {"probs": [], "mass": None, "problem": "no"}],
        [{"probs": [1], "mass": None, "problem": ""}, {"probs": [], "mass": None, "problem": "no"}],
        [{"probs": [0, 1], "mass": 2, "problem": ""}, {"probs": [], "mass": None, "problem": "no"}],
        [{"probs": [0, 1], "mass": None, "problem": ""}, {"probs": [0, 0, 1], "mass": None, "problem": "no"}],
        [{"probs": [0, 1], "mass": None, "problem": ""}, {"probs": [], "mass": None, "problem": ""}],
        [{"probs": [0, 1], "mass": None, "problem": ""}, [0, 0, 1]],
    ],
)
def test_what_is_no_distribution_over_the_options_of_each_question_is_no_reply(decisions: object) -> None:
    with pytest.raises(Unreadable):
        read_reply(DECIDE, "decide", {"decisions": decisions})
