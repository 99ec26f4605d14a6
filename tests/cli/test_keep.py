"""keep, end to end: what is kept, what it costs, and that a killed run goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Vsgen
from tests.jobs.carried import carried_out
from vsgen.files.places import Places
from vsgen.jobs.generate import GenerateOptions, Generation
from vsgen.jobs.wanted import ModelChoice

TEMPLATE = """\
version: 1
name: queues
prompt: |
  Write a support ticket about a {{ product }}. Tone: {{ tone }}.
variables: {product: [espresso machine, bike light, headphones], tone: [angry, polite]}
labels:
- {name: category, classes: [billing, bug, how-to], prompt: "Which queue should take this ticket?\\n\\n{{ text }}"}
keep:
- labels.category.probs.billing < 0.5
dedup: {embedder: hash}
num: 8
"""


@pytest.fixture
def queues(tmp_path: Path) -> Path:
    path = tmp_path / "queues.yaml"
    path.write_text(TEMPLATE)
    return path


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def billing(row: dict[str, object]) -> float:
    labels = json.loads(json.dumps(row["labels"]))
    return float(labels["category"]["probs"]["billing"])


def test_num_counts_what_is_kept_and_the_summary_says_what_a_clause_let_pass(
    vsgen: Vsgen, queues: Path, tmp_path: Path
) -> None:
    out, rejects = tmp_path / "out.jsonl", tmp_path / "rejects.jsonl"
    ended = vsgen("run", queues, "-m", "tiny", "-o", out, "--rejects", rejects)
    assert ended.exit_code == 0
    kept, refused = lines(out), [one for one in lines(rejects) if one["reason"] == "keep"]
    assert len(kept) == 8 and refused
    assert all(billing(row) < 0.5 for row in kept) and all(billing(row) >= 0.5 for row in refused)
    assert {row["clause"] for row in refused} == {"labels.category.probs.billing < 0.5"}
    seen = len(kept) + len(lines(rejects))
    held = seen - len(refused)
    assert f"keep: labels.category.probs.billing < 0.5: holds for {held} of {seen}" in ended.stderr
    names = {row["id"] for row in kept}
    assert all(row["twin"] in names for row in lines(rejects) if row["reason"] == "duplicate")


def test_a_killed_run_goes_on_with_the_same_bytes_and_a_changed_clause_pays_for_no_reply_twice(
    vsgen: Vsgen, queues: Path, tmp_path: Path
) -> None:
    whole, part = tmp_path / "whole.jsonl", tmp_path / "part.jsonl"
    assert vsgen("run", queues, "-m", "tiny", "-o", whole).exit_code == 0
    journal = (tmp_path / "whole.jsonl.journal").read_bytes().splitlines(keepends=True)
    (tmp_path / "part.jsonl.journal").write_bytes(b"".join(journal[: len(journal) // 2]))
    resumed = vsgen("run", queues, "-m", "tiny", "-o", part, "--resume")
    assert resumed.exit_code == 0
    assert part.read_bytes() == whole.read_bytes()
    looser = ("--set", "keep=labels.category.probs.billing < 0.6", "-n", 4)
    again = vsgen("run", queues, "-m", "tiny", "-o", whole, "--overwrite", *looser)
    assert again.exit_code == 0 and "calls made now: none" in again.stderr


def test_a_clause_that_never_holds_ends_a_run_short_and_is_named(vsgen: Vsgen, queues: Path) -> None:
    ended = vsgen("run", queues, "-m", "tiny", "--set", "keep=labels.category.margin > 1", "--patience", 3)
    assert ended.exit_code == 1 and ended.stdout == ""
    assert "short: 0 of 8 rows; saturated" in ended.stderr
    assert "keep: labels.category.margin > 1: holds for 0 of" in ended.stderr.split("short:")[1]


@pytest.mark.parametrize(
    ("keep", "problem"),
    [
        ("labels.queue.margin > 0.1", "there is no label 'queue'; there are: category"),
        ("labels.category.probs[urgency] > 0.1", "missing variable 'urgency'"),
    ],
)
def test_a_clause_that_names_what_is_not_there_is_refused_before_a_model_is_opened(
    vsgen: Vsgen, queues: Path, keep: str, problem: str
) -> None:
    for command in (("check", queues), ("run", queues, "-m", "./no-model")):
        ended = vsgen(*command, "--set", f"keep={keep}")
        assert ended.exit_code == 2
        assert problem in ended.stderr


def test_check_says_what_decides_and_who_judges(vsgen: Vsgen, queues: Path) -> None:
    sets = ("--set", "keep=[labels.category.margin > 0.1, logp < -1]", "--set", "logp=true")
    shown = vsgen("check", queues, *sets, "--set", "labels.0.model=some/judge")
    assert shown.exit_code == 0, shown.stderr
    assert "\nscored     every answer that fits" in shown.stdout
    assert "\nkept if    labels.category.margin > 0.1 (labels category first)\n" in shown.stdout
    assert "\nkept if    logp < -1\n" in shown.stdout
    assert "\njudged     label category by some/judge" in shown.stdout


def test_neither_the_window_nor_the_batch_changes_what_is_kept_weighed_and_judged(tmp_path: Path, queues: Path) -> None:
    """Scores, a judge's labels before the gate and other labels after it, all in one run."""
    other = '{name: urgency, classes: [high, low], prompt: "How urgent? {{ text }}"}'

    def written(window: int, batch: int) -> bytes:
        out = tmp_path / f"out-{window}-{batch}.jsonl"
        queues.write_text(TEMPLATE.replace("keep:", f"- {other}\nkeep:"))
        job = GenerateOptions(
            str(queues),
            ("weights=model", "labels.0.model=tiny"),
            places=Places(out),
            model=ModelChoice("tiny", batch=batch),
        )
        carried_out(Generation(job), unfinished=window)
        return out.read_bytes()

    alone = written(1, 1)
    assert alone.count(b"\n") == 8 and alone.count(b'"urgency":{"probs":{') == 8
    assert alone == written(64, 3) == written(64, 64)
