"""What vsgen's words do on a real model: exact figures on tasks that the words were not chosen on, and a whole run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.real import MODEL
from tests.real.tasks import CHECKED
from tests.real.valid import Exact, Shape
from tests.real.words import WAYS, asked
from vsgen.cli.app import app

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not MODEL.exists(), reason="make test fetches the real model"),
    pytest.mark.xdist_group("real"),
]
TASKS = [task for task in CHECKED if task.field in ("month", "colour", "season")]


@pytest.fixture(scope="module")
def model() -> Iterator[Exact]:
    yield Exact.open(str(MODEL))


def mean(model: Exact, way: str, shape: Shape) -> float:
    (found,) = [one for one in WAYS if one.name.startswith(way)]
    closing = model.after(found.closing, end=found.end)
    figures = [
        model.valid(prompt, found.opening(task), task.answers, closing, [shape], lead=found.lead)[0].probability
        for task in TASKS
        for prompt in found.prompts(task)[:1]
    ]
    return sum(figures) / len(figures)


def test_the_first_answer_is_mostly_right_where_it_hardly_ever_was(model: Exact) -> None:
    assert mean(model, "vs, words of 0.1", Shape(1)) < 0.15
    assert mean(model, "vs, one exchange", Shape(1)) > 0.45
    assert mean(model, "vs, one exchange", Shape(0.7, 0.1)) > 0.65


def test_a_bare_answer_is_given_after_one_exchange(model: Exact) -> None:
    assert mean(model, "direct, bare answer, no exchange", Shape(1)) < 0.02
    assert mean(model, "direct, bare answer, one exchange", Shape(1)) > 0.3


def test_a_base_model_reads_requests_and_answers(model: Exact) -> None:
    chat, model.tokenizer.chat_template = model.tokenizer.chat_template, None
    try:
        prompt = asked(TASKS[0], {"demonstrate": 1})[0]
        text, _ = model.reader.render(prompt)
        closing = model.after(['"'])
        found = model.valid(prompt, '{"responses": [{"text": "', TASKS[0].answers, closing, [Shape(0.7, 0.1)])
    finally:
        model.tokenizer.chat_template = chat
    assert text.endswith("Request:\nName a random month of the year.\n\nAnswer:\n")
    assert found[0].probability > 0.5


def test_a_shipped_template_gives_days_with_its_recommended_settings(tmp_path: Path) -> None:
    out = tmp_path / "days.jsonl"
    words = ["run", "random-day", "-m", str(MODEL), "-n", "5", "-o", str(out), "--set", "dedup.embedder=hash"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len({row["text"] for row in rows}) == 5
    assert all(row["text"].endswith("day") and row["meta"]["recommended"] == "small" for row in rows)
