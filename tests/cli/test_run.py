"""``vsgen run`` with the embedded model: what comes out, and how it fails."""

from __future__ import annotations

import base64
import json
import math
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from tests.jobs.carried import carried_out
from vsgen.backends.open import open_model
from vsgen.export.tensors import read_row
from vsgen.files.places import Places
from vsgen.jobs.generate import GenerateOptions, Generation
from vsgen.jobs.wanted import ModelChoice
from vsgen.values import Message, Prompt, Score

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

FAST = ("--set", "dedup.embedder=hash", "--set", "dedup.threshold=0.9")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "vsgen", *map(str, words)]


def test_a_run_keeps_what_was_asked_for_and_accounts_for_the_rest(vsgen: Vsgen, tmp_path: Path) -> None:
    out, rejects = tmp_path / "out.jsonl", tmp_path / "rejects.jsonl"
    ended = vsgen("run", "support-tickets", "-n", 12, "-o", out, "--rejects", rejects, *FAST)
    assert (ended.exit_code, ended.stdout) == (0, "")
    records, refused = lines(out), lines(rejects)
    assert len(records) == 12
    assert len({one["id"] for one in [*records, *refused]}) == len(records) + len(refused)
    shares: Counter[str] = Counter()
    for one in [*records, *refused]:
        shares[one["id"].split(".")[0]] += one["probability"]
    assert all(share == pytest.approx(1, abs=1e-4) for share in shares.values())
    for record in records:
        assert list(record) == ["id", "text", "probability", "labels", "meta"]
        assert sum(record["labels"]["category"]["probs"].values()) == pytest.approx(1, abs=1e-4)
        assert record["meta"]["method"] == "vs"
        assert record["meta"]["template"].startswith("support-tickets@")
    assert f"{len(records) + len(refused)} candidates = 12 kept" in ended.stderr
    assert not (tmp_path / "out.jsonl.part").exists()
    calls = Counter(entry["kind"] for entry in lines(tmp_path / "out.jsonl.journal"))
    assert calls["generate"] >= len(shares)
    assert calls["score"] == 12


@pytest.mark.parametrize("method", ["direct", "cot", "sequence", "multi-turn", "vs", "vs-cot", "vs-multi"])
def test_every_method_yields_rows(vsgen: Vsgen, method: str) -> None:
    ended = vsgen("run", "random-item", "-n", 3, "--method", method, "-k", 3, "--patience", 60, *FAST)
    assert ended.exit_code == 0, ended.stderr
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len({row["text"] for row in rows}) == 3
    assert {row["meta"]["method"] for row in rows} == {method}


def test_the_batch_does_not_change_the_output(vsgen: Vsgen) -> None:
    outputs = {vsgen("run", "jokes", "-n", 8, "--batch", batch, *FAST).stdout for batch in (1, 3, 32)}
    assert len(outputs) == 1


def test_the_window_does_not_change_the_output(tmp_path: Path) -> None:
    def written(window: int) -> bytes:
        out, rejects = tmp_path / f"{window}.jsonl", tmp_path / f"{window}.rejects"
        overrides = ["dedup.embedder=hash", "dedup.threshold=0.9"]
        files, tiny = Places(out, rejects), ModelChoice("tiny")
        job = GenerateOptions("random-item", overrides, places=files, num=30, model=tiny)
        carried_out(Generation(job), unfinished=window)
        return out.read_bytes() + rejects.read_bytes()

    assert written(1) == written(5) == written(128)


def test_a_short_run_is_not_complete_and_another_templates_output_is_not_taken_for_it(
    vsgen: Vsgen, tmp_path: Path
) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_text('{"animal": "cat"}\n{"animal": "cow"}\n{"animal": "owl"}\n')
    arguments = ("run", "jokes", rows, "-o", out, *FAST)
    assert vsgen(*arguments, "--max-calls", 2).exit_code == 1
    assert {row["meta"]["row"] for row in lines(out)} == {0, 1}
    assert vsgen(*arguments, "--max-calls", 3, "--resume").exit_code == 0
    assert {row["meta"]["row"] for row in lines(out)} == {0, 1, 2}
    assert "complete already" in vsgen(*arguments, "--resume").stderr
    other = vsgen(*arguments, "--resume", "--seed", 5)
    assert other.exit_code == 2
    assert "--overwrite" in other.stderr


