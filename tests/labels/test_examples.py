"""Examples of a label: what a row may state, and how a question shows them."""

from __future__ import annotations

from random import Random

import pytest

from tests.labels.asking import Scripted, section, told
from vsgen.errors import TemplateError
from vsgen.labels.examples import Example, known_probs
from vsgen.labels.method import classify
from vsgen.labels.names import Form, Kind
from vsgen.labels.question import Question
from vsgen.labels.words import Layout, Shown, bare, lettered, question
from vsgen.template.load import template_of
from vsgen.values import Message, Prompt, Score

CLASSES = ("bad", "good")
ROWS = ({"text": "It broke.", "mood": "bad"}, {"text": "I love it.", "mood": {"good": 0.8, "bad": 0.2}})
SHOWN = (Shown("It broke.", CLASSES, "bad"), Shown("I love it.", CLASSES, "good"))
ASKED = Question("Hm.", CLASSES, cue="Mood:", examples=(Example("It broke.", {"bad": 1.0, "good": 0.0}),))


def mood(**settings: object) -> dict[str, object]:
    return {"name": "mood", "classes": list(CLASSES), "prompt": "{{ text }}", "examples": ROWS, **settings}


def problem(**settings: object) -> str:
    with pytest.raises(TemplateError) as caught:
        template_of({"version": 1, "name": "t", "prompt": "-", "labels": [mood(**settings)]}, "t.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("good", "nominal", [0, 1]),
        ({"bad": 0.25, "good": 0.75}, "nominal", [0.25, 0.75]),
        ({"good": 1}, "ordinal", [0, 1]),
        ({"bad": 0.333, "good": 0.666}, "nominal", [1 / 3, 2 / 3]),
        (["good", "bad"], "multi", [1, 1]),
        ([], "multi", [0, 0]),
        ({"good": 0.9, "bad": 0.6}, "multi", [0.6, 0.9]),
        ("bad", "multi", [1, 0]),
    ],
)
def test_a_known_class_is_a_distribution_over_all_classes(value: object, kind: Kind, expected: list[float]) -> None:
    found = known_probs(value, CLASSES, kind)
    assert list(found) == list(CLASSES)
    assert list(found.values()) == pytest.approx(expected, abs=1e-9)


def test_a_number_names_the_class_that_is_written_so() -> None:
    assert known_probs(2, ("1", "2"), "ordinal") == {"1": 0, "2": 1}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("god", "'god' is not one of the label's classes (bad, good); did you mean 'good'?"),
        ({"good": 0.4, "bad": 0.4}, "probabilities of the classes must sum to 1, got 0.8; divide them by their sum"),
        ({"good": "much"}, "a probability is a number from 0 to 1, got 'much'"),
        ({"good": True}, "a probability is a number from 0 to 1, got True"),
        (["good"], "must be a class, or {class: probability}, got ['good']"),
        (True, "must be a class, or {class: probability}, got True"),
    ],
)
def test_what_names_no_distribution_is_refused_with_what_was_got(value: object, expected: str) -> None:
    with pytest.raises(ValueError) as caught:
        known_probs(value, CLASSES, "nominal")
    assert expected in str(caught.value)


def test_examples_that_do_not_fit_are_named_by_their_place() -> None:
    assert "t.yaml: labels.0.examples.0.mood: 'so' is not one of" in problem(examples=[{"text": "a", "mood": "so"}])
    assert "example 1 has no field 'text', which the prompt needs; its fields are: mood" in problem(
        examples=[{"mood": "bad"}]
    )
    assert "example 2 has no field 'mood'; give the label's class or distribution there" in problem(
        examples=[ROWS[0], {"text": "a"}]
    )
    assert "example 1 has null in its field 'mood'; give" in problem(examples=[{"text": "a", "mood": None}])
    assert "method decisions shows none" in problem(method="decisions")
    assert "labels.0.form: belongs to methods score and votes with 'think: false', not verbalized" in problem(
        method="verbalized", form="turns"
    )
    assert "labels.0.prefill: must not be empty or have spaces around it, got 'So '" in problem(prefill="So ")


def test_a_layout_without_examples_is_the_question_alone() -> None:
    before = Prompt((Message("user", "Hm.\n\nReply with exactly one of these: bad, good."),), cue="Answer:")
    assert question("Hm.", CLASSES) == question("Hm.", CLASSES, layout=Layout("turns")) == before
    assert not before.opened


def test_the_chat_form_shows_examples_in_the_users_turn() -> None:
    shown = question("Hm.", CLASSES, listed=False, layout=Layout(shown=SHOWN))
    assert shown == Prompt(
        (Message("user", "It broke.\n\nAnswer: bad\n\nI love it.\n\nAnswer: good\n\nHm."),), cue="Answer:"
    )


