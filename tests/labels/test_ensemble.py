"""Labels that several models make: the mean of what each says alone, or no label."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labels.asking import Scripted, said
from vsgen.errors import CallError, InputError, OptionError, TooLongError
from vsgen.flow import play, refusal
from vsgen.flows.label import Labeller, Text
from vsgen.labels.ensemble import ensemble
from vsgen.labels.mean import mean
from vsgen.labels.question import Voice
from vsgen.labels.settings import Kind, Method
from vsgen.labels.soft import entropy, label_of
from vsgen.ports import LanguageModel
from vsgen.probability import logs
from vsgen.template.load import template_of
from vsgen.values import Answer, Call, Directed, Generate, Score, SoftLabel, Unlabelled

CLASSES = ("bug", "billing", "how-to")
SAID = {None: (0.7, 0.2, 0.1), "a": (0.1, 0.8, 0.1), "b": (0.2, 0.2, 0.6)}
"""What each model says of the classes; None is the run's own."""
SHARES = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(lambda each: [x / sum(each) for x in each])


class Models:
    """Answers each call by the model that it is directed to."""

    def __init__(self, models: Mapping[str | None, LanguageModel]) -> None:
        self.models = models
        self.asked: list[str | None] = []

    def __call__(self, calls: Sequence[Call]) -> list[Answer]:
        return [self._one(call) for call in calls]

    def _one(self, call: Call) -> Answer:
        name, call = (call.model, call.call) if isinstance(call, Directed) else (None, call)
        self.asked.append(name)
        model = self.models[name]
        try:
            assert isinstance(call, Score | Generate)
            return model.score([call])[0] if isinstance(call, Score) else model.generate([call])[0]
        except CallError as error:
            return refusal(error)


def speaker(shares: Sequence[float], mass: float = 0.9) -> Scripted:
    """A model that says this of the classes, whatever their order, and of yes and no for each class."""
    of_class = dict(zip(CLASSES, shares, strict=True))

    def scores(prompt: str, choice: str) -> float:
        asked = prompt.partition("Does this apply: ")[2].partition("?")[0]
        yes = of_class.get(asked, 0.5)
        return mass * {"yes": yes, "no": 1 - yes, **of_class}[choice]

    def replies(prompt: str) -> Mapping[str, float]:
        one, other = ("yes", "no") if "Does this apply" in prompt else ("bug", "how-to")
        return {f"Hm.\nAnswer: {one}": shares[0], f"So.\nAnswer: {other}": 1 - shares[0]}

    return Scripted(replies, scores)


def models(**others: LanguageModel) -> Models:
    mass = {None: 0.9, "a": 0.8, "b": 0.3}
    own: dict[str | None, LanguageModel] = {name: speaker(shares, mass[name]) for name, shares in SAID.items()}
    return Models(own | dict(others.items()))


def labeller(
    lenient: bool = False, truncate: bool | None = None, names: Mapping[str | None, str] | None = None, **section: Any
) -> Labeller:
    label = {"name": "queue", "classes": list(CLASSES), "prompt": "Which? {{ text }}", **section}
    made = template_of({"version": 1, "name": "t", "prompt": "-", "labels": [label]}, "t.yaml")
    known = {None: "own@1", "a": "a@2", "b": "b@3"} if names is None else names
    return Labeller(made, ("text",), seed=1, lenient=lenient, truncate=truncate, models=known)


def labelled(one: Labeller, answered: Models) -> SoftLabel | Unlabelled:
    (found,) = play(one.label([Text("in:1", "in:1", {"text": "It leaks."})]), answered)
    return found["queue"]


def soft(one: Labeller, answered: Models) -> SoftLabel:
    found = labelled(one, answered)
    assert isinstance(found, SoftLabel)
    return found


def details(found: SoftLabel, name: str) -> dict[str, Any]:
    each = found.details["models"]
    assert isinstance(each, Mapping)
    return dict(each[name])


@pytest.mark.parametrize("kind", ["nominal", "ordinal", "multi"])
@pytest.mark.parametrize("method", ["score", "reasoning", "votes"])
def test_the_label_is_the_mean_of_what_each_model_says_alone(method: Method, kind: Kind) -> None:
    how: dict[str, Any] = {"method": method, "kind": kind} | ({} if method == "score" else {"replies": 6})
    alone = {
        "own@1": soft(labeller(**how), models()),
        "a@2": soft(labeller(**how, model="a"), models()),
        "b@3": soft(labeller(**how, model="b"), models()),
    }
    found = soft(labeller(**how, model=["run", "a", "b"]), models())
    for name in CLASSES:
        assert found.probs[name] == pytest.approx(sum(one.probs[name] for one in alone.values()) / 3)
    for name, one in alone.items():
        own = details(found, name)
        assert own["probs"] == one.probs
        assert own.get("label_mass") == one.label_mass
        assert own.get("disagreement") == one.disagreement
    assert found.details.get("kind", "nominal") == kind
    assert found.details.get("method", "score") == method


def test_the_models_disagreement_is_their_mutual_information_and_the_spread_is_per_class() -> None:
    found = soft(labeller(model=["run", "a"]), models())
    each = [SAID[None], SAID["a"]]
    middle = [sum(column) / 2 for column in zip(*each, strict=True)]
    assert found.disagreement == pytest.approx(entropy(middle) - sum(map(entropy, each)) / 2)
    assert found.details["between_models"] == pytest.approx(found.disagreement)
    assert "within_models" not in found.details, "no model has several voices"
    assert found.details["spread"] == pytest.approx({
        name: abs(x - y) / math.sqrt(2) for name, x, y in zip(CLASSES, *each, strict=True)
    })  # fmt: skip


def test_a_mean_answers_no_more_than_its_worst_model() -> None:
    found = soft(labeller(model=["run", "a", "b"]), models())
    assert found.label_mass == pytest.approx(0.3)


