"""Traces of several styles: who is asked in which, and how their disagreement splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labels.asking import Scripted, said, section, told
from vsgen.labels.method import classify
from vsgen.labels.question import Question, Voice
from vsgen.labels.soft import entropy
from vsgen.labels.styles import of_traces
from vsgen.probability import logs
from vsgen.values import SoftLabel

CLASSES = ("billing", "bug", "how-to")
ASKED = Question("Which queue?", CLASSES)
BOTH = ["for and against", "step by step"]
PROS, STEPS = (0.6, 0.3, 0.1), (0.1, 0.1, 0.8)
SHARES = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(lambda each: [x / sum(each) for x in each])


def model() -> Scripted:
    """Comes to another answer where it argues than where it goes step by step."""

    def scores(prompt: str, choice: str) -> float:
        shares = PROS if "speaks against" in prompt else STEPS
        about = prompt.partition("Does this apply: ")[2].partition("?")[0]
        yes = dict(zip(CLASSES, shares, strict=True)).get(about, 0.0)
        return {"yes": yes, "no": 1 - yes, **dict(zip(CLASSES, shares, strict=True))}[choice]

    def replies(prompt: str) -> Mapping[str, float]:
        return {f"So.\nAnswer: {'billing' if 'speaks against' in prompt else 'how-to'}": 1.0}

    return Scripted(replies, scores)


def labelled(asked: Scripted, **how: Any) -> SoftLabel:
    found = told(classify(ASKED, section(classes=CLASSES, **how), Random(0)), asked)
    assert isinstance(found, SoftLabel)
    return found


def test_traces_take_turns_with_styles_and_each_style_with_all_orders() -> None:
    asked = model()
    labelled(asked, method="reasoning", replies=12, styles=BOTH, permutations="all")
    arguing = ["speaks against" in said(call.prompt) for call in asked.drawn]
    assert arguing == [True, False] * 6
    orders = [call.choices for call in asked.scored]
    assert Counter(zip(arguing, orders, strict=True)) == dict.fromkeys(
        [(style, order) for style in (True, False) for order in set(orders)], 2
    )
    assert len(set(orders)) == 3


def test_what_is_asked_without_styles_is_step_by_step() -> None:
    one, other = model(), model()
    plain = labelled(one, method="reasoning", replies=3, permutations=2)
    assert plain == labelled(other, method="reasoning", replies=3, permutations=2, styles="step by step")
    assert (one.drawn, one.scored) == (other.drawn, other.scored)
    assert "styles" not in plain.details


def test_any_other_style_is_the_instruction_itself() -> None:
    asked = model()
    labelled(asked, method="reasoning", replies=1, styles=["List the evidence first."])
    assert said(asked.drawn[0].prompt).endswith("how-to. List the evidence first; do not answer yet.")
    labelled(asked, method="votes", replies=1, styles=["List the evidence first."])
    assert "List the evidence first. Then write a last line" in said(asked.drawn[1].prompt)


def test_a_label_says_what_each_style_says_and_how_far_they_are_apart() -> None:
    found = labelled(model(), method="reasoning", replies=4, styles=BOTH)
    mean = [(x + y) / 2 for x, y in zip(PROS, STEPS, strict=True)]
    assert list(found.probs.values()) == pytest.approx(mean)
    styles: Any = found.details["styles"]
    for style, shares in zip(BOTH, (PROS, STEPS), strict=True):
        assert styles[style]["probs"] == pytest.approx(dict(zip(CLASSES, shares, strict=True)))
        assert styles[style]["traces"] == 2
        assert styles[style]["spread"] == pytest.approx(dict.fromkeys(CLASSES, 0.0), abs=1e-9)
    apart = entropy(mean) - (entropy(PROS) + entropy(STEPS)) / 2
    assert found.details["between_styles"] == pytest.approx(apart)
    assert found.details["within_styles"] == pytest.approx(0, abs=1e-12)
    assert found.disagreement == pytest.approx(apart)


@given(st.lists(st.tuples(st.sampled_from("abc"), SHARES), min_size=2, max_size=9))
def test_disagreement_is_that_between_styles_and_the_mean_of_that_within_them(
    traces: list[tuple[str, list[float]]],
) -> None:
    details = of_traces(CLASSES, [Voice(tuple(logs(p)), style=style) for style, p in traces])
    whole = [sum(column) / len(traces) for column in zip(*(p for _, p in traces), strict=True)]
    total = entropy(whole) - sum(entropy(p) for _, p in traces) / len(traces)
    if len({style for style, _ in traces}) == 1:
        assert details == {}
        return
    between, within = details["between_styles"], details["within_styles"]
    assert isinstance(between, float)
    if min(Counter(style for style, _ in traces).values()) == 1:
        assert within is None, "a single trace says nothing of the spread of its style"
        return
    assert isinstance(within, float)
    assert between + within == pytest.approx(total, abs=1e-9)
    assert min(between, within) >= 0


def test_several_classes_that_may_apply_add_up_and_have_their_own_spread() -> None:
    found = labelled(model(), method="reasoning", kind="multi", replies=4, styles=BOTH)
    styles: Any = found.details["styles"]
    assert styles["for and against"]["probs"] == pytest.approx(dict(zip(CLASSES, PROS, strict=True)))
    assert styles["step by step"]["traces"] == 6
    parts = [entropy([(x + y) / 2, 1 - (x + y) / 2]) - (entropy([x, 1 - x]) + entropy([y, 1 - y])) / 2
             for x, y in zip(PROS, STEPS, strict=True)]  # fmt: skip
    assert found.details["between_styles"] == pytest.approx(sum(parts))
    assert found.disagreement == pytest.approx(sum(parts))


@pytest.mark.parametrize("kind", ["nominal", "multi"])
def test_how_far_single_traces_of_a_style_are_apart_is_not_known(kind: str) -> None:
    found = labelled(model(), method="reasoning", kind=kind, replies=2, styles=BOTH)
    assert found.details["within_styles"] is None
    assert found.disagreement == found.details["between_styles"]


def test_votes_of_each_style_are_counted_apart_and_the_label_counts_all() -> None:
    found = labelled(model(), method="votes", replies=6, styles=BOTH)
    assert found.probs == pytest.approx({"billing": 3.5 / 7.5, "bug": 0.5 / 7.5, "how-to": 3.5 / 7.5})
    styles: Any = found.details["styles"]
    assert styles["for and against"]["probs"] == pytest.approx(
        {"billing": 3.5 / 4.5, "bug": 0.5 / 4.5, "how-to": 0.5 / 4.5}
    )
    assert found.details["between_styles"] == pytest.approx(
        entropy([2 / 4.5, 0.5 / 4.5, 2 / 4.5]) - entropy([3.5 / 4.5, 0.5 / 4.5, 0.5 / 4.5])
    )


def test_a_style_whose_votes_cannot_be_read_says_nothing() -> None:
    def replies(prompt: str) -> Mapping[str, float]:
        return {"I do not know." if "speaks against" in prompt else "So.\nAnswer: bug": 1.0}

    found = labelled(Scripted(replies), method="votes", replies=4, styles=BOTH, pseudocount=0)
    assert found.details["styles"] == {"step by step": {"probs": {"billing": 0, "bug": 1, "how-to": 0}}}
    assert (found.probs["bug"], found.label_mass) == (1, 0.5)
