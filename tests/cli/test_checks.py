"""``check:`` and ``repair:`` from the command line, with the embedded model and real commands."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.jobs.carried import carried_out
from vsgen.files.places import Places
from vsgen.jobs.generate import GenerateOptions, Generation
from vsgen.jobs.wanted import ModelChoice

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

FAST = ("--set", "dedup.embedder=hash", "--set", "dedup.threshold=0.9")
COUNTING = """
import json, pathlib, sys
seen = pathlib.Path(sys.argv[1])
for line in sys.stdin:
    row = json.loads(line)
    with seen.open("a") as file:
        file.write(row["text"] + "\\n")
    if "die" in sys.argv and len(seen.read_text().splitlines()) > 7:
        sys.exit("out of order")
    ok = len(row["text"]) % 3 > 0
    print(json.dumps({"ok": ok, "problem": "" if ok else "the length is a multiple of 3"}), flush=True)
"""


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """The words of a command that checks by length and writes down what it saw."""
    (tmp_path / "check.py").write_text(COUNTING)
    return [sys.executable, str(tmp_path / "check.py"), str(tmp_path / "seen")]


def checked(words: list[str]) -> tuple[str, str]:
    return "--set", f"check.text={json.dumps({'command': words})}"


def test_a_command_decides_what_is_kept_and_its_words_stand_in_the_rejects(
    vsgen: Vsgen, tmp_path: Path, words: list[str]
) -> None:
    out, rejects = tmp_path / "out.jsonl", tmp_path / "rejects.jsonl"
    asked = ("run", "support-tickets", "-n", 12, "-o", out, "--rejects", rejects, *FAST, *checked(words))
    ended = vsgen(*asked, "--allow-exec")
    assert ended.exit_code == 0, ended.stderr
    assert all(len(row["text"]) % 3 for row in lines(out))
    refused = [row for row in lines(rejects) if row["reason"] == "check"]
    assert refused
    assert {row["detail"] for row in refused} == {"text: the length is a multiple of 3"}
    assert all(len(row["text"]) % 3 == 0 for row in refused)
    assert f"{len(refused)} check" in ended.stderr


def test_a_command_that_dies_ends_the_run_with_its_row_and_the_run_goes_on_to_the_same_bytes(
    vsgen: Vsgen, tmp_path: Path, words: list[str]
) -> None:
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    asked = ("run", "support-tickets", "-n", 12, *FAST, "--allow-exec")
    assert vsgen(*asked, *checked(words), "-o", whole).exit_code == 0
    seen = tmp_path / "seen"
    seen.unlink()
    script = tmp_path / "check.py"
    script.write_text(COUNTING.replace('"die" in sys.argv', "True"))
    ended = vsgen(*asked, *checked(words), "-o", out)
    assert ended.exit_code == 3
    assert "check.text: " in ended.stderr
    assert f"{script} {seen}: ended with exit status 1 before it wrote a verdict" in ended.stderr
    assert "the end of its standard error: out of order; nothing is lost" in ended.stderr
    assert "support-tickets/0000" in ended.stderr
    answered = seen.read_text().splitlines()[:7]
    seen.unlink()
    script.write_text(COUNTING)
    assert vsgen(*asked, *checked(words), "-o", out, "--resume").exit_code == 0
    assert out.read_bytes() == whole.read_bytes()
    assert answered[0] in seen.read_text()  # the script has changed, so its verdicts are asked for anew


def test_a_resumed_run_asks_no_verdict_twice(vsgen: Vsgen, tmp_path: Path, words: list[str]) -> None:
    out, seen = tmp_path / "out.jsonl", tmp_path / "seen"
    asked = ("run", "support-tickets", "-n", 6, *FAST, *checked(words), "--allow-exec", "-o", out)
    assert vsgen(*asked).exit_code == 0
    kept = out.read_bytes()
    assert vsgen(*asked, "--overwrite").exit_code == 0
    before = seen.read_text()
    assert out.read_bytes() == kept
    assert len(set(before.splitlines())) == len(before.splitlines())
    (tmp_path / "check.py").write_text(COUNTING.replace("% 3 > 0", "% 3 < 2"))
    assert vsgen(*asked, "--overwrite").exit_code == 0
    assert len(seen.read_text()) > len(before)
    assert out.read_bytes() != kept


def test_a_command_is_not_run_unless_the_command_line_allows_it(
    vsgen: Vsgen, tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSGEN_ALLOW_EXEC", "1")
    for command in ("run", "try"):
        ended = vsgen(command, "support-tickets", "-m", "no/such-model", *checked(words))
        assert ended.exit_code == 2
        assert "support-tickets.yaml: check.text: runs the command" in ended.stderr
        assert "pass --allow-exec" in ended.stderr
    assert not (tmp_path / "seen").exists()


def test_what_cannot_be_checked_here_is_told_before_the_model_is_loaded(vsgen: Vsgen) -> None:
    for said, told in (
        ('{command: ["no-such-program"]}', "check.text: no program named 'no-such-program' can be run here"),
        ("{syntax: sql, dialect: sqllite}", "check.text: no dialect named 'sqllite'"),
    ):
        ended = vsgen("run", "jokes", "-m", "no/such-model", "--allow-exec", "--set", f"check.text={said}")
        assert (ended.exit_code, ended.stdout) == (2, "")
        assert told in ended.stderr


def test_without_its_library_a_sql_check_names_the_remedy(vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    ended = vsgen("check", "jokes", "--set", "check.text=sql")
    assert ended.exit_code == 2
    assert "check.text: checking SQL needs sqlglot (not installed); install the extra sql: " in ended.stderr


def test_check_shows_what_will_be_checked_and_repaired(vsgen: Vsgen, words: list[str]) -> None:
    ended = vsgen("check", "jokes", "--set", "check.text=[python, {syntax: sql, dialect: sqlite}]", "--set", "repair=2")
    assert ended.exit_code == 0
    assert "\nchecked    text: parses as python\n" in ended.stdout
    assert "\nchecked    text: parses as sql, dialect sqlite\n" in ended.stdout
    assert "\nrepaired   an answer that does not fit is requested again, up to 2 times\n" in ended.stdout
    assert "accepted by '" in vsgen("check", "jokes", *checked(words)).stdout


def test_repairs_count_in_the_budget_and_are_resumed(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    asked = ("run", "support-tickets", "-n", 5, *FAST, "--set", "filter={text: {match: '^[A-H]'}}", "-o", out)
    ended = vsgen(*asked, "--set", "repair=2", "--max-calls", 20)
    counted = [entry for entry in lines(tmp_path / "out.jsonl.journal") if entry["kind"] == "generate"]
    assert 0 < len(counted) <= 20
    assert any(len(entry["call"]["prompt"]["messages"]) > 2 for entry in counted)
    assert ended.exit_code in (0, 1)
    before = out.read_bytes()
    again = vsgen(*asked, "--set", "repair=2", "--max-calls", 20, "--overwrite")
    assert "calls made now: none" in again.stderr or "generate" not in again.stderr.split("calls made now:")[1]
    assert out.read_bytes() == before


def test_neither_the_window_nor_the_batch_changes_what_is_checked_and_repaired(
    tmp_path: Path, words: list[str]
) -> None:
    def written(window: int, batch: int) -> bytes:
        out = tmp_path / f"out-{window}-{batch}.jsonl"
        overrides = ("dedup.embedder=hash", "repair=2", checked(words)[1])
        job = GenerateOptions(
            "support-tickets",
            overrides,
            places=Places(out),
            num=10,
            model=ModelChoice(batch=batch),
            allow_exec=True,
        )
        carried_out(Generation(job), unfinished=window)
        return out.read_bytes()

    one_by_one = written(1, 1)
    assert b'"repaired":' in one_by_one
    assert written(64, 7) == one_by_one
