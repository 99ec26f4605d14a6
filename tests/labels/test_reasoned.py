"""Labels from reasoning traces, against all traces that a toy can think, enumerated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from random import Random

import pytest

from tests.labels.asking import Scripted, said, section, told
from vsgen.errors import TooLongError
from vsgen.flow import Together, Turn, play
from vsgen.labels.method import classify
from vsgen.labels.question import Question
from vsgen.labels.reasoned import reasoned
from vsgen.labels.soft import entropy
from vsgen.labels.words import conclude, think
from vsgen.values import Answer, Call, Completion, Generate, Refused, Score, Scores, SoftLabel

CLASSES = ("billing", "bug", "how-to")
ASKED = Question("Which queue?", CLASSES)
TRACES = {"It is about money.": 0.5, "It broke.": 0.3, "Who knows": 0.2}
"""P(trace | text)."""
GIVEN: Mapping[str, tuple[float, ...]] = {
    "It is about money.": (0.9, 0.06, 0.04),
    "It broke.": (0.1, 0.8, 0.1),
    "Who knows": (0.3, 0.3, 0.4),
}
"""P(class | text, trace)."""
TRUTH = [sum(p * GIVEN[trace][i] for trace, p in TRACES.items()) for i in range(3)]


def scores(prompt: str, choice: str) -> float:
    (trace,) = (trace for trace in TRACES if f"\n---\n{trace}\n---\n" in prompt)
    return GIVEN[trace][CLASSES.index(choice)]


def played(traces: Sequence[str], **how: object) -> SoftLabel:
    """The label if just these traces were drawn, moved by hand."""
    flow = classify(ASKED, section(method="reasoning", replies=len(traces), **how), Random(0))
    calls = next(flow)
    assert not isinstance(calls, Turn | Together)
    assert all(isinstance(call, Generate) for call in calls)
    asked = flow.send([Completion(trace) for trace in traces])
    assert not isinstance(asked, Turn | Together)
    answers = []
    for call in asked:
        assert isinstance(call, Score)
        answers.append(Scores(tuple(math.log(scores(said(call.prompt), choice)) for choice in call.choices)))
    with pytest.raises(StopIteration) as stop:
        flow.send(answers)
    assert isinstance(stop.value.value, SoftLabel)
    return stop.value.value


def draws(n: int) -> Iterator[tuple[tuple[str, ...], float]]:
    """All that n traces can be, and how probable."""
    for traces in product(TRACES, repeat=n):
        yield traces, math.prod(TRACES[trace] for trace in traces)


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize("orders", [1, 2, "all"])
def test_the_expected_estimate_over_all_traces_is_the_marginal_probability(n: int, orders: object) -> None:
    expected = [0.0, 0.0, 0.0]
    for traces, p in draws(n):
        found = played(traces, permutations=orders)
        expected = [one + p * found.probs[name] for one, name in zip(expected, CLASSES, strict=True)]
    assert expected == pytest.approx(TRUTH, abs=1e-12)


@pytest.mark.parametrize("n", [1, 3])
def test_its_error_is_the_traces_variance_over_their_number_and_at_most_that_of_votes(n: int) -> None:
    error = sum(p * distance(list(played(traces).probs.values())) for traces, p in draws(n))
    second = sum(p * sum(x * x for x in GIVEN[trace]) for trace, p in TRACES.items())
    assert error == pytest.approx((second - sum(x * x for x in TRUTH)) / n)
    votes = sum(x * (1 - x) for x in TRUTH) / n
    assert error < votes


def distance(probs: Sequence[float]) -> float:
    return sum((p - q) ** 2 for p, q in zip(probs, TRUTH, strict=True))


def test_the_label_is_the_mean_and_says_how_far_the_traces_are_apart() -> None:
    traces = ("It broke.", "Who knows", "It broke.", "It is about money.")
    found = played(traces)
    each = [GIVEN[trace] for trace in traces]
    mean = [sum(column) / 4 for column in zip(*each, strict=True)]
    assert list(found.probs.values()) == pytest.approx(mean)
    assert found.disagreement == pytest.approx(entropy(mean) - sum(map(entropy, each)) / 4)
    spread = [
        math.sqrt(sum((x - m) ** 2 for x in column) / 3)
        for m, column in zip(mean, zip(*each, strict=True), strict=True)
    ]
    assert found.details["spread"] == pytest.approx(dict(zip(CLASSES, spread, strict=True)))
    assert found.label_mass == pytest.approx(1)
    assert (found.details["method"], found.details["traces"], found.details["cut"]) == ("reasoning", 4, 0)


@pytest.mark.parametrize("n", [2, 5])
def test_traces_that_agree_have_no_disagreement_and_it_is_never_negative(n: int) -> None:
    for traces, _ in draws(n):
        found = played(traces)
        assert found.disagreement is not None
        assert found.disagreement >= 0
        if len(set(traces)) == 1:
            assert found.disagreement == pytest.approx(0, abs=1e-12)
        else:
            assert found.disagreement > 0.001


def test_one_trace_has_nothing_to_disagree_with() -> None:
    found = played(("It broke.",))
    assert found.disagreement is None
    assert "spread" not in found.details


def test_many_traces_come_near_the_truth() -> None:
    model = Scripted(lambda _: TRACES, scores)
    found = told(classify(ASKED, section(method="reasoning", replies=900), Random(3)), model)
    assert isinstance(found, SoftLabel)
    for i, name in enumerate(CLASSES):
        deviation = math.sqrt(sum(p * (GIVEN[trace][i] - TRUTH[i]) ** 2 for trace, p in TRACES.items()) / 900)
        assert found.probs[name] == pytest.approx(TRUTH[i], abs=4 * deviation)  # four standard errors


def test_a_trace_that_the_limit_cuts_is_counted_and_used_as_it_stands() -> None:
    def given(prompt: str, choice: str) -> float:
        return {"It is": (0.5, 0.3, 0.2), "It broke.": (0.1, 0.8, 0.1)}[prompt.split("\n---\n")[1]][
            CLASSES.index(choice)
        ]

    model = Scripted(lambda _: {"It is about money.": 0.5, "It broke.": 0.5}, given)
    how = section(method="reasoning", replies=40, max_tokens=2)
    voices = told(reasoned(ASKED, how, Random(1)), model)
    label = told(classify(ASKED, how, Random(1)), model)
    cut = sum(voice.cut for voice in voices)
    assert 0 < cut < 40
    assert isinstance(label, SoftLabel)
    assert (label.details["cut"], label.details["traces"]) == (cut, 40)
    assert label.probs["bug"] == pytest.approx((cut * 0.3 + (40 - cut) * 0.8) / 40)


def test_what_is_drawn_depends_on_the_seed_and_on_nothing_else() -> None:
    def asked(seed: int) -> list[Generate]:
        model = Scripted(lambda _: TRACES, scores)
        told(classify(ASKED, section(method="reasoning", temperature=0.7, max_tokens=9), Random(seed)), model)
        return model.drawn

    assert asked(1) == asked(1)
    assert {call.seed for call in asked(1)}.isdisjoint(call.seed for call in asked(2))
    assert len({call.seed for call in asked(1)}) == 8
    assert {(call.temperature, call.max_tokens) for call in asked(1)} == {(0.7, 9)}


def test_traces_take_turns_with_the_orders_and_each_is_concluded_in_its_own() -> None:
    model = Scripted(lambda _: TRACES, scores)
    told(classify(ASKED, section(method="reasoning", replies=6, permutations="all"), Random(0)), model)
    listings = [call.choices for call in model.scored]
    assert listings == [*listings[:3], *listings[:3]]
    assert len(set(listings)) == 3
    for draw, score in zip(model.drawn, model.scored, strict=True):
        assert draw.prompt == think(ASKED.text, score.choices)
        assert score.prompt.messages[: len(draw.prompt.messages)] == draw.prompt.messages


def test_a_trace_loses_its_tags_but_not_its_words_and_the_answer_is_asked_for_in_a_turn_of_its_own() -> None:
    model = Scripted(lambda _: {"<think>\nIt broke.\n</think>": 1.0}, scores)
    found = told(classify(ASKED, section(method="reasoning", replies=1), Random(0)), model)
    assert isinstance(found, SoftLabel)
    assert list(found.probs.values()) == pytest.approx(GIVEN["It broke."])
    (call,) = model.scored
    assert call.prompt == conclude(think(ASKED.text, CLASSES), "It broke.", CLASSES)
    assert [message.role for message in call.prompt.messages] == ["user", "assistant", "user"]
    assert call.prompt.cue == "Answer:"


def test_a_trace_that_leaves_no_room_for_the_conclusion_loses_its_end_and_still_counts() -> None:
    """Traces are cut until their conclusions fit; the others stay whole."""
    traces = {"long": "word " * 50, "short": "short", "longer": "word " * 70}
    asked: list[str] = []

    def answer(calls: Sequence[Call]) -> list[Answer]:
        if isinstance(calls[0], Generate):
            return [Completion(trace) for trace in traces.values()]
        concluded = [call.prompt.messages[1].content for call in calls if isinstance(call, Score)]
        asked.extend(concluded)
        return [
            Scores((-1.0, -2.0, -3.0)) if len(one) <= 60 else Refused("too-long", "too long", len(one), 60)
            for one in concluded
        ]

    made = play(classify(ASKED, section(method="reasoning", replies=3), Random(0)), answer)
    assert isinstance(made, SoftLabel)
    assert made.details["cut"] == 2
    assert asked.count("short") == 1, "what fits is asked once"
    assert min(len(one) for one in asked if one != "short") > 40


def test_a_question_that_is_too_long_by_itself_is_an_error() -> None:
    def answer(calls: Sequence[Call]) -> list[Answer]:
        if isinstance(calls[0], Generate):
            return [Completion("word")]
        return [Refused("too-long", "too long", tokens=200, context=100)]

    with pytest.raises(TooLongError, match="too long"):
        play(classify(ASKED, section(method="reasoning", replies=1), Random(0)), answer)
