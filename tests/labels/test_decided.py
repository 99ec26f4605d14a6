"""Method decisions: what is asked of a decision interface, and the labels that its answers are."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from random import Random

import pytest

from tests.labels.asking import section
from vsgen.errors import CallError
from vsgen.files.records import label_line
from vsgen.flow import play
from vsgen.labels.decided import Asked, apart, decided
from vsgen.labels.method import classify
from vsgen.labels.question import Question
from vsgen.sections.misfit import Misfit
from vsgen.values import Answer, Call, Decide, Decided, Decision, Refused, SoftLabel, TypedQuestion, Unlabelled

SHARES = {"bug": 0.5, "billing": 0.3, "how to": 0.2}
CLASSES = tuple(SHARES)
REFUSED = Decision(problem="refused")


class Deciding:
    """Answers by the options' shares, and keeps what it was asked."""

    def __init__(self, *, mass: float | None = None, refuse: str = "") -> None:
        self.calls: list[Decide] = []
        self._mass = mass
        self._refuse = refuse

    def __call__(self, calls: Sequence[Call]) -> Sequence[Answer]:
        asked = [call for call in calls if isinstance(call, Decide)]
        self.calls += asked
        return [Decided(tuple(self._answer(one) for one in call.questions)) for call in asked]

    def _answer(self, one: TypedQuestion) -> Decision:
        if self._refuse and self._refuse in one.text:
            return REFUSED
        if one.kind == "predicate":
            yes = SHARES[one.text.rpartition(": ")[2].removesuffix("?")]
            return Decision((yes, 1 - yes), self._mass)
        others = len(one.options) - 1  # whoever stands first is preferred
        moved = [0.1, *[-0.1 / others] * others]
        probs = [SHARES[name] + more for name, more in zip(one.options, moved, strict=True)]
        return Decision(tuple(probs), self._mass)


def asked(text: str = "Which queue?", state: str = "I was charged twice.", **settings: object) -> Asked:
    label = section(method="decisions", classes=CLASSES, **settings)
    return Asked(Question(text, CLASSES, state=state), label)


def soft(one: SoftLabel | Unlabelled) -> SoftLabel:
    assert isinstance(one, SoftLabel)
    return one


def test_labels_of_one_text_are_questions_of_one_call_and_of_another_text_of_another() -> None:
    server = Deciding()
    found = play(decided([asked(), asked(kind="ordinal"), asked(state="Help!"), asked(kind="multi")]), server)
    first, second = server.calls
    assert [one.kind for one in first.questions] == ["choice", "score", *["predicate"] * 3]
    assert (first.state, second.state, len(second.questions)) == ("I was charged twice.", "Help!", 1)
    assert [soft(one).details.get("kind") for one in found] == [None, "ordinal", None, "multi"]


def test_a_choice_is_a_nominal_label_and_names_its_method() -> None:
    (found,) = play(decided([asked()]), Deciding(mass=0.75))
    assert soft(found).probs == pytest.approx({"bug": 0.6, "billing": 0.25, "how to": 0.15})
    assert (soft(found).label_mass, soft(found).details) == (0.75, {"method": "decisions"})


def test_a_mass_that_the_server_does_not_report_is_not_known() -> None:
    for kind in ("nominal", "ordinal", "multi"):
        (found,) = play(decided([asked(kind=kind)]), Deciding())
        assert soft(found).label_mass is None
        assert json.loads(json.dumps(label_line(found)))["label_mass"] is None


def test_predicates_are_the_classes_of_a_multi_label() -> None:
    (found,) = play(decided([asked(kind="multi")]), Deciding(mass=0.5))
    assert soft(found).probs == pytest.approx(SHARES)
    assert soft(found).details == {"method": "decisions", "kind": "multi"}


