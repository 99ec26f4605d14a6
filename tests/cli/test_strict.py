"""The verdict of ``vsgen run``: printed, kept in the journal, and with --strict an exit status."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

GOOD = ("run", "jokes", "-n", 6, "--set", "dedup.embedder=hash")
BAD = (*GOOD, "--no-dedup", "--method", "direct", "--set", "sampling.max_tokens=12")
"""Every reply is cut after twelve tokens."""


def verdict(said: str) -> list[str]:
    return said[said.index("verdict: ") :].splitlines()


def test_a_good_run_says_so_and_passes(vsgen: Vsgen) -> None:
    ended = vsgen(*GOOD, "--strict")
    assert ended.exit_code == 0
    assert verdict(ended.stderr)[0].startswith("verdict: good: 100% of ")


def test_a_bad_run_is_written_and_fails_only_where_that_was_asked_for(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    ended = vsgen(*BAD, "-o", out)
    assert ended.exit_code == 0
    assert "replies were cut at max_tokens 12 -> --set sampling.max_tokens=24" in "\n".join(verdict(ended.stderr))
    assert vsgen(*BAD, "-o", out, "--overwrite", "--strict").exit_code == 5
    assert len(out.read_text().splitlines()) == 6


def test_a_complete_output_is_as_bad_as_it_was(vsgen: Vsgen, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.jsonl", tmp_path / "good.jsonl"
    vsgen(*BAD, "-o", bad)
    vsgen(*GOOD, "-o", good)
    assert vsgen(*BAD, "-o", bad, "--resume", "--strict").exit_code == 5
    assert vsgen(*BAD, "-o", bad, "--resume").exit_code == 0
    assert vsgen(*GOOD, "-o", good, "--resume", "--strict").exit_code == 0


def test_an_output_whose_run_died_before_its_last_words_is_judged_again(vsgen: Vsgen, tmp_path: Path) -> None:
    out, journal = tmp_path / "out.jsonl", tmp_path / "out.jsonl.journal"
    vsgen(*BAD, "-o", out)
    rows, whole = out.read_bytes(), journal.read_bytes()
    journal.write_bytes(whole[:-30])
    again = vsgen(*BAD, "-o", out, "--resume", "--strict")
    assert again.exit_code == 5
    assert "calls made now: none" in again.stderr
    assert out.read_bytes() == rows
    before, after = whole.splitlines(), journal.read_bytes().splitlines()
    assert after[:-2] == before[:-1] and after[-2] == before[1]  # the same run begins again
    assert b'"passed":false' in after[-1]


def test_a_quiet_run_says_nothing_and_still_fails(vsgen: Vsgen) -> None:
    ended = vsgen(*BAD, "--strict", "--quiet")
    assert (ended.exit_code, ended.stderr) == (5, "")


def test_a_replayed_run_has_the_same_verdict(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    first = vsgen(*BAD, "-o", out).stderr
    out.unlink()
    again = vsgen(*BAD, "-o", out, "--resume").stderr
    assert "calls made now: none" in again
    assert verdict(again) == verdict(first)


def test_an_alarm_comes_while_the_run_goes_on(vsgen: Vsgen) -> None:
    said = vsgen(*BAD, "-n", 40).stderr
    assert said.index("vsgen: after ") < said.index("verdict: bad")


ROWS = "".join(f'{{"text": "I love my lamp number {i}."}}\n' for i in range(24))
LABEL = ("label", "-", "--name", "mood", "--prompt", "Say something. {{ text }}", "-m", "tiny")
GOOD_LABEL = (
    "label",
    "-",
    "--name",
    "sentiment",
    "--prompt",
    "What is the sentiment of this review?\n\n{{ text }}",
    "-m",
    "tiny",
)


def test_labels_have_a_verdict_with_an_alarm_and_a_status_of_their_own(vsgen: Vsgen) -> None:
    ended = vsgen(*LABEL, "--classes", "qqq,zzz", "--strict", stdin=ROWS)
    assert ended.exit_code == 5
    assert len(ended.stdout.splitlines()) == 24
    assert "after 20 rows: label mood: all classes together get a probability of" in ended.stderr
    assert "ask for mood in other words (--prompt)" in ended.stderr
    assert verdict(ended.stderr)[0].startswith("verdict: bad: 1 finding")
    assert vsgen(*LABEL, "--classes", "qqq,zzz", "--quiet", stdin=ROWS).exit_code == 0


def test_a_complete_label_output_is_as_bad_as_it_was(vsgen: Vsgen, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(ROWS)
    words = ("label", rows, *LABEL[2:], "--classes", "qqq,zzz", "-o", tmp_path / "out", "--strict")
    assert vsgen(*words).exit_code == 5
    again = vsgen(*words, "--resume")
    assert again.exit_code == 5
    assert "complete already" in again.stderr


def test_labels_that_are_answered_pass(vsgen: Vsgen) -> None:
    ended = vsgen(*GOOD_LABEL, "--classes", "positive,mixed,negative", "--strict", stdin=ROWS)
    assert ended.exit_code == 0, ended.stderr
    assert "label sentiment: mass" in verdict(ended.stderr)[0]
