"""Labels whose classes look alike, or whose question does not see the answer."""

from __future__ import annotations

from collections.abc import Sequence

from tests.template.warnings.warned import found, made
from vsgen.template.warnings.labels import alike_classes, blind_question, many_examples, misspelled_style


def label(**keys: object) -> dict[str, object]:
    return {"name": "queue", "classes": ["bug", "billing"], "prompt": "Which? {{ text }}", **keys}


def test_classes_that_differ_in_case_alone_are_named() -> None:
    (text,) = found(alike_classes, made(labels=[label(), label(name="b", classes=["Bug", "other", "bug"])]))
    assert text.startswith('template: labels.1.classes.2: "bug" and "Bug" differ only in case')


def test_a_question_that_does_not_mention_the_answer_is_named() -> None:
    (text,) = found(blind_question, made(labels=[label(), label(name="b", prompt="Is a {{ product }} good?")]))
    assert text == (
        "template: labels.1.prompt: does not mention the answer, so the model labels 'b' without seeing it; "
        "write {{ text }} into it"
    )


def test_any_field_of_the_answer_or_its_choices_will_do() -> None:
    schema = {"type": "object", "properties": {"question": {"type": "string"}, "options": {"type": "array"}}}
    one = label(prompt="Right? {{ question }}")
    other = label(name="b", prompt="Which of {{ options|join(', ') }}?", classes=None, choices="options")
    labels = [one, {key: value for key, value in other.items() if value is not None}]
    assert found(blind_question, made(output={"schema": schema}, labels=labels)) == []
    assert found(alike_classes, made(output={"schema": schema}, labels=labels)) == []


def test_more_than_three_examples_of_a_class_are_doubtful() -> None:
    def shown(count: int) -> Sequence[str]:
        rows = [{"text": f"It broke {i} times.", "queue": "bug"} for i in range(count)]
        return found(many_examples, made(labels=[label(examples=rows)]))

    assert shown(6) == []
    (text,) = shown(7)
    assert text.startswith("template: labels.0.examples: 7 examples for 2 classes make every prompt longer; one clear")


def test_a_style_that_is_nearly_a_known_one_is_doubtful_and_an_instruction_is_not() -> None:
    styles = ["for and aganst", "Step-by-step", "step by step", "List the evidence first", "Think step by step"]
    texts = found(misspelled_style, made(labels=[label(method="reasoning", styles=styles)]))
    assert [text.partition("; ")[2] for text in texts] == [
        'did you mean "for and against"?',
        'did you mean "step by step"?',
    ]
    assert texts[0].startswith('template: labels.0.styles.0: "for and aganst" is no style with words of its own')
