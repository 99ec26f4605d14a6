"""A file of examples: where it may be, and how its lines are named."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import chdir
from pathlib import Path

import pytest

from vsgen.errors import TemplateError
from vsgen.template.load import load_template

ROWS: list[dict[str, object]] = [
    {"text": "It broke.", "mood": "bad"},
    {"text": "x", "tone": "dry"},
    {"text": "Fine.", "mood": {"good": 1}},
]


def written(folder: Path, rows: Sequence[Mapping[str, object]], name: str = "gold.jsonl") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def template(folder: Path, examples: str | None, more: str = "") -> Path:
    line = "" if examples is None else f"\n    examples: {examples}"
    path = folder / "t.yaml"
    path.write_text(
        "version: 1\nname: t\nprompt: '-'\nlabels:\n  - name: mood\n    classes: [bad, good]\n"
        f"    prompt: '{{{{ text }}}}'{line}\n{more}"
    )
    return path


def problem(path: Path, *sets: str, examples: str | None = None) -> str:
    with pytest.raises(TemplateError) as caught:
        load_template(str(path), sets, examples=examples)
    return str(caught.value)


def test_a_file_stands_for_its_rows_that_have_the_label_wherever_the_command_runs(tmp_path: Path) -> None:
    written(tmp_path / "data", ROWS)
    by_file = template(tmp_path, "data/gold.jsonl")
    with chdir("/"):
        loaded = load_template(str(by_file))
    assert loaded.labels[0].examples == (ROWS[0], ROWS[2])
    rows = load_template(str(template(tmp_path, json.dumps([ROWS[0], ROWS[2]]))))
    assert rows.digest == loaded.digest
    assert load_template(str(template(tmp_path, None))).digest != loaded.digest


def test_a_template_reads_nothing_outside_its_folder(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    outside = written(tmp_path, ROWS)
    inner.mkdir()
    (inner / "link.jsonl").symlink_to(outside)
    for name in ("../gold.jsonl", str(outside), "link.jsonl"):
        found = problem(template(inner, name))
        assert f"t.yaml:8: examples: a file of a template is in its folder or below it, got '{name}'" in found
    with chdir(tmp_path):  # a flag is the user's own
        loaded = load_template(str(template(inner, None)), ["labels.0.examples=gold.jsonl"])
    assert len(loaded.labels[0].examples) == 2


def test_a_row_that_does_not_fit_is_named_by_its_file_and_line(tmp_path: Path) -> None:
    path = written(tmp_path, [*ROWS, {"text": "y", "mood": "godo"}])
    found = problem(template(tmp_path, "gold.jsonl"))
    assert found.startswith(f"{path}:4: labels.0.examples.2.mood: 'godo' is not one of the label's classes (bad, good)")
    path.write_text('{"text": "a", "mood": "bad"}\n{"text": \n')
    assert f"{path}:2: " in problem(template(tmp_path, "gold.jsonl"))


def test_a_file_without_rows_for_the_label_says_so(tmp_path: Path) -> None:
    written(tmp_path, ROWS[1:2])
    assert "t.yaml:8: examples: no row of gold.jsonl has a field 'mood'" in problem(template(tmp_path, "gold.jsonl"))
    assert "missing.jsonl: no such file" in problem(template(tmp_path, "missing.jsonl"))
    (tmp_path / "gold.jsonl").write_text("\n")
    assert "has no rows" in problem(template(tmp_path, "gold.jsonl"))


def test_given_rows_take_the_place_of_those_of_every_label_that_they_know(tmp_path: Path) -> None:
    tone = "  - {name: tone, classes: [dry, warm], prompt: '{{ text }}'}\n  - {name: far, classes: [a, b], prompt: x}\n"
    path, given = template(tmp_path, "[{text: a, mood: good}]", tone), str(written(tmp_path, ROWS))
    mood, dry, far = load_template(str(path), examples=given).labels
    assert [len(label.examples) for label in (mood, dry, far)] == [2, 1, 0]
    written(tmp_path, [{"text": "a", "class": "bad"}])
    assert "no row has a field of a label's name (mood, tone, far)" in problem(path, examples=given)
    assert "--examples: must be a file, got '-'" in problem(path, examples="-")
