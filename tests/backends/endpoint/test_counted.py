"""What a call took is what the server counts, else an estimate that says so."""

from __future__ import annotations

import pytest

from vsgen.backends.endpoint.counted import counted, stated
from vsgen.backends.endpoint.http import Response
from vsgen.backends.endpoint.wire import Said
from vsgen.values import (
    Completion,
    Decide,
    Decided,
    Decision,
    Embed,
    Generate,
    Message,
    Prompt,
    Refused,
    Score,
    Scores,
    Taught,
    Teach,
    TypedQuestion,
    Usage,
    Vector,
)

PROMPT = Prompt((Message("user", "x" * 400),))
CALL = Generate(PROMPT, seed=1)


def test_what_a_server_counts_is_taken_with_what_failed_attempts_took() -> None:
    answer = counted(Said(Completion("Ha.", count=3), Usage(11, 3, 1, 2)), CALL, 1, Usage(11, 9))
    assert isinstance(answer, Completion)
    assert answer.usage == Usage(22, 12, 1, 2) and answer.drawn == 3


def test_what_a_server_does_not_count_is_estimated_and_says_so() -> None:
    answer = counted(Said(Completion("y" * 40)), CALL, 1, Usage())
    assert answer == Completion("y" * 40, count=10, prompt_tokens=104)
    assert isinstance(answer, Completion) and answer.usage == Usage(104, 10, estimated=114)
    scores = counted(Said(Scores((-1.0, -2.0))), Score(PROMPT, ("a", "b")), 3, Usage())
    assert isinstance(scores, Scores) and scores.usage == Usage(312, 3, estimated=315)
    lesson = counted(Said(Taught((), (1,), (-1.0,), 1, b"", b"")), Teach(PROMPT, "z" * 40), 2, Usage())
    assert isinstance(lesson, Taught) and lesson.usage == Usage(228, 2, estimated=230)
    decide = Decide("s" * 40, (TypedQuestion("predicate", "t" * 20), TypedQuestion("choice", "t" * 20, ("a", "b"))))
    decided = counted(Said(Decided((Decision((0.5, 0.5)),) * 2)), decide, 1, Usage())
    assert isinstance(decided, Decided) and decided.usage == Usage(31, 2, estimated=33)
    vector = counted(Said(Vector(b"")), Embed("z" * 40), 1, Usage())
    assert isinstance(vector, Vector) and vector.usage == Usage(10, estimated=10)


def test_a_refusal_without_a_count_took_nothing_but_its_failed_attempts() -> None:
    for lost, usage in ((Usage(), None), (Usage(5, 1), Usage(5, 1))):
        answer = counted(Said(Refused("refused", "no")), CALL, 1, lost)
        assert isinstance(answer, Refused) and answer.usage == usage


@pytest.mark.parametrize(
    ("status", "body", "usage"),
    [
        (200, b'{"usage": {"prompt_tokens": 7, "completion_tokens": 2}}', Usage(7, 2)),
        (200, b'{"usage": {"input_tokens": 7, "output_tokens": 2}}', Usage(7, 2)),
        (200, b'{"usage": {"prompt_tokens": "7"}}', Usage()),
        (200, b'{"usage": ', Usage()),
        (200, b"[]", Usage()),
        (500, b'{"usage": {"prompt_tokens": 7}}', Usage()),
    ],
)
def test_a_response_of_no_use_took_what_it_states(status: int, body: bytes, usage: Usage) -> None:
    assert stated(Response(status, body=body)) == usage