def test_the_form_of_turns_shows_examples_as_earlier_turns_whose_replies_begin_alike() -> None:
    shown = question("Hm.", CLASSES, layout=Layout("turns", "It is", SHOWN))
    assert [one.role for one in shown.messages] == ["user", "assistant", "user", "assistant", "user"]
    assert [one.content for one in shown.messages[1:4:2]] == ["It is bad", "It is good"]
    assert all(one.content.endswith("one of these: bad, good.") for one in shown.messages[::2])
    assert (shown.prefill, shown.opened) == ("It is", True)


def test_the_plain_form_is_one_text_that_ends_with_its_cue() -> None:
    shown = question("Text: Hm.", CLASSES, listed=False, layout=Layout("plain", "Mood:", SHOWN))
    assert shown == Prompt(prefill="It broke.\nMood: bad\n\nI love it.\nMood: good\n\nText: Hm.\nMood:", cue="Mood:")
    assert shown.opened
    assert bare(CLASSES, Layout("plain", shown=SHOWN)).prefill.endswith("one of these: bad, good.\nAnswer:")


def test_letters_of_examples_are_those_of_their_own_list() -> None:
    shown = lettered("Hm.", CLASSES, layout=Layout("turns", shown=(Shown("It broke.", ("good", "bad"), "B"),)))
    assert "A. good\nB. bad" in shown.messages[0].content and shown.messages[1].content == "B"


@pytest.mark.parametrize(("form", "count"), [("chat", 1), ("turns", 3), ("plain", 0)])
def test_a_scored_question_has_the_form_that_is_set(form: Form, count: int) -> None:
    model = Scripted()
    told(classify(ASKED, section(classes=CLASSES, form=form, listed=False), Random(0)), model)
    (call,) = model.scored
    assert len(call.prompt.messages) == count
    assert call.choices == CLASSES


def test_auto_is_plain_for_scored_examples_and_chat_for_all_else() -> None:
    assert section().laid_out == "chat"
    rows = [{"label": "yes"}]
    assert section(examples=rows).laid_out == "plain"
    assert section(examples=rows, method="votes", think=False).laid_out == "chat"
    assert section(examples=rows, form="turns").laid_out == "turns"


def scored_prompts(**settings: object) -> list[Score]:
    model = Scripted()
    examples = tuple(Example(str(i), {"a": float(i == 0), "b": float(i == 1), "c": float(i == 2)}) for i in range(3))
    how = section(classes=("a", "b", "c"), examples=[{"label": "a"}], **settings)
    told(classify(Question("?", ("a", "b", "c"), examples=examples), how, Random(0)), model)
    return model.scored


def test_several_orders_show_each_example_last_once() -> None:
    asked = [call.prompt.prefill for call in scored_prompts(permutations="all")]
    assert asked[0] == "0\nAnswer: a\n\n1\nAnswer: b\n\n2\nAnswer: c\n\n?\nAnswer:"
    assert [text.split("\n\n")[2][-1] for text in asked] == ["c", "a", "b"]


def test_classes_are_listed_in_plain_text_only_where_that_is_set() -> None:
    assert "exactly one" not in scored_prompts()[0].prompt.prefill
    assert scored_prompts(listed=True)[0].prompt.prefill.count("exactly one of these") == 4


def test_examples_of_several_classes_answer_yes_or_no_to_each() -> None:
    model = Scripted()
    asked = Question("?", ("rude", "long"), examples=(Example("Ugh.", {"rude": 0.9, "long": 0.2}),))
    how = section(classes=("rude", "long"), kind="multi", form="turns", examples=[{"label": ["rude"]}])
    told(classify(asked, how, Random(0)), model)
    assert [call.prompt.messages[1].content for call in model.scored] == ["yes", "no"]
    assert "Ugh.\n\nDoes this apply: long?" in model.scored[1].prompt.messages[0].content


def test_statements_are_shown_the_probabilities_of_the_examples() -> None:
    model = Scripted(lambda _: {"bad: 0.5, good: 0.5": 1.0})
    asked = Question("Hm.", CLASSES, examples=(Example("So so.", {"bad": 0.25, "good": 0.75}),))
    told(classify(asked, section(classes=CLASSES, method="verbalized"), Random(0)), model)
    text = model.drawn[0].prompt.messages[0].content
    assert text.startswith('So so.\n\nAnswer: {"bad": 0.25, "good": 0.75}\n\nHm.\n\nHow probable')


def test_a_prompt_that_refers_to_what_no_example_has_is_told_once_and_at_its_own_place() -> None:
    rows = [{"txt": "a", "mood": "bad"}, {"txt": "b", "mood": "good"}]
    found = problem(examples=rows)
    assert "labels.0.prompt: refers to 'text', which none of the examples has; their fields are: txt, mood" in found
    assert found.endswith("did you mean 'txt'?")
    assert "\n" not in found
