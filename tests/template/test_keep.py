"""The clauses of keep: what they read, what is wrong with one, and what must be quoted in YAML."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.errors import TemplateError
from vsgen.sections.misfit import TextProblem
from vsgen.template.keep import clause
from vsgen.template.load import load_template
from vsgen.template.render import Renderer
from vsgen.template.schema import Template

HEAD = """\
version: 1
name: t
prompt: Write about a {{ product }}.
variables: {product: [kettle], sentiment: [good, bad]}
labels:
- {name: mood, classes: [good, bad], prompt: "Is it? {{ text }}"}
- {name: quality, kind: ordinal, classes: [1, 2, 3], prompt: "How? {{ text }}"}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str) -> Template:
    Path("t.yaml").write_text(HEAD + text)
    return load_template("t.yaml")


def complaint(text: str) -> str:
    with pytest.raises(TemplateError) as caught:
        load(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("probability > 0.1", set()),
        ("labels.mood.margin > 0.2 and labels['quality'].mean >= 3", {"mood", "quality"}),
        ("labels.mood.probs[sentiment] > 0.5", {"mood"}),
        ("labels[product].margin > 0.5", {"mood", "quality"}),
        ("labels|length == 2", {"mood", "quality"}),
        ("'labels.mood' in text", set()),
    ],
)
def test_a_clause_knows_which_labels_it_reads(text: str, reads: set[str]) -> None:
    assert clause(text).labels(["mood", "quality"]) == reads


def test_a_clause_holds_or_does_not_or_says_why_it_cannot_be_evaluated() -> None:
    values = {"labels": {"mood": {"probs": {"good": 0.75}, "margin": 0.5}}, "sentiment": "good", "logp": None}
    assert clause("labels.mood.probs[sentiment] > 0.5").holds(values)
    assert not clause("labels.mood.probs[sentiment] > 0.9").holds(values)
    assert not clause("not (labels.mood.margin > 0.2)").holds(values)
    for text, problem in [("labels.mood.probs.bad > 0.5", "bad"), ("logp > -3", "'>' not supported"), ("x", "x")]:
        with pytest.raises(TextProblem, match=problem) as caught:
            clause(text).holds(values)
        assert "rendered" not in str(caught.value)


@given(st.text(max_size=40))
def test_no_text_makes_a_clause_raise_anything_but_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        clause(text).holds({})


@pytest.mark.usefixtures("here")
class TestInATemplate:
    def test_a_single_expression_stands_for_a_list_of_one(self) -> None:
        assert load("keep: probability > 0.1").keep == ("probability > 0.1",)
        assert load("keep: [probability > 0.1, not text]").keep == ("probability > 0.1", "not text")
        assert load("").keep == ()
        assert load("keep: probability > 0.1").digest != load("").digest

    @pytest.mark.parametrize(
        ("item", "problem"),
        [
            ("labels.mod.margin > 1", "there is no label 'mod' (did you mean 'mood'?); there are: mood, quality"),
            ("labels.answer.margin > 1", "there is no label 'answer'"),
            ("labels.mood.probs.bda > 0.5", "label 'mood' has no class 'bda' (did you mean 'bad'?)"),
            ("labels.quality.probs[3] > 0.5", "label 'quality' has no class 3 (did you mean '3'?)"),
            ("labels.mood.mean > 2", "label 'mood' is nominal, and only an ordinal one has 'mean'"),
            ("labels.mood.margni > 2", "a label has no 'margni' (did you mean 'margin'?)"),
            ("text ==", "not valid Jinja"),
            ("text % 2 ** 3", "'**' is not available"),
            ('text == "a: b"', """quote it: 'text == "a: b"'"""),
            ("text == 'a: b'", "quote it: 'text == ''a: b'''"),
            ("'{{ text }} == 1'", "write the expression without {{ }}"),
            ("{{ text }}", "write the expression without {{ }}"),
            ("{text: 1, mood: 2}", "YAML reads {...} as a mapping"),
            ("[text]", "YAML reads [...] as a list; quote the whole expression"),
            ("true", "is true for every answer"),
            ("3", "YAML reads 3 as a number"),
            ("", "is empty"),
            ("''", "must be an expression of Jinja"),
            ('"a" in text', 'the value begins with ": put quotes around the whole value'),
        ],
    )
    def test_what_is_wrong_is_told_with_its_line_when_the_template_is_loaded(self, item: str, problem: str) -> None:
        said = complaint(f"keep:\n- probability > 0.1\n- {item}\n")
        assert "t.yaml:10" in said and problem in said

    @pytest.mark.parametrize(
        "item",
        [
            *("correct_", "not text", "labels.quality.mean >= 3", "labels.quality.probs['3'] > 0.1", "verbalized > 0"),
            *(
                "text|length > 3 and sentiment == 'good'",
                "text != 'labels.mood.probs.bda'",
                "(text or product) in text",
            ),
        ],
    )
    def test_what_is_right_is_taken_as_it_is(self, item: str) -> None:
        assert load(f"keep:\n- {item}\n").keep == (item,)

    def test_stated_probabilities_need_a_method_that_states_them(self) -> None:
        assert "method direct states no probabilities" in complaint("sampling: {method: direct}\nkeep: verbalized > 0")

    def test_without_labels_there_is_none_to_read(self) -> None:
        Path("t.yaml").write_text("version: 1\nname: t\nprompt: hi\nkeep: labels|length > 1\n")
        with pytest.raises(TemplateError, match="reads labels, but the template has none"):
            load_template("t.yaml")

    def test_a_name_that_is_nowhere_is_missing_before_anything_is_asked(self) -> None:
        render = Renderer(load("output: {answer: '(a)'}\nkeep: [text and tone, correct, answer == sentiment]"))
        with pytest.raises(TemplateError) as caught:
            render.prompt({"product": "kettle", "sentiment": "good"})
        first, second = str(caught.value).split("\n")
        assert "keep.0: missing variable 'tone'" in first and "keep.1: missing variable 'correct'" in second
        assert "it may name text, labels, probability, logp, verbalized, answer, product, sentiment" in first
        render.prompt({"product": "kettle", "sentiment": "good", "tone": "warm", "correct": "yes"})
