"""Label voices become one label of any kind, by any method."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from random import Random

import pytest

from tests.labels.asking import Scripted, section, told
from vsgen.labels.method import classify
from vsgen.labels.question import Question
from vsgen.labels.settings import Kind, Label, Method
from vsgen.labels.soft import entropy, kind_of
from vsgen.labels.words import applies
from vsgen.values import SoftLabel, Unlabelled

CLASSES = ("rude", "urgent", "long")
ASKED = Question("A text.", CLASSES, ("N/A",))
METHODS: tuple[Method, ...] = ("score", "reasoning", "votes", "verbalized")
KINDS: tuple[Kind, ...] = ("nominal", "ordinal", "multi")
YES = {"rude": 0.9, "urgent": 0.4, "long": 0.05}


def about(prompt: str) -> str:
    """The class that a yes-or-no question is about."""
    return prompt.partition("Does this apply: ")[2].partition("?")[0]


def yes_or_no(prompt: str, choice: str) -> float:
    yes = 0.5 if prompt.startswith("N/A") else YES[about(prompt)]
    return 0.8 * (yes if choice == "yes" else 1 - yes)


def said(prompt: str) -> Mapping[str, float]:
    """Replies that every method can read."""
    if "probability" in prompt:
        names = ("yes", "no") if about(prompt) else CLASSES
        return {", ".join(f"{name}: {0.6 if i == 0 else 0.4 / (len(names) - 1)}" for i, name in enumerate(names)): 1.0}
    names = ("yes", "no") if about(prompt) else CLASSES
    return {f"Hm.\nAnswer: {name}": 1 / len(names) for name in names}


def drawn(method: Method) -> int | None:
    """Replies that are asked for, where a method draws any."""
    return None if method == "score" else 6


def judged(how: Label, model: Scripted, asked: Question = ASKED, seed: int = 0) -> SoftLabel:
    found = told(classify(asked, how, Random(seed)), model)
    assert isinstance(found, SoftLabel)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_makes_labels_of_every_kind(method: Method, kind: Kind) -> None:
    found = judged(section(kind=kind, method=method, replies=drawn(method)), Scripted(said))
    assert list(found.probs) == list(CLASSES)
    assert kind_of(found) == kind
    assert found.details.get("method", "score") == method
    assert all(0 <= p <= 1 for p in found.probs.values())
    if kind != "multi":
        assert math.fsum(found.probs.values()) == pytest.approx(1)
        assert found.entropy == pytest.approx(entropy(list(found.probs.values())))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_makes_the_same_label(method: Method, kind: Kind) -> None:
    how = section(kind=kind, method=method, replies=drawn(method), permutations=2)
    assert judged(how, Scripted(said), seed=3) == judged(how, Scripted(said), seed=3)


def test_several_classes_are_each_asked_about_alone_and_in_their_own_right() -> None:
    model = Scripted(scores=yes_or_no)
    found = judged(section(kind="multi"), model)
    assert found.probs == pytest.approx(YES)
    assert [call.choices for call in model.scored] == [("yes", "no")] * 3
    assert [about(call.prompt.messages[0].content) for call in model.scored] == list(CLASSES)
    assert found.label_mass == pytest.approx(0.8)
    assert found.entropy == pytest.approx(sum(entropy([p, 1 - p]) for p in YES.values()))
    assert found.margin == pytest.approx(0.2)
    assert found.details == {"kind": "multi"}
    assert applies("A text.", "rude") == "A text.\n\nDoes this apply: rude?"


def test_a_class_of_several_does_not_depend_on_the_others() -> None:
    for names in (("urgent",), ("long", "urgent"), ("urgent", "rude", "long")):
        found = judged(section(kind="multi"), Scripted(scores=yes_or_no), Question("A text.", names))
        assert found.probs["urgent"] == pytest.approx(YES["urgent"])


def test_the_least_mass_of_several_classes_is_the_labels() -> None:
    model = Scripted(scores=lambda prompt, _: {"rude": 0.5, "urgent": 0.1, "long": 0.3}[about(prompt)])
    assert judged(section(kind="multi"), model).label_mass == pytest.approx(0.2)


def test_what_is_counted_and_known_by_class_is_kept_of_several_classes() -> None:
    prior = judged(section(kind="multi", prior="contextual"), Scripted(scores=yes_or_no))
    assert prior.details["raw"] == pytest.approx(YES)
    assert prior.probs == pytest.approx(YES)

    def unsure(prompt: str, choice: str) -> float:
        yes = 0.9 if "\n---\nwell\n---\n" in prompt else 0.3
        return yes if choice == "yes" else 1 - yes

    model = Scripted(lambda _: {"well": 0.5, "far too much": 0.5}, unsure)
    traced = judged(section(kind="multi", method="reasoning", replies=4, max_tokens=2), model)
    assert traced.details["traces"] == 12
    cut = sum(len(call.prompt.messages[1].content.split()) == 2 for call in model.scored)
    assert 0 < cut < 12
    assert traced.details["cut"] == cut
    spread = traced.details["spread"]
    assert isinstance(spread, Mapping)
    assert set(spread) == set(CLASSES)
    assert traced.disagreement is not None


def test_several_classes_disagree_by_the_sum_of_their_own_disagreements() -> None:
    def halves(prompt: str, choice: str) -> float:
        first = "these: yes, no." in prompt
        yes = {"rude": (0.9, 0.1), "urgent": (0.5, 0.5), "long": (0.7, 0.3)}[about(prompt)][first]
        return yes if choice == "yes" else 1 - yes

    found = judged(section(kind="multi", permutations="all"), Scripted(scores=halves))
    expected = sum(math.log(2) - entropy([p, 1 - p]) for p in (0.9, 0.5, 0.7))
    assert found.probs == pytest.approx(dict.fromkeys(CLASSES, 0.5))
    assert found.disagreement == pytest.approx(expected)
    assert found.details["orders"] == 2


def test_a_class_of_several_that_cannot_be_read_is_named() -> None:
    def silent(prompt: str) -> Mapping[str, float]:
        return {"No idea" if about(prompt) == "urgent" else "Answer: yes": 1.0}

    found = told(classify(ASKED, section(kind="multi", method="votes", replies=3), Random(0)), Scripted(silent))
    assert found == Unlabelled("urgent: no reply could be read")


def test_classes_of_which_one_has_a_single_readable_statement_are_labelled_all_the_same() -> None:
    def some(prompt: str) -> Mapping[str, float]:
        return {"yes: 0.7, no: 0.3": 0.5, "yes: 0.5, no: 0.5" if about(prompt) == "rude" else "hm": 0.5}

    found = [
        told(classify(ASKED, section(kind="multi", method="verbalized", replies=2), Random(seed)), Scripted(some))
        for seed in range(120)
    ]
    labels = [one for one in found if isinstance(one, SoftLabel)]
    assert {one.details["replies"] for one in labels} == {6}
    assert len({one.details["read"] for one in labels}) > 1
    assert {"spread" in one.details for one in labels} == {True, False}


@pytest.mark.parametrize("method", METHODS)
def test_an_ordinal_label_has_the_mean_and_deviation_of_its_final_probabilities(method: Method) -> None:
    asked = Question("A text.", ("1", "3", "9"))

    def numbered(prompt: str) -> Mapping[str, float]:
        if "probability" in prompt:
            return {"1: 0.2, 3: 0.3, 9: 0.5": 0.5, "1: 0.6, 3: 0.3, 9: 0.1": 0.5}
        return {f"Hm.\nAnswer: {name}": 1 / 3 for name in asked.classes}

    found = judged(section(kind="ordinal", method=method, replies=drawn(method)), Scripted(numbered), asked)
    mean = sum(p * float(name) for name, p in found.probs.items())
    assert found.details["mean"] == pytest.approx(mean)
    assert found.details["sd"] == pytest.approx(
        math.sqrt(sum(p * (float(name) - mean) ** 2 for name, p in found.probs.items()))
    )


def test_reasoning_beats_votes_of_as_many_traces_over_many_seeds() -> None:
    """A toy whose traces are not sure: mean squared error of whole flows, by fixed seeds."""
    traces = {"money": 0.6, "machine": 0.4}
    given = {"money": {"rude": 0.7, "urgent": 0.2, "long": 0.1}, "machine": {"rude": 0.1, "urgent": 0.3, "long": 0.6}}
    truth = {name: sum(p * given[trace][name] for trace, p in traces.items()) for name in CLASSES}
    joint = {f"{t}\nAnswer: {name}": p * given[t][name] for (t, p), name in product(traces.items(), CLASSES)}
    model = Scripted(
        lambda prompt: joint if "last line" in prompt else traces,
        lambda prompt, choice: given[prompt.split("\n---\n")[1]][choice],
    )

    def error(how: Label, seed: int) -> float:
        found = judged(how, model, seed=seed)
        return sum((found.probs[name] - truth[name]) ** 2 for name in CLASSES)

    reasoning, raw = section(method="reasoning", replies=8), section(method="votes", replies=8, pseudocount=0)
    pairs = [(error(reasoning, seed), error(raw, seed)) for seed in range(200)]
    assert sum(one for one, _ in pairs) < 0.5 * sum(other for _, other in pairs)