@given(
    st.lists(st.lists(SHARES, min_size=2, max_size=2), min_size=2, max_size=4), st.sampled_from(["nominal", "ordinal"])
)
def test_disagreement_is_that_between_models_and_the_mean_of_that_within_them(
    each: list[list[list[float]]], kind: Kind
) -> None:
    own = {str(i): mean(CLASSES, [Voice(tuple(logs(p))) for p in voices], kind, {}) for i, voices in enumerate(each)}
    found = ensemble(own)
    assert isinstance(found, SoftLabel)
    voices = [p for one in each for p in one]
    whole = [sum(column) / len(voices) for column in zip(*voices, strict=True)]
    total = entropy(whole) - sum(map(entropy, voices)) / len(voices)
    assert found.disagreement == pytest.approx(total, abs=1e-9)
    within = sum(one.disagreement or 0.0 for one in own.values()) / len(own)
    assert found.details["within_models"] == pytest.approx(within)
    between = found.details["between_models"]
    assert isinstance(between, float)
    assert total == pytest.approx(between + within, abs=1e-9)


def test_models_that_agree_have_nothing_between_them() -> None:
    found = ensemble({name: label_of("nominal", {"x": 0.25, "y": 0.75}, None) for name in "abc"})
    assert isinstance(found, SoftLabel)
    assert (found.disagreement, found.details["between_models"], found.label_mass) == (0.0, 0.0, None)


def test_a_prior_divided_out_keeps_the_mean_of_what_was_before() -> None:
    found = soft(labeller(model=["run", "a"], prior="contextual"), models())
    assert found.details["raw"] == pytest.approx(soft(labeller(model=["run", "a"]), models()).probs)


def test_estimates_of_some_models_have_bounds_and_exact_ones_count_as_they_are() -> None:
    exact = label_of("nominal", {"x": 0.4, "y": 0.6}, None)
    ends = {"x": [0.2, 0.6], "y": [0.4, 0.8]}
    rough = SoftLabel({"x": 0.5, "y": 0.5}, 0.0, 0.0, None, details={"truncated": True, "bounds": ends})
    found = ensemble({"a": exact, "b": rough})
    assert isinstance(found, SoftLabel)
    assert found.details["truncated"] is True
    assert found.details["bounds"] == {"x": pytest.approx([0.3, 0.5]), "y": pytest.approx([0.5, 0.7])}
    unbounded = ensemble(
        {"a": exact, "b": SoftLabel({"x": 0.5, "y": 0.5}, 0.0, 0.0, None, details={"truncated": True})}
    )
    assert isinstance(unbounded, SoftLabel)
    assert (unbounded.details["truncated"], "bounds" in unbounded.details) == (True, False)


class Refusing(Scripted):
    """Refuses whatever it is asked."""

    def score(self, calls: Sequence[Score]) -> Any:
        raise CallError("cannot answer this")


def test_a_model_that_refuses_a_text_leaves_no_label_and_is_named() -> None:
    refusing = models(a=Refusing())
    found = labelled(labeller(lenient=True, model=["run", "a", "b"]), refusing)
    assert found == Unlabelled("model a@2: cannot answer this")
    with pytest.raises(InputError, match=r"^in:1: label queue: model a@2: cannot answer this; "):
        labelled(labeller(model=["run", "a", "b"]), refusing)


def test_a_model_whose_replies_cannot_be_read_leaves_no_label_and_is_named() -> None:
    how: dict[str, Any] = {"method": "votes", "model": ["run", "a"]}
    found = labelled(labeller(**how), models(a=Scripted(lambda _: {"I do not know.": 1.0})))
    assert found == Unlabelled("model a@2: no reply could be read")


class Narrow(Scripted):
    """Reads so many characters of a prompt."""

    def score(self, calls: Sequence[Score]) -> Any:
        for call in calls:
            if (length := len(said(call.prompt))) > 120:
                raise TooLongError("too long", tokens=length, context=120)
        return Scripted.score(self, calls)


def test_a_text_that_is_too_long_for_one_model_is_cut_for_all() -> None:
    a, own = Narrow(scores=lambda _, __: 0.1), Scripted(scores=lambda _, __: 0.1)
    one = labeller(truncate=True, model=["run", "a"])
    (found,) = play(one.label([Text("in:1", "in:1", {"text": "It leaks. " * 30})]), Models({None: own, "a": a}))
    label = found["queue"]
    assert isinstance(label, SoftLabel)
    assert label.details["truncated"] is True
    assert a.scored[-1].prompt == own.scored[-1].prompt
    with pytest.raises(InputError, match=r"^in:1: label queue: model a@2: too long"):
        play(
            labeller(model=["run", "a"]).label([Text("in:1", "in:1", {"text": "x" * 300})]), Models({None: own, "a": a})
        )


def test_every_model_is_asked_and_the_run_s_own_only_where_it_is_named() -> None:
    for names, asked in ((["a", "b"], {"a", "b"}), (["b", "run"], {None, "b"}), (["a"], {"a"})):
        answered = models()
        soft(labeller(model=names), answered)
        assert set(answered.asked) == asked


def test_a_list_of_one_model_is_that_model() -> None:
    assert soft(labeller(model=["a"]), models()) == soft(labeller(model="a"), models())
    assert soft(labeller(model=["run"]), models()) == soft(labeller(), models())


def test_two_names_of_one_model_are_not_counted_twice() -> None:
    names = {None: "tiny@1", "a": "tiny@1", "b": "b@3"}
    with pytest.raises(OptionError, match=r"^label queue: models run and a are the same, tiny@1; remove one of them$"):
        labeller(model=["run", "a"], names=names)
    labeller(model=["run", "b"], names=names)