def test_files_that_are_named_twice_or_are_no_journal_are_refused_untouched(vsgen: Vsgen, tmp_path: Path) -> None:
    notes, out = tmp_path / "notes.txt", tmp_path / "out.jsonl"
    notes.write_text("no journal")
    for words in (
        ("-o", out, "--journal", notes),
        ("-o", out, "--journal", tmp_path / "out.jsonl.part"),
        ("-o", out, "--rejects", tmp_path / "out.jsonl.journal"),
        ("-o", out, "--rejects", tmp_path / ".." / tmp_path.name / "out.jsonl"),
    ):
        assert vsgen("run", "jokes", "-n", 2, *words, *FAST).exit_code == 2
    assert notes.read_text() == "no journal"


def test_another_seed_makes_other_rows(vsgen: Vsgen) -> None:
    outputs = {vsgen("run", "jokes", "-n", 3, "--seed", seed, *FAST).stdout for seed in (1, 2)}
    assert len(outputs) == 2


def test_each_input_row_is_drawn_for_once_and_in_order(vsgen: Vsgen) -> None:
    rows = "".join(json.dumps({"animal": animal}) + "\n" for animal in ("cat", "cow", "owl"))
    ended = vsgen("run", "jokes", "-", "--no-dedup", "--no-meta", stdin=rows)
    assert ended.exit_code == 0
    draws = [json.loads(line)["id"].split("/")[1].split(".")[0] for line in ended.stdout.splitlines()]
    assert sorted(set(draws)) == ["000000", "000001", "000002"]
    assert draws == sorted(draws)


def test_with_a_number_input_rows_are_used_again_until_it_is_reached(vsgen: Vsgen) -> None:
    rows = '{"animal": "cat"}\n{"animal": "owl"}\n'
    ended = vsgen("run", "jokes", "-", "-n", 18, "-k", 3, *FAST, stdin=rows)
    assert ended.exit_code == 0
    kept = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(kept) == 18
    draws = {record["id"].split(".")[0]: record["meta"]["row"] for record in kept}
    assert len(draws) >= 6
    assert set(draws.values()) == {0, 1}


def test_hardly_more_is_asked_than_is_needed(vsgen: Vsgen, tmp_path: Path) -> None:
    vsgen("run", "story-openers", "-n", 10, "-o", tmp_path / "out", *FAST)
    asked = [entry for entry in lines(tmp_path / "out.journal") if entry["kind"] == "generate"]
    assert 2 <= len(asked) <= 4


def test_meta_can_be_left_out(vsgen: Vsgen) -> None:
    (row,) = vsgen("run", "jokes", "-n", 1, "--no-meta", *FAST).stdout.splitlines()
    assert list(json.loads(row)) == ["id", "text", "probability"]