def test_levels_keep_their_order_and_have_a_mean() -> None:
    server = Deciding()
    (found,) = play(decided([asked(kind="ordinal")]), server)
    assert server.calls[0].questions[0].options == CLASSES
    assert soft(found).details["mean"] == pytest.approx(0.6 + 2 * 0.25 + 3 * 0.15)


def test_every_class_takes_every_place_in_one_call_and_the_average_prefers_none() -> None:
    server = Deciding(mass=0.5)
    (found,) = play(decided([asked(permutations="all")]), server)
    (call,) = server.calls
    assert sorted(one.options[0] for one in call.questions) == sorted(CLASSES)
    assert soft(found).probs == pytest.approx(SHARES)
    assert soft(found).details["orders"] == 3
    assert (soft(found).disagreement or 0) > 0
    assert soft(found).label_mass == 0.5


def test_a_question_that_is_refused_loses_its_own_label_alone() -> None:
    found = play(decided([asked(), asked("Is it rude?", kind="ordinal")]), Deciding(refuse="rude"))
    assert isinstance(found[0], SoftLabel)
    assert found[1] == Unlabelled("refused")


def test_a_class_that_is_refused_is_named_for_its_multi_label() -> None:
    (found,) = play(decided([asked(kind="multi")]), Deciding(refuse="billing"))
    assert found == Unlabelled("billing: refused")


def test_a_call_that_is_refused_raises() -> None:
    with pytest.raises(CallError, match="no such thing"):
        play(decided([asked()]), lambda calls: [Refused("refused", "no such thing") for _ in calls])


def test_one_label_by_itself_is_the_same() -> None:
    one = asked(permutations=2)
    assert play(classify(one.question, one.label, Random(0)), Deciding()) == play(decided([one]), Deciding())[0]


@pytest.mark.parametrize(
    ("prompt", "texts", "state", "question"),
    [
        ("Which queue?\n\nI paid.", {"text": "I paid."}, "I paid.", "Which queue?"),
        ("I paid.\n\nWhich queue?", {"text": " I paid. "}, " I paid. ", "Which queue?"),
        ("Is 'I paid.' rude?", {"text": "I paid."}, "I paid.", "Is 'I paid.' rude?"),
        ("I paid.", {"text": "I paid."}, "I paid.", "Which tone?"),
        ("Is b an answer to a?", {"q": "a", "a": "b"}, '{"q": "a", "a": "b"}', "Is b an answer to a?"),
        ("Is it so?", {}, "Is it so?", "Which tone?"),
        ("Is it 7?\n7", {"text": 7}, "7", "Is it 7?"),
    ],
)
def test_the_text_is_the_state_and_the_rest_of_the_prompt_the_question(
    prompt: str, texts: dict[str, object], state: str, question: str
) -> None:
    assert apart(prompt, list(texts.items()), "Which tone?") == (state, question)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"replies": 3}, "draws no replies"),
        ({"normalize": "byte"}, "belongs to method score"),
        ({"verbalizer": "letters"}, "belongs to method score"),
        ({"listed": False}, "names the classes in its own words"),
        ({"prior": "contextual"}, "belongs to method score"),
        ({"kind": "multi", "permutations": 2}, "one order for kind multi"),
        ({"kind": "ordinal", "permutations": "all"}, "one order for kind ordinal"),
        ({"kind": "ordinal", "classes": [str(i) for i in range(11)]}, "at most 10 classes for kind ordinal, got 11"),
    ],
)
def test_settings_that_decisions_do_not_have_are_refused(settings: dict[str, object], problem: str) -> None:
    with pytest.raises((Misfit, ValueError), match=problem):
        section(**{"method": "decisions", **settings})


def test_probabilities_of_zero_stay_zero() -> None:
    (found,) = play(decided([asked()]), lambda calls: [Decided((Decision((1.0, 0.0, 0.0)),)) for _ in calls])
    assert soft(found).probs == {"bug": 1.0, "billing": 0.0, "how to": 0.0}
    assert math.isclose(soft(found).entropy, 0)
