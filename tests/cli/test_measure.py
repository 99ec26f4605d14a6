"""``vsgen measure`` with the embedded model: what it writes and sums up, and how it is continued."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.jobs.carried import carried_out
from vsgen.files.places import Places
from vsgen.jobs import measure as room
from vsgen.jobs.carry import Carried
from vsgen.jobs.measure import Measurement
from vsgen.jobs.measure_options import MeasureOptions
from vsgen.jobs.targets_options import TargetChoice
from vsgen.jobs.wanted import ModelChoice
from vsgen.signals import Stopped
from vsgen.values import Completion, Generate, Score, Scores

if TYPE_CHECKING:
    from typer.testing import Result

    from tests.cli.conftest import Vsgen

DAYS = """\
version: 1
name: days
prompt: Name a {{ kind }} day.
variables: {kind: [random, nice]}
choices: {Monday: 3, Sunday: 1}
output: {field: text}
"""


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def days(tmp_path: Path) -> Path:
    path = tmp_path / "days.yaml"
    path.write_text(DAYS)
    return path


def test_a_model_is_measured_prompt_by_prompt(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    asked = (
        "measure",
        "--family",
        "bernoulli,student_t",
        "--selected",
        "--samples",
        20,
        "--max-bins",
        20,
    )
    ended = vsgen(*asked, "-m", "tiny", "-o", out)
    assert (ended.exit_code, ended.stdout) == (0, "")
    found = [json.loads(text) for text in out.read_text().splitlines()]
    assert Counter(row["kind"] for row in found) == {"target": 4, "open": 10, "quiz": 5}
    for row in found[:4]:
        assert row["model"].startswith("tiny@") and row["replies"] == 20
        assert 0 < row["kl_per_token"] < row["kl"]
        assert row["support"] >= 1 and 0 < row["unique"] <= 1 and 0 <= row["valid"] <= 1
    first, counted, calls, *table = ended.stderr.splitlines()
    assert first.startswith("vsgen: 19 rows in ") and first.endswith(f" -> {out}")
    assert counted == "  19 prompts = 19 kept"
    assert calls.endswith(f" tokens · calls made now: {4 * 20 + 15 * 20} generate, 4 score, 19 teach")
    assert table[0].split() == ["prompts", "valid", "W1/IQR", "tv", "kl", "kl/token", "support", "unique"]
    assert [text.split()[0] for text in table[1:]] == ["student_t", "bernoulli", "open", "quiz", "mean"]


def test_a_model_is_measured_on_a_templates_choices(vsgen: Vsgen, days: Path) -> None:
    found = rows(vsgen("measure", days, "-m", "tiny", "--samples", 10, "-q"))
    assert [row["kind"] for row in found] == ["target", "target"]
    assert all(row["kl"] > 0 and "tv" in row for row in found)


def test_a_model_that_the_template_names_is_the_one_that_is_measured(vsgen: Vsgen, days: Path, tmp_path: Path) -> None:
    days.write_text(DAYS + f"model: {tmp_path}\n")
    ended = vsgen("measure", days)
    assert ended.exit_code == 3 and str(tmp_path) in ended.stderr


MEASURED = ("measure", "-m", "tiny", "--selected", "--family", "bernoulli,student_t", "--samples", 6)
PROMPTS = 4
COARSE = ("--max-bins", 8, "--no-probes")


def options(out: Path, *, resume: bool = False) -> MeasureOptions:
    """What MEASURED and COARSE ask for."""
    return MeasureOptions(
        choice=TargetChoice(families=("bernoulli", "student_t"), selected=True, max_bins=8),
        model=ModelChoice("tiny"),
        samples=6,
        probes=False,
        places=Places(out, resume=resume),
    )


def test_an_interrupted_measurement_resumes_to_the_same_bytes_and_asks_only_the_rest(
    vsgen: Vsgen, tmp_path: Path
) -> None:
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    journal = tmp_path / "out.jsonl.journal"

    def interrupted() -> None:
        carried = Carried(Measurement(options(out)), warn=pytest.fail)
        for _ in carried:
            if carried.counts.kept == 2:
                raise KeyboardInterrupt

    assert vsgen(*MEASURED, *COARSE, "-o", whole).exit_code == 0
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not out.exists() and (tmp_path / "out.jsonl.part").exists()
    replies = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(replies[:12]) + replies[12][:-9])  # as a power cut leaves it
    counts = carried_out(Measurement(options(out, resume=True)), warn=pytest.fail)
    assert out.read_bytes() == whole.read_bytes()
    assert counts.kept == counts.wanted == PROMPTS
    assert counts.paid.total() == PROMPTS * (6 + 1 + 1) - 9
    about_the_file_two_runs_the_model_and_the_end = 5
    assert len(journal.read_bytes().splitlines()) == about_the_file_two_runs_the_model_and_the_end + PROMPTS * (
        6 + 1 + 1
    )


def test_a_complete_measurement_is_left_alone_and_another_one_is_refused(vsgen: Vsgen, tmp_path: Path) -> None:
    out, asked = tmp_path / "out.jsonl", (*MEASURED, *COARSE, "-o", tmp_path / "out.jsonl")
    assert vsgen(*asked).exit_code == 0
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    again = vsgen(*asked, "--resume")
    assert (again.exit_code, again.stderr) == (0, f"vsgen: {out} is complete already: {PROMPTS} rows\n")
    for other in (("--seed", 1), ("--max-bins", 9), ("--samples", 7), ("--split", "heldout"), ("-n", 1), ("--probes",)):
        refused = vsgen(*asked, "--resume", *other)
        assert refused.exit_code == 2 and "was made differently: " in refused.stderr
        assert {"-n": "--num", "--seed": "the seed"}.get(other[0], other[0]) in refused.stderr
    exists = vsgen(*asked)
    assert exists.exit_code == 2 and "--overwrite" in exists.stderr and "--resume" in exists.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files
    assert "calls made now: none" in vsgen(*asked, "--overwrite").stderr
    assert out.read_bytes() == files[out]


def test_settings_of_a_template_are_part_of_what_is_resumed(vsgen: Vsgen, days: Path, tmp_path: Path) -> None:
    asked = ("measure", days, "-m", "tiny", "--samples", 2, "-o", tmp_path / "out.jsonl", "-q")
    assert vsgen(*asked).exit_code == 0
    assert vsgen(*asked, "--resume").exit_code == 0
    days.write_text(DAYS.replace("Monday: 3", "Monday: 4"))
    assert "was made differently: the template has changed" in vsgen(*asked, "--resume").stderr


def test_a_stopped_measurement_says_how_to_go_on(vsgen: Vsgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [*map(str, MEASURED), "-o", str(tmp_path / "out.jsonl")]

    def stopped(*_: object, **__: object) -> None:
        raise Stopped(signal.SIGTERM)

    monkeypatch.setattr(room, "prompts", stopped)
    ended = vsgen(*words)
    assert ended.exit_code == 143
    assert ended.stderr.splitlines()[-1].split() == ["vsgen", words[0], "--resume", *words[1:]]


def test_a_model_that_says_no_distributions_is_measured_without_its_support(
    vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent:
        name = "silent"

        def generate(self, calls: Sequence[Generate]) -> list[Completion]:
            return [Completion("1") for _ in calls]

        def score(self, calls: Sequence[Score]) -> list[Scores]:
            return [Scores((-1.0,) * len(call.choices)) for call in calls]

    monkeypatch.setattr("vsgen.jobs.desk.open_model", lambda *_, **__: Silent())
    ended = vsgen(*MEASURED, *COARSE)
    assert [row["support"] for row in rows(ended)] == [None] * PROMPTS
    assert "silent: cannot give next-token distributions, so `support` is null" in ended.stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--resume",), "--resume needs -o FILE"),
        (("-o", "."), ".: is a directory; name a file in it"),
        (("DAYS", "-o", "DAYS"), "is named twice; input, output"),
        (("DAYS", "--family", "beta"), "--family: is for the paper's families; leave out TEMPLATE or this option"),
        (("--selected", "--split", "train"), "--selected: chooses among the unseen and heldout prompts"),
        (("--split", "unseen", "--family", "weibull,beta"), "--family: weibull has no prompts in split unseen"),
        (("--decimals", 12), "--decimals: must be from 0 to 8, got 12"),
        (("--device", "gpu"), "--device: no device named 'gpu'; choose auto, cpu, cuda, cuda:1 or mps"),
        (("--device", "cuda"), "--device cuda: tiny always runs on the CPU; leave it out"),
    ],
)
def test_flags_that_do_not_go_together_are_one_message(
    vsgen: Vsgen, days: Path, words: tuple[object, ...], problem: str
) -> None:
    ended = vsgen("measure", "-m", "tiny", *(str(days) if word == "DAYS" else word for word in words))
    assert (ended.exit_code, ended.stdout) == (2, "")
    *_, message = ended.stderr.splitlines()
    assert message.startswith("vsgen: ") and problem in message


@pytest.mark.parametrize(
    "words", [("--kind", "hard"), ("--tokenizer", "tiny"), ("--paths", 3), ("--rejects", "r.jsonl")]
)
def test_what_makes_rows_is_no_option_of_it(vsgen: Vsgen, words: tuple[object, ...]) -> None:
    ended = vsgen("measure", *words)
    assert ended.exit_code == 2 and f"vsgen: {words[0]}: no such option of vsgen measure; " in ended.stderr


@pytest.mark.parametrize("words", [("-m", "tiny", "--samples", 6), ("-o", "out.jsonl"), ()])
def test_targets_names_it_to_those_who_know_its_former_name(vsgen: Vsgen, words: tuple[object, ...]) -> None:
    ended = vsgen("targets", "--evaluate", *words)
    problem = "vsgen: --evaluate: is a command of its own: vsgen measure, with the same options\n"
    assert (ended.exit_code, ended.stdout, ended.stderr) == (2, "", problem)