def test_plain_progress_is_a_line_of_counts(vsgen: Vsgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsgen.cli.live._INTERVALS", ((math.inf, 0.0),))
    monkeypatch.setattr("vsgen.cli.live.Plain.period", 0.001)
    said = vsgen("run", "jokes", "-n", 10, "--progress", "plain", *FAST).stderr
    assert re.search(r"^vsgen: 0:00:0\d · \d+/10 rows · .* tokens$", said, re.MULTILINE)
    named = vsgen("run", "jokes", "-n", 10, "--progress", "plain", "-o", tmp_path / "out.jsonl", *FAST).stderr
    assert f"vsgen: {tmp_path / 'out.jsonl'}: 0:00:0" in named
    assert vsgen("run", "jokes", "-n", 10, "--quiet", *FAST).stderr == ""


def test_a_bad_input_line_stops_or_is_skipped(vsgen: Vsgen, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"animal": "cat"}\nnot json\n{"animal": "owl"}\n')
    stopped = vsgen("run", "jokes", rows, *FAST)
    assert stopped.exit_code == 2
    assert "rows.jsonl:2: not JSON" in stopped.stderr
    skipped = vsgen("run", "jokes", rows, "--on-error", "skip", *FAST)
    assert skipped.exit_code == 0
    assert {json.loads(line)["meta"]["row"] for line in skipped.stdout.splitlines()} == {0, 2}
    assert "1 input row skipped" in skipped.stderr
    rows.write_text('{"animal": "cat"}\n{"animal": "cow"}\n{"animal": "owl"}\n')
    mended = vsgen("run", "jokes", rows, *FAST).stdout.splitlines()
    assert set(mended) >= set(skipped.stdout.splitlines())


def test_a_refused_call_without_a_row_is_an_error_or_a_reject_and_the_run_goes_on(vsgen: Vsgen, tmp_path: Path) -> None:
    template, out, rejects = tmp_path / "t.yaml", tmp_path / "out.jsonl", tmp_path / "rejects.jsonl"
    things = ["a lamp", "a kettle " * 1500]
    template.write_text(
        f"version: 1\nname: t\nprompt: 'Write a ticket about {{{{ thing }}}}.'\nvariables: {{thing: {things}}}\n"
        "sampling: {method: direct, k: 2, max_tokens: 40}\ndedup: false\n"
    )
    stopped = vsgen("run", template, "-n", 12, "--seed", 3, "-m", "tiny")
    assert stopped.exit_code == 3
    assert "the model's context" in stopped.stderr
    ended = vsgen(
        "run", template, "-n", 12, "--seed", 3, "-m", "tiny", "-o", out, "--rejects", rejects, "--on-error", "skip"
    )
    assert ended.exit_code == 0
    assert len(lines(out)) == 12
    refused = [one for one in lines(rejects) if one["reason"] == "refused"]
    assert refused
    assert all("the model's context" in one["detail"] and "raw" not in one for one in refused)
    assert f"{12 + len(lines(rejects))} candidates = 12 kept" in ended.stderr


def test_a_row_that_is_too_long_for_the_model_stops_or_is_skipped(vsgen: Vsgen, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"animal": "cat"}\n{"animal": "' + "very long cat " * 900 + '"}\n{"animal": "owl"}\n')
    stopped = vsgen("run", "jokes", rows, *FAST)
    assert stopped.exit_code == 2
    assert "rows.jsonl:2: " in stopped.stderr and "context" in stopped.stderr
    skipped = vsgen("run", "jokes", rows, "--on-error", "skip", *FAST)
    assert skipped.exit_code == 0
    assert {json.loads(line)["meta"]["row"] for line in skipped.stdout.splitlines()} == {0, 2}
    assert "1 input row skipped" in skipped.stderr


def test_saturation_ends_a_run_short_and_says_why(vsgen: Vsgen) -> None:
    template = ("random-item", "--set", "variables.thing=[day of the week]")
    ended = vsgen("run", *template, "-n", 500, "--patience", 5, *FAST)
    assert ended.exit_code == 1
    assert 5 <= len(ended.stdout.splitlines()) < 500
    assert "saturated" in ended.stderr


@pytest.mark.parametrize(("budget", "least"), [(("--max-calls", 3), 3), (("--max-tokens", 3000), 1)])
def test_a_budget_is_kept_and_ends_a_run_short(
    vsgen: Vsgen, tmp_path: Path, budget: tuple[str, int], least: int
) -> None:
    out = tmp_path / "out.jsonl"
    ended = vsgen("run", "jokes", "-n", 500, "-o", out, *budget, *FAST)
    assert ended.exit_code == 1
    assert budget[0] in ended.stderr
    made = [entry for entry in lines(tmp_path / "out.jsonl.journal") if entry["kind"] == "generate"]
    assert least <= len(made)
    spent = len(made) if budget[0] == "--max-calls" else sum(len(entry["reply"]["tokens"]) for entry in made)
    assert spent <= budget[1]
    more = vsgen("run", "jokes", "-n", len(lines(out)) + 1, "-o", out, "--resume", *FAST)
    assert more.exit_code == 0


def test_a_complete_output_is_continued_by_a_larger_n_and_kept_from_a_smaller_one(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert vsgen("run", "jokes", "-n", 3, "-o", out, *FAST).exit_code == 0
    first = out.read_bytes()
    fewer = vsgen("run", "jokes", "-n", 2, "-o", out, "--resume", *FAST)
    assert fewer.exit_code == 2 and f"{out}: was made differently: -n was 3 and is 2; --overwrite" in fewer.stderr
    assert out.read_bytes() == first
    assert vsgen("run", "jokes", "-n", 8, "-o", out, "--resume", *FAST).exit_code == 0
    assert len(lines(out)) == 8 and out.read_bytes().startswith(first)


@pytest.mark.parametrize("option", ["-o", "--rejects"])
def test_a_file_of_others_is_not_offered_to_be_resumed(vsgen: Vsgen, tmp_path: Path, option: str) -> None:
    mine, words = tmp_path / "mine.jsonl", {"-o": tmp_path / "out.jsonl"}
    mine.write_text("notes\n")
    flags = [word for pair in (words | {option: mine}).items() for word in pair]
    refused = vsgen("run", "jokes", "-n", 3, *flags, *FAST)
    assert refused.exit_code == 2 and mine.read_text() == "notes\n"
    assert f"{mine}: exists, and vsgen has no journal of it; choose another name, or --over" in refused.stderr
    assert "--resume" not in refused.stderr


def test_an_existing_output_is_left_alone_unless_a_flag_says_otherwise(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    arguments = ("run", "jokes", "-n", 3, "-o", out, *FAST)
    assert vsgen(*arguments).exit_code == 0
    before = out.read_bytes()
    refused = vsgen(*arguments)
    assert refused.exit_code == 2
    assert "--overwrite" in refused.stderr and "--resume" in refused.stderr
    again = vsgen(*arguments, "--resume")
    assert again.exit_code == 0
    assert "complete already" in again.stderr
    assert (
        vsgen("run", "jokes", "--overwrite", *FAST).stderr == "vsgen: --overwrite needs -o FILE; in make, write -o $@\n"
    )
    held = vsgen("run", "jokes", "-n", 3, "-o", tmp_path / "other.jsonl", "--rejects", out, *FAST)
    assert held.exit_code == 2
    anew = vsgen(*arguments, "--overwrite")
    assert anew.exit_code == 0
    assert "calls made now: none" in anew.stderr
    assert out.read_bytes() == before


def test_a_changed_threshold_reads_paid_replies_and_asks_nothing_anew(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    vsgen("run", "story-openers", "-n", 20, "-o", out, *FAST)
    changed = vsgen("run", "story-openers", "-n", 5, "-o", out, "--overwrite", *FAST, "--set", "sampling.p_min=0.01")
    assert changed.exit_code == 0
    assert "calls made now: none" in changed.stderr


@pytest.mark.parametrize(
    ("words", "status", "expected"),
    [
        (("nowhere.yaml",), 2, "no such file"),
        (("joke",), 2, "'jokes'"),
        (("jokes", "--method", "vz"), 2, "--method: must be"),
        (("jokes", "-k", "0"), 2, "-k: must be an integer >= 1"),
        (("jokes", "--set", "sampling.temprature=1"), 2, "temperature"),
        (("jokes", "no-rows.jsonl"), 2, "no-rows.jsonl"),
        (("jokes", "-n", "1", "-m", "./no-model"), 3, "no-model"),
        (("jokes", "-n", "1", "-o", "/no/where/out.jsonl"), 4, "/no/where"),
        (("jokes", "-n", "1", "--set", "dedup.embedder=./no-model"), 3, "no-model"),
        (("jokes", "-n", "0"), 2, "-n"),
        (("jokes", "-o", "same", "--rejects", "same"), 2, "named twice"),
        (("jokes", "--resume"), 2, "-o FILE"),
        (("jokes", "-o", "a" * 300), 2, "too long"),
        (("jokes", "--seed", "99999999999999999999"), 2, "--seed"),
        (("jokes", "-o", ".", "--overwrite"), 2, "is a directory"),
    ],
)
def test_bad_input_is_one_message_with_the_documented_status(
    vsgen: Vsgen, words: tuple[str, ...], status: int, expected: str
) -> None:
    ended = vsgen("run", *words)
    assert ended.exit_code == status
    assert expected in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_a_folder_that_is_no_model_is_named(vsgen: Vsgen, tmp_path: Path) -> None:
    ended = vsgen("run", "jokes", "-n", 1, "-m", tmp_path)
    assert ended.exit_code == 3
    assert str(tmp_path) in ended.stderr
    assert "config.json" in ended.stderr


def test_a_reader_that_goes_away_ends_a_run_quietly() -> None:
    child = subprocess.Popen(
        command("run", "jokes", "-n", 400, "--quiet", *FAST), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None and child.stderr is not None
    first = child.stdout.readline()
    child.stdout.close()
    assert json.loads(first)["id"].startswith("jokes/000000.")
    assert child.wait(timeout=120) == 0
    assert child.stderr.read() == b""
    child.stderr.close()


def _default_interrupt() -> None:
    """A shell's background jobs ignore SIGINT; this one must not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_says_how_to_go_on(tmp_path: Path, sent: signal.Signals) -> None:
    out = tmp_path / "out.jsonl"
    arguments = ("run", "story-openers", "-n", 300, "-o", out, "--patience", 0, *FAST)
    child = subprocess.Popen(command(*arguments), stderr=subprocess.PIPE, text=True, preexec_fn=_default_interrupt)
    journal = tmp_path / "out.jsonl.journal"
    while child.poll() is None and (not journal.exists() or journal.stat().st_size < 20_000):
        os.sched_yield()
    child.send_signal(sent)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 128 + sent
    assert "Traceback" not in said
    started, words = command(*arguments)[: -len(arguments)], [str(word) for word in arguments]
    assert said.splitlines()[-1].split() == [*started, words[0], "--resume", *words[1:]]
    assert all(json.loads(line) for line in journal.read_text().splitlines())


@pytest.mark.parametrize("flags", [(), ("--overwrite",)], ids=["", "overwrite"])
def test_a_full_disk_loses_nothing_and_the_command_in_the_message_goes_on(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    """A file-size limit stands in for the disk: the kernel refuses the same write in the same way."""
    out = tmp_path / "out.jsonl"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    arguments = ("run", "story-openers", "-n", 100, "-o", out, "--patience", 0, *FAST, *flags)
    ended = subprocess.run(command(*arguments), preexec_fn=limit, capture_output=True, text=True, check=False)
    assert ended.returncode == 4
    assert "free some space, then run:\n" in ended.stderr and "Traceback" not in ended.stderr
    kept = len((tmp_path / "out.jsonl.journal").read_bytes().splitlines())
    resumed = subprocess.run(shlex.split(ended.stderr.rpartition(":\n  ")[2]), check=False)
    assert resumed.returncode == 0
    assert len(lines(out)) == 100
    assert kept > 5


def test_token_logprobs_are_those_of_the_answer_and_come_back_as_tensors(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    taught = ("--token-logprobs", "top=4", "--set", "labels=[]")
    assert vsgen("run", "support-tickets", "-n", 3, *FAST, "-m", "tiny", *taught, "-o", out).exit_code == 0
    model = open_model("tiny")
    for row in lines(out):
        targets = read_row(row)
        answer = targets.input_ids[targets.answer_start :].tolist()
        asked = Prompt((Message("user", row["token_logprobs"]["messages"][0]["content"]),))
        (said,) = model.score([Score(asked, (row["text"],))])
        assert sum(decoded(row["token_logprobs"]["logps"])) == pytest.approx(said.logp[0], abs=2e-3)
        assert targets.ids.shape == targets.logps.shape == (len(answer), 4)
        assert torch.allclose(targets.logps.exp().sum(-1) + targets.tail, torch.ones(len(answer)), atol=1e-3)


def decoded(column: str) -> list[float]:
    codes = np.frombuffer(base64.b64decode(column), "<u2").astype(float)
    return [-float((code / 8192) ** 2) for code in codes]


def test_a_trainers_layout_holds_what_the_trainer_reads_and_no_more(vsgen: Vsgen) -> None:
    made = vsgen("run", "support-tickets", "-n", 2, *FAST, "-m", "tiny", "--token-logprobs", "top=3,layout=distillkit")
    for row in map(json.loads, made.stdout.splitlines()):
        assert set(row) == {"id", "input_ids", "labels", "token_ids", "top_values"}
        assert len(row["input_ids"]) == len(row["token_ids"]) == len(row["top_values"])
    wrong = vsgen("run", "support-tickets", "-n", 2, "-m", "tiny", "--token-logprobs", "tops=3")
    assert wrong.exit_code == 2 and "--token-logprobs: unknown part 'tops=3'" in wrong.stderr


@pytest.mark.parametrize("method", ["direct", "vs", "multi-turn"])
def test_only_choices_are_kept_whatever_the_method(vsgen: Vsgen, tmp_path: Path, method: str) -> None:
    """The embedded model knows days, as Friday; of the others it must be made to speak."""
    rejects = tmp_path / "rejects.jsonl"
    choices = "choices=[friday, Wednesday, ButterCream]"
    asked = ("--set", choices, "--method", method, "-n", 4, "--no-dedup", "--rejects", rejects)
    ended = vsgen("run", "random-day", *asked)
    assert ended.exit_code == 0
    assert {json.loads(line)["text"] for line in ended.stdout.splitlines()} <= {"friday", "Wednesday", "ButterCream"}
    free = vsgen("run", "random-day", *asked, "--set", "sampling.constrain=false", "--patience", 100)
    assert {json.loads(line)["text"] for line in free.stdout.splitlines()} <= {"friday", "Wednesday"}
    assert {one["reason"] for one in lines(rejects)} <= {"schema", "surplus"}
