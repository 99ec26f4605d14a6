"""Labels from votes: a closed form, and what counts as a vote."""

from __future__ import annotations

import math
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labels.asking import Scripted, said, section, told
from vsgen.flow import Together, Turn
from vsgen.labels.method import classify
from vsgen.labels.question import Question
from vsgen.labels.soft import entropy
from vsgen.labels.voted import Ballot, voted
from vsgen.values import Completion, Generate, SoftLabel, Unlabelled

CLASSES = ("billing", "bug", "how-to")
ASKED = Question("Which queue?", CLASSES)


def counted(replies: list[Completion], **how: object) -> SoftLabel | Unlabelled:
    flow = classify(ASKED, section(method="votes", replies=len(replies), **how), Random(0))
    calls = next(flow)
    assert not isinstance(calls, Turn | Together)
    assert len(calls) == len(replies)
    assert all(isinstance(call, Generate) and call.schema is None for call in calls)
    with pytest.raises(StopIteration) as stop:
        flow.send(replies)
    assert isinstance(stop.value.value, SoftLabel | Unlabelled)
    return stop.value.value


def votes(*names: str | None) -> list[Completion]:
    return [Completion("I do not know." if name is None else f"So it is.\nAnswer: {name}") for name in names]


@given(st.lists(st.sampled_from(CLASSES), min_size=1, max_size=20), st.floats(0, 5))
def test_shares_are_the_votes_with_the_prior_added(names: list[str], pseudocount: float) -> None:
    found = counted(votes(*names), pseudocount=pseudocount)
    assert isinstance(found, SoftLabel)
    total = len(names) + 3 * pseudocount
    assert found.probs == pytest.approx({name: (names.count(name) + pseudocount) / total for name in CLASSES})
    assert found.entropy == pytest.approx(entropy(list(found.probs.values())))
    assert (found.label_mass, found.disagreement) == (1.0, None)


def test_jeffreys_prior_is_the_default() -> None:
    found = counted(votes("bug", "bug", "billing"))
    assert isinstance(found, SoftLabel)
    assert found.probs == pytest.approx({"billing": 1.5 / 4.5, "bug": 2.5 / 4.5, "how-to": 0.5 / 4.5})
    assert found.details == {"method": "votes", "replies": 3, "cut": 0, "pseudocount": 0.5}


def test_what_cannot_be_read_is_no_vote_and_lowers_the_mass() -> None:
    found = counted([*votes("bug", None, "bug", None), Completion("It may be a bug, because the", stopped=False)])
    assert isinstance(found, SoftLabel)
    assert found.probs == pytest.approx({"billing": 0.5 / 3.5, "bug": 2.5 / 3.5, "how-to": 0.5 / 3.5})
    assert found.label_mass == pytest.approx(2 / 5)
    assert (found.details["replies"], found.details["cut"]) == (5, 1)


@pytest.mark.parametrize("pseudocount", [0.0, 0.5])
def test_no_vote_at_all_is_no_label(pseudocount: float) -> None:
    assert counted(votes(None, None), pseudocount=pseudocount) == Unlabelled("no reply could be read")


def test_without_thinking_the_first_line_votes() -> None:
    found = counted(
        [Completion("bug\nIt is broken, says billing."), Completion("Billing.")], think=False, pseudocount=0
    )
    assert isinstance(found, SoftLabel)
    assert found.probs == {"billing": 0.5, "bug": 0.5, "how-to": 0.0}


def test_shares_without_a_prior_are_unbiased_and_vary_as_draws_do() -> None:
    true = (0.6, 0.3, 0.1)
    expected, error = [0.0] * 3, 0.0
    for names in product(range(3), repeat=3):
        p = math.prod(true[i] for i in names)
        found = counted(votes(*(CLASSES[i] for i in names)), pseudocount=0)
        assert isinstance(found, SoftLabel)
        probs = list(found.probs.values())
        expected = [one + p * x for one, x in zip(expected, probs, strict=True)]
        error += p * sum((x - q) ** 2 for x, q in zip(probs, true, strict=True))
    assert expected == pytest.approx(true)
    assert error == pytest.approx(sum(q * (1 - q) for q in true) / 3)


def test_a_prior_beats_raw_shares_of_few_votes_unless_the_model_is_sure() -> None:
    """Mean squared error over all outcomes of four votes."""
    errors = {}
    for true, pseudocount in product([(0.55, 0.35, 0.10), (0.98, 0.01, 0.01)], [0.0, 0.5]):
        errors[true, pseudocount] = sum(
            math.prod(true[i] for i in names)
            * sum(((names.count(i) + pseudocount) / (4 + 3 * pseudocount) - true[i]) ** 2 for i in range(3))
            for names in product(range(3), repeat=4)
        )
        ballots = [
            told(voted(ASKED, section(method="votes", replies=4, pseudocount=pseudocount), Random(seed)), toy(true))
            for seed in range(400)
        ]
        drawn = [sum((x - q) ** 2 for x, q in zip(ballot.probs, true, strict=True)) for ballot in ballots]
        mean = sum(drawn) / 400
        deviation = math.sqrt(sum((one - mean) ** 2 for one in drawn) / 400)
        assert mean == pytest.approx(errors[true, pseudocount], abs=4 * deviation / 20)  # four standard errors
    assert errors[(0.55, 0.35, 0.10), 0.5] < errors[(0.55, 0.35, 0.10), 0.0]
    assert errors[(0.98, 0.01, 0.01), 0.5] > errors[(0.98, 0.01, 0.01), 0.0]


def toy(true: tuple[float, ...]) -> Scripted:
    return Scripted(lambda _: {f"Hm.\nAnswer: {name}": p for name, p in zip(CLASSES, true, strict=True)})


def test_replies_are_drawn_freely_with_seeds_of_their_own_and_take_turns_with_the_orders() -> None:
    model = toy((0.2, 0.3, 0.5))
    how = section(method="votes", replies=7, permutations=2, temperature=0.3, max_tokens=99)
    ballot = told(voted(ASKED, how, Random(5)), model)
    assert ballot == told(voted(ASKED, how, Random(5)), toy((0.2, 0.3, 0.5)))
    assert isinstance(ballot, Ballot)
    assert (ballot.replies, ballot.valid, ballot.cut) == (7, 7, 0)
    assert len({call.seed for call in model.drawn}) == 7
    assert {(call.temperature, call.max_tokens, call.schema) for call in model.drawn} == {(0.3, 99, None)}
    prompts = [said(call.prompt) for call in model.drawn]
    assert prompts == [prompts[i % 2] for i in range(7)]
    assert len(set(prompts)) == 2


@pytest.mark.parametrize("think", [True, False])
def test_the_prompt_asks_to_think_or_does_not(think: bool) -> None:
    model = toy((1.0, 0.0, 0.0))
    told(voted(ASKED, section(method="votes", replies=1, think=think), Random(0)), model)
    (call,) = model.drawn
    assert ("step by step" in said(call.prompt)) is think
    assert "billing, bug, how-to" in said(call.prompt)
    assert call.prompt.cue == ("" if think else "Answer:")
