"""The potentials of a template judge a reply as the draw itself does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from vsgen.flow import Flow, play
from vsgen.flows.label import Labeller
from vsgen.flows.potentials import potentials_of
from vsgen.sampling.power.drafts import Draft
from vsgen.sampling.power.factors import Potentials
from vsgen.template.load import load_template
from vsgen.template.render import Renderer
from vsgen.values import Answer, Call, Refused, Score, Scores

DAYS = "version: 1\nname: days\nprompt: Name a day after {{ day }}.\nvariables: {day: [Monday]}\n"
OPEN = Draft((1,))


def potentials(tmp_path: Path, wanted: str, more: str = "") -> Potentials:
    path = tmp_path / "days.yaml"
    path.write_text(f"{DAYS}{more}\nsampling: {{method: power, power: {{potentials: {{{wanted}}}}}}}\n")
    template = load_template(str(path))
    labeller = Labeller(template, template.output.fields, seed=0, lenient=True)
    return potentials_of(template, Renderer(template), labeller, {"day": "Monday"}, "days/000000")


def factors(found: Potentials, *texts: str, ended: bool = True, answer: object = None) -> list[float]:
    """The factors of replies, or of beginnings of replies."""
    drafts = [Draft((i,), text=text, ended=ended) for i, text in enumerate(texts)]
    flow: Flow[list[Draft]] = found.factored(drafts)
    made = play(flow, answer if callable(answer) else nobody)
    return [math.exp(draft.factor) for draft in made]


def nobody(calls: Sequence[Call]) -> Sequence[Answer]:
    raise AssertionError(f"nothing had to be asked: {calls}")


VALID: Mapping[str, tuple[str, Sequence[str], Sequence[str], Sequence[str], Sequence[str]]] = {
    "choices": ("choices: [Tuesday, Thursday]", ["Tuesday", " Thursday\n"], ["Thu", ""], ["Friday"], ["F", "Tuesdays"]),
    "pattern": (
        'output: {schema: {type: object, properties: {text: {type: string, pattern: "^[0-9]{4}$"}}}}',
        ["1990"],
        ["19"],
        ["19", "in 1990"],
        ["in", "19901"],
    ),
    "schema": (
        "output: {schema: {type: object, properties: {day: {enum: [a, b]}, n: {type: integer, maximum: 9}}}}",
        ['{"day": "a", "n": 3}', '{\n  "day": "b",\n  "n": 9\n}\n'],
        ['{"day": "', '{"day": "b", "n": '],
        ['{"day": "c", "n": 3}', '{"day": "a", "n": 10}', "a", '{"day": "a", "n": 3'],
        ['{"day": "c', "The day", '{"n"'],
    ),
    "letters": ("choices: [Café, Käse]", ["Café"], ["K\N{REPLACEMENT CHARACTER}"], ["Kase"], ["Ka"]),
    "text": ("output: {max_chars: 8}", ["a day"], ["a long long day"], ["a long long day", " "], []),
}


@pytest.mark.parametrize("form", VALID)
def test_what_does_not_fit_output_is_impossible_as_soon_as_that_is_certain(tmp_path: Path, form: str) -> None:
    more, fit, may, unfit, hopeless = VALID[form]
    found = potentials(tmp_path, "valid: true", more)
    assert factors(found, *fit) == [1] * len(fit)
    assert factors(found, *unfit) == [0] * len(unfit)
    begun = [text[:i] for text in fit for i in range(len(text))]
    assert factors(found, *begun, *may, ended=False) == [1] * len([*begun, *may])
    assert factors(found, *hopeless, ended=False) == [0] * len(hopeless)


SUM = 'output: {answer: "is (\\\\d+)", correct: "answer|int == 4 and day == \'Monday\'"}'


def test_a_wrong_answer_is_impossible_or_less_likely_by_a_strength(tmp_path: Path) -> None:
    said = ["It is 4", "It is 5", "It is", ""]
    assert factors(potentials(tmp_path, "correct: true", SUM), *said) == [1, 0, 0, 0]
    assert factors(potentials(tmp_path, "correct: 2", SUM), *said) == pytest.approx([1, *[math.exp(-2)] * 3])
    assert factors(potentials(tmp_path, "correct: true", SUM), *said, ended=False) == [1] * 4
    unsure = SUM.replace("answer|int", "answer|int / 0")
    assert factors(potentials(tmp_path, "correct: true", unsure), *said) == [0] * 4


LABEL = 'labels: [{name: mood, classes: [sad, glad], prompt: "{{ day }}: {{ text }}"}]'


class Scored:
    """Says that a text is glad with the probability in it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, calls: Sequence[Call]) -> list[Answer]:
        return [self._answer(call) for call in calls]

    def _answer(self, call: Call) -> Answer:
        assert isinstance(call, Score)
        text = call.prompt.messages[-1].content
        self.asked.append(text)
        if "0.0" in text:
            return Refused("too-long", "no", 9, 8)
        glad = 0.9 if "0.9" in text else 0.2
        logs = [math.log(glad if choice.strip() == "glad" else 1 - glad) for choice in call.choices]
        return Scores(tuple(logs))


def test_the_probability_of_a_class_is_a_factor_and_alike_replies_are_asked_about_once(tmp_path: Path) -> None:
    plain, scored = potentials(tmp_path, "labels: [{label: mood, class: glad}]", LABEL), Scored()
    assert factors(plain, "0.9", "x", "0.9", "0.0", answer=scored) == pytest.approx([0.9, 0.2, 0.9, 0])
    assert len(scored.asked) == 3
    assert all(text.startswith("Monday: ") for text in scored.asked)
    cubed = potentials(tmp_path, "labels: [{label: mood, class: glad, strength: 3}]", LABEL)
    assert factors(cubed, "0.9", answer=Scored()) == pytest.approx([0.9**3])


def test_a_reply_that_goes_on_is_asked_about_where_that_is_wanted_and_never_impossible(tmp_path: Path) -> None:
    later = potentials(tmp_path, "labels: [{label: mood, class: glad}]", LABEL)
    assert factors(later, "0.9", "x", ended=False) == [1, 1]
    looks = potentials(tmp_path, "labels: [{label: mood, class: glad, looks: true}]", LABEL)
    assert factors(looks, "0.9", "x", "0.0", "", ended=False, answer=Scored()) == pytest.approx([0.9, 0.2, 1, 1])


@pytest.mark.parametrize("mass", [1.0, 1e-3])
def test_a_potential_of_a_label_that_the_model_does_not_answer_is_doubted(tmp_path: Path, mass: float) -> None:
    found = potentials(tmp_path, "valid: true, labels: [{label: mood, class: glad}]", LABEL)
    factors(found, "0.9", "x", "y", answer=lambda calls: [Scores((math.log(mass / 2),) * 2) for _ in calls])
    assert [doubt.split(",")[0] for doubt in found.doubts] == [
        "sampling.power.potentials: label mood: all classes together have a probability below 0.05 (label_mass)"
    ] * (mass < 0.05)


def test_potentials_multiply_and_what_is_impossible_is_not_asked_about(tmp_path: Path) -> None:
    both = potentials(
        tmp_path, "valid: true, labels: [{label: mood, class: glad}]", f"{LABEL}\noutput: {{max_chars: 3}}"
    )
    scored = Scored()
    assert factors(both, "0.9", "long", answer=scored) == pytest.approx([0.9, 0])
    assert len(scored.asked) == 1
    blamed = [play(both.blamed(Draft((1,), text=text, ended=True)), Scored()) for text in ("long", "0.0")]
    assert [reason.partition(":")[0] for reason in blamed] == ["valid", "label mood"]
