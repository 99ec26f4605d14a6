"""A label that another model makes: the embedded one under two names, as writer and as judge."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Vsgen
from vsgen.tiny import WEIGHTS

TEMPLATE = """\
version: 1
name: judged
prompt: |
  Write a support ticket about a {{ product }}. Tone: {{ tone }}.
variables: {product: [espresso machine, bike light, headphones], tone: [angry, polite]}
labels:
- {name: own, classes: [billing, bug, how-to], prompt: "Which queue should take this ticket?\\n\\n{{ text }}"}
- name: quality
  kind: ordinal
  classes: [1, 2, 3]
  prompt: "How good is this ticket?\\n\\n{{ text }}"
  model: JUDGE
dedup: {embedder: hash}
num: 4
"""

EXACT = ("-m", "tiny", "--dtype", "float64")
"""In which no sum hangs on what else is in a batch; see docs/journal.md, equal bytes with a real model."""


@pytest.fixture
def judge(tmp_path: Path) -> Path:
    return Path(shutil.copytree(str(WEIGHTS), tmp_path / "judge"))


@pytest.fixture
def judged(tmp_path: Path, judge: Path) -> Path:
    path = tmp_path / "judged.yaml"
    path.write_text(TEMPLATE.replace("JUDGE", str(judge)))
    return path


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_judge_is_named_in_its_label_and_in_the_journal(vsgen: Vsgen, judged: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    ended = vsgen("run", judged, "-m", "tiny", "-o", out, "--set", "keep=labels.quality.mean > 0")
    assert ended.exit_code == 0, ended.stderr
    for row in lines(out.read_text()):
        assert "model" not in row["labels"]["own"]
        label = row["labels"]["quality"]
        assert label["model"].startswith("judge@") and row["meta"]["model"].startswith("tiny@")
        assert label["mean"] == pytest.approx(sum(int(name) * p for name, p in label["probs"].items()), abs=1e-4)
    calls = [one for one in lines((tmp_path / "out.jsonl.journal").read_text()) if one["kind"] == "score"]
    asked = {one["call"]["prompt"]["messages"][-1]["content"].split()[0]: one["model"].split("@")[0] for one in calls}
    assert asked == {"Which": "tiny", "How": "judge"}


def test_a_judge_that_is_the_writer_itself_says_the_same(vsgen: Vsgen, judged: Path) -> None:
    flags = ("run", judged, "-m", "tiny")
    other, same = (lines(vsgen(*flags, *more).stdout) for more in ((), ("--set", "labels.1.model=tiny")))
    for row, twin in zip(other, same, strict=True):
        assert row["labels"]["quality"].pop("model").startswith("judge@")
        assert twin["labels"]["quality"].pop("model").startswith("tiny@")
        assert row["labels"]["own"] == twin["labels"]["own"]
        near = pytest.approx(twin["labels"]["quality"]["probs"], rel=1e-3)  # a folder is opened in single precision
        assert row["labels"]["quality"]["probs"] == near


def test_a_killed_run_with_a_judge_goes_on_with_the_same_bytes(vsgen: Vsgen, judged: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.jsonl", tmp_path / "part.jsonl"
    assert vsgen("run", judged, *EXACT, "-o", whole).exit_code == 0
    journal = (tmp_path / "whole.jsonl.journal").read_bytes().splitlines(keepends=True)
    (tmp_path / "part.jsonl.journal").write_bytes(b"".join(journal[: len(journal) // 2]))
    assert vsgen("run", judged, *EXACT, "-o", part, "--resume").exit_code == 0
    assert part.read_bytes() == whole.read_bytes()


def test_a_judge_that_cannot_be_opened_ends_a_run_before_anything_is_paid(
    vsgen: Vsgen, judged: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    ended = vsgen("run", judged, "-m", "tiny", "-o", out, "--set", "labels.1.model=./nobody")
    assert ended.exit_code == 3
    assert "the judge './nobody', which a label names as its model: " in ended.stderr
    kinds = [one["kind"] for one in lines((tmp_path / "out.jsonl.journal").read_text())]
    assert kinds == ["version", "begin", "note"]


def test_label_asks_the_judge_for_its_label_and_m_for_the_others(vsgen: Vsgen, judged: Path, tmp_path: Path) -> None:
    rows = json.dumps({"text": "The refund has not arrived.", "product": "bike light", "tone": "angry"})
    found = lines(vsgen("label", "-", "--template", judged, "-m", "tiny", stdin=rows).stdout)[0]
    made = {name: one["model"].split("@")[0] for name, one in found["meta"]["labelled"].items()}
    assert made == {"own": "tiny", "quality": "judge"}
    alone = ("--name", "q", "--classes", "1,2", "--set", f"model={tmp_path / 'judge'}")
    ended = vsgen("label", "-", *alone, stdin=rows)
    assert "the toy model" not in ended.stderr
    assert lines(ended.stdout)[0]["meta"]["labelled"]["q"]["model"].startswith("judge@")


def test_try_shows_what_a_judge_is_asked(vsgen: Vsgen, judged: Path) -> None:
    ended = vsgen("try", judged, "-m", "tiny", "--set", "keep=labels.quality.mean > 9")
    assert ended.exit_code == 0
    assert "How good is this ticket?" in ended.stdout


# --- several models

ROWS = json.dumps({"text": "The refund has not arrived.", "product": "bike light", "tone": "angry"})


@pytest.fixture
def ensemble(judged: Path, judge: Path) -> Path:
    judged.write_text(TEMPLATE.replace("JUDGE", f"[run, {judge}]"))
    return judged


def test_a_label_of_several_models_names_them_and_has_what_each_says(vsgen: Vsgen, ensemble: Path) -> None:
    (row,) = lines(vsgen("label", "-", "--template", ensemble, "-m", "tiny", stdin=ROWS).stdout)
    label, own = row["labels"]["quality"], row["labels"]["own"]
    own_name, judge_name = row["meta"]["labelled"]["quality"]["model"]
    assert (own_name.split("@")[0], judge_name.split("@")[0]) == ("tiny", "judge")
    assert list(label["models"]) == [own_name, judge_name]
    each = [one["probs"] for one in label["models"].values()]
    for name, p in label["probs"].items():
        assert p == pytest.approx(sum(one[name] for one in each) / 2, rel=1e-5)
    assert "models" not in own
    assert row["meta"]["labelled"]["own"]["model"] == own_name
    assert {"spread", "between_models", "disagreement", "mean"} <= label.keys()


@pytest.mark.slow
def test_a_killed_run_with_several_models_goes_on_with_the_same_bytes(
    vsgen: Vsgen, ensemble: Path, tmp_path: Path
) -> None:
    whole, part = tmp_path / "whole.jsonl", tmp_path / "part.jsonl"
    assert vsgen("run", ensemble, *EXACT, "-o", whole).exit_code == 0
    journal = (tmp_path / "whole.jsonl.journal").read_bytes().splitlines(keepends=True)
    (tmp_path / "part.jsonl.journal").write_bytes(b"".join(journal[: len(journal) // 2]))
    assert vsgen("run", ensemble, *EXACT, "-o", part, "--resume").exit_code == 0
    assert part.read_bytes() == whole.read_bytes()


def test_the_plan_and_a_budget_of_calls_count_every_model(vsgen: Vsgen, ensemble: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text((ROWS + "\n") * 4)
    flags = ("label", rows, "--template", ensemble, "-m", "tiny")
    plan = json.loads(vsgen(*flags, "--dry-run", "--json").stdout)
    assert [(one["name"].split(" by ")[0], one["calls"]) for one in plan["parts"]] == [
        ("label own", 4),
        ("label quality", 4),
        ("label quality", 4),
    ]
    ended = vsgen(*flags, "--max-calls", "6")
    assert (ended.exit_code, len(lines(ended.stdout))) == (1, 2)


def test_a_list_of_models_can_be_set_on_the_command_line(vsgen: Vsgen, judge: Path) -> None:
    alone = ("label", "-", "--name", "q", "--classes", "1,2", "--set", f"model=[run, {judge}]")
    (row,) = lines(vsgen(*alone, "-m", "tiny", stdin=ROWS).stdout)
    assert [name.split("@")[0] for name in row["labels"]["q"]["models"]] == ["tiny", "judge"]


def test_check_says_who_makes_a_label_together(vsgen: Vsgen, ensemble: Path, judge: Path) -> None:
    shown = " ".join(vsgen("check", ensemble).stdout.split())
    assert f"label quality by the mean of the run's own model; {judge}" in shown
