"""The final answer of a reply: found in a field or by the last match, and judged by an expression."""

from __future__ import annotations

import pytest

from tests.template.test_power_section import BASE
from vsgen.errors import TemplateError
from vsgen.template.final import check_place, find_answer
from vsgen.template.load import load_template
from vsgen.template.render import Renderer


@pytest.mark.parametrize(
    ("place", "fields", "answer"),
    [
        (r"answer is (-?\d+)", {"text": "The answer is 4. No: the answer is -17."}, "-17"),
        (r"answer is (-?\d+)", {"text": "I do not know."}, None),
        (r"\\boxed\{(.*)\}", {"text": r"so \boxed{x + 1}"}, "x + 1"),
        (r"=\s*(\w*)", {"text": "= "}, None),
        (r"(a)?b", {"text": "b"}, None),
        ("sum", {"trace": "2 + 2", "sum": " 4 "}, "4"),
        ("sum", {"trace": "2 + 2", "sum": 4}, "4"),
        ("sum", {"trace": "2 + 2", "sum": [4, "x"]}, '[4, "x"]'),
        ("sum", {"trace": "2 + 2", "sum": " "}, None),
        (r"is (\d)", {"trace": "it is 7", "sum": "is 8"}, "7"),
    ],
)
def test_answers_are_found(place: str, fields: dict[str, object], answer: str | None) -> None:
    check_place(place, tuple(fields))
    assert find_answer(place, fields) == answer


def test_a_hostile_pattern_is_searched_in_linear_time() -> None:
    """A search that backtracks would not end."""
    assert find_answer(r"(?:(?:a+)+)+(b)", {"text": "a" * 100_000}) is None


@pytest.fixture
def render(tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    path = tmp_path_factory.mktemp("final") / "sums.yaml"
    path.write_text(BASE + "output: {answer: text, correct: answer|int == a + 1 and gold != 'x'}\n")
    return Renderer(load_template(str(path)))


def test_an_answer_is_judged_with_the_variables_and_the_rows_fields(render: Renderer) -> None:
    values = {"a": 4, "gold": "y", "text": "5"}
    assert render.correct("5", values) is True
    assert render.correct("6", values) is False
    assert render.correct("5", {**values, "gold": "x"}) is False


def test_no_answer_is_never_right(render: Renderer) -> None:
    assert render.correct(None, {"a": -1, "gold": "y"}) is False


def test_variables_of_the_expression_are_asked_for_before_anything_is_paid(render: Renderer) -> None:
    with pytest.raises(TemplateError, match=r"output.correct: missing variable 'gold'"):
        render.prompt({"a": 4})
    assert render.prompt({"a": 4, "gold": "y"})


def test_a_row_with_a_field_called_answer_is_refused(render: Renderer) -> None:
    with pytest.raises(TemplateError, match="'answer' means the reply's answer here"):
        render.prompt({"a": 4, "gold": "y", "answer": "5"})


def test_an_expression_that_cannot_be_evaluated_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("final") / "sums.yaml"
    path.write_text(BASE + "output: {answer: text, correct: answer + a == 2}\n")
    with pytest.raises(TemplateError, match=r"sums.yaml: output.correct: cannot be rendered"):
        Renderer(load_template(str(path))).correct("5", {"a": 4})
