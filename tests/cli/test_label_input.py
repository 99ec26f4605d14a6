"""``vsgen label``: what is told of wrong flags and bad input, and that an interrupted run is continued."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.tickets import CATEGORY, lines, tickets, tiny, write
from tests.labels.asking import Scripted, said
from vsgen.errors import ChoiceError
from vsgen.files.rows import RowInput
from vsgen.values import Score, Scores

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen


@pytest.fixture(autouse=True)
def _opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsgen.jobs.desk.open_model", lambda *_, **__: tiny())


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write(tmp_path / "rows.jsonl", tickets(12))


# --- bad input

GOOD = '{"text": "My lamp broke."}\n'


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ((), "what to label? give --name and --classes (or --choices), or --template"),
        (("--name", "x"), "--classes: give one list of classes for each --name (1), got 0"),
        (("--name", "x", "--name", "y", "--classes", "a,b"), "for each --name (2), got 1"),
        (("--name", "x", "--classes", "a,b", "--prompt", "p", "--prompt", "q"), "--prompt: give one for each"),
        (("--name", "x", "--classes", "a,b,a"), "--classes: class 'a' is named twice"),
        (("--name", "x", "--classes", "a,,b"), "--classes: a class must not be empty"),
        (("--name", "x", "--classes", "a,"), "--classes: a class must not be empty"),
        (("--name", "x", "--classes", "a"), "--classes: needs at least 2, such as good,bad; got 'a'"),
        (("--name", "x", "--classes", '["a", 1]'), "--classes: must be a JSON list of texts, got"),
        (("--name", "x", "--classes", '["a", "b"'), "--classes: not a JSON list"),
        (("--name", "x", "--classes", "a,b", "--choices", "o"), "--choices: cannot be combined with"),
        (("--name", "x y", "--classes", "a,b"), "--name: must be letters, digits and '_'"),
        (("--name", "x", "--classes", "a,b", "--name", "x", "--classes", "a,b"), "label 'x' is named twice"),
        ((*CATEGORY, "--method", "guess"), "score, reasoning, votes, verbalized or decisions, got 'guess'"),
        ((*CATEGORY, "--kind", "many"), "--kind: must be nominal, ordinal or multi, got 'many'"),
        ((*CATEGORY, "--prior", "some"), "--prior: must be none, contextual or batch, got 'some'"),
        ((*CATEGORY, "--permutations", "some"), "--permutations some: permutations: must be an integer >= 1, or all"),
        ((*CATEGORY, "--set", "replies=3"), "--set replies=3: replies: method score draws no replies"),
        ((*CATEGORY, "--set", "metod=votes"), "--set metod=votes: unknown key 'metod'; did you mean 'method'?"),
        ((*CATEGORY, "--set", "method"), "must be key=value"),
        ((*CATEGORY, "--prompt", "{{ text"), "--prompt: give one for each"),
        ((*CATEGORY[:4], "--prompt", "{{ text"), "--prompt: not valid Jinja"),
        ((*CATEGORY, "--on", "my text"), "--on: must be letters, digits and '_'"),
        ((*CATEGORY, "--on", "body"), "<stdin>:1: no field 'body' to label; its fields are: text; name one with --on"),
        ((*CATEGORY, "--select", "borderline"), "the share must be above 0 and at most 1, got none"),
        ((*CATEGORY, "--select", "bordrline:0.2"), "did you mean 'borderline'?"),
        ((*CATEGORY, "--plot", "p.png"), "--plot needs --calibrate GOLD"),
        ((*CATEGORY, "--calibrate", "-"), "--calibrate -: standard input is INPUT already"),
        ((*CATEGORY, "--calibrate", "missing.jsonl"), "missing.jsonl: no such file; give a JSONL file"),
        ((*CATEGORY, "--resume"), "--resume needs -o FILE"),
        (("--template", "random-item"), "random-item.yaml: has no 'labels:'; add some, or pass --name and --classes"),
        (("--template", "support-tickets", *CATEGORY), "--name: cannot be combined with --template"),
        (("--template", "support-tickets", "--prompt", "p"), "--prompt: cannot be combined with --template"),
        (("--template", "suport-tickets"), "did you mean 'support-tickets'?"),
    ],
)  # fmt: skip
def test_wrong_flags_are_told_in_one_message(vsgen: Vsgen, flags: tuple[str, ...], told: str) -> None:
    ended = vsgen("label", "-", *flags, stdin=GOOD)
    assert (ended.exit_code, ended.stdout) == (2, "")
    (message,) = [line for line in ended.stderr.splitlines() if "the toy model" not in line]
    assert message.startswith("vsgen: ")
    assert told in message


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "<stdin>: has no rows; give at least one JSON object"),
        ("\n\n", "<stdin>: has no rows"),
        ("no JSON\n", "<stdin>:1: not JSON"),
        (f"{GOOD}[1]\n", "<stdin>:2: not a JSON object"),
        (f'{GOOD}{{"body": "x"}}\n', "<stdin>:2: no field 'text' to label; its fields are: body; name one with --on"),
        ("{}\n", "<stdin>:1: no field 'text' to label; its fields are: none"),
        ('{"text": null}\n', "<stdin>:1: field 'text' is null; give a text, or name another field with --on"),
        ('{"text": "x", "labels": []}\n', "<stdin>:1: field 'labels' must be an object of labels, got list"),
        ('{"text": "x", "labels": {"category": {}}}\n', "<stdin>:1: has a label 'category' already"),
        (json.dumps({"text": "word " * 3000}), "<stdin>:1: label category: prompt and longest choice have"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_and_what_to_do(vsgen: Vsgen, given: str, told: str) -> None:
    ended = vsgen("label", "-", *CATEGORY, "-m", "tiny", stdin=given)
    assert ended.exit_code == 2
    (message,) = ended.stderr.splitlines()
    assert message.startswith(f"vsgen: {told}")


def test_bad_rows_are_passed_over_on_request_and_counted(vsgen: Vsgen) -> None:
    long = json.dumps({"text": "word " * 3000})
    given = f'{GOOD}no JSON\n{{"body": "x"}}\n{long}\n{{"text": null}}\n{GOOD}'
    ended = vsgen("label", "-", *CATEGORY, "--on-error", "skip", stdin=given)
    assert ended.exit_code == 0, ended.stderr
    first, lost, last = lines(ended.stdout)
    assert first["labels"] == last["labels"]
    label = lost["labels"]["category"]
    assert label["probs"] is None
    assert label["problem"].startswith("prompt and longest choice have ")
    assert label["problem"].endswith("and the model's context only 1024; shorten the text, or pass --truncate")
    for told in (
        "<stdin>:2: not JSON", "<stdin>:3: no field 'text'", "<stdin>:5: field 'text' is null", "3 input rows = 3 kept",
        "labels that could not be made (see `problem` in their rows): 1", "3 input rows skipped",
    ):  # fmt: skip
        assert told in ended.stderr


def test_texts_are_cut_only_on_request_and_marked(vsgen: Vsgen) -> None:
    long = tickets(1)[0]["text"] + " word" * 20_000
    ended = vsgen("label", "-", *CATEGORY, "--truncate", stdin=f"{GOOD}{json.dumps({'text': long})}\n")
    assert ended.exit_code == 0, ended.stderr
    short, cut = lines(ended.stdout)
    assert "truncated" not in short["labels"]["category"]
    assert cut["labels"]["category"]["truncated"] is True
    assert cut["text"] == long
    assert "labels of texts that were cut: 1" in ended.stderr


def test_a_selection_of_nothing_is_no_error(vsgen: Vsgen, tmp_path: Path) -> None:
    rejects, long = tmp_path / "r.jsonl", json.dumps({"text": "word " * 3000})
    flags = ("--select", "borderline:0.5", "--rejects", rejects, "--on-error", "skip")
    ended = vsgen("label", "-", *CATEGORY, *flags, stdin=long)
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert len(lines(rejects.read_text())) == 1


@pytest.mark.parametrize(
    ("gold", "told"),
    [
        ([], "gold.jsonl: has no rows; give rows with the text and the known class"),
        (
            [{"text": "x", "category": "other"}],
            "gold.jsonl:1: category: 'other' is not one of the label's classes (billing, ",
        ),
        (
            [{"text": "x"}],
            "gold.jsonl:1: needs a field 'category' with a class, or {class: probability}, which is missing",
        ),
        (
            [{"text": "x", "category": ["bug"]}],
            "got ['bug']",
        ),
        ([{"category": "bug"}], "gold.jsonl:1: no field 'text' to label"),
        ([{"text": None, "category": "bug"}], "gold.jsonl:1: field 'text' is null"),
        (["bug"], "gold.jsonl:1: not a JSON object"),
        ([{"text": "word " * 3000, "category": "bug"}], "gold.jsonl:1: label category: prompt and longest choice have"),
    ],
)
def test_a_gold_file_that_does_not_fit_is_told_before_anything_is_written(
    vsgen: Vsgen, rows: Path, tmp_path: Path, gold: list[object], told: str
) -> None:
    path = write(tmp_path / "gold.jsonl", gold)
    ended = vsgen("label", rows, *CATEGORY, "-m", "tiny", "--calibrate", path)
    assert (ended.exit_code, ended.stdout) == (2, "")
    (message,) = ended.stderr.splitlines()
    assert told in message.replace(f"{tmp_path}/", "")


class Mute(Scripted):
    """Cannot write every class."""

    def score(self, calls: Sequence[Score]) -> Sequence[Scores]:
        if any("日本" in call.choices for call in calls) and "\n" in said(calls[0].prompt):
            raise ChoiceError("the model's tokenizer cannot write '日本'; use other words")
        return Scripted.score(self, calls)


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_a_class_that_the_model_cannot_write_is_told_whatever_is_done_with_bad_rows(
    vsgen: Vsgen, rows: Path, monkeypatch: pytest.MonkeyPatch, on_error: str
) -> None:
    monkeypatch.setattr("vsgen.jobs.desk.open_model", lambda *_, **__: Mute())
    ended = vsgen("label", rows, "--name", "place", "--classes", "日本,x", "--on-error", on_error, "-m", "mute")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr == "vsgen: flags: label place: the model's tokenizer cannot write '日本'; use other words\n"


def test_an_output_is_never_overwritten_unasked_nor_the_input(vsgen: Vsgen, rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("mine\n")
    ended = vsgen("label", rows, *CATEGORY, "-o", out)
    assert (ended.exit_code, out.read_text()) == (2, "mine\n")
    assert "--overwrite" in ended.stderr
    assert vsgen("label", rows, *CATEGORY, "-o", out, "--overwrite").exit_code == 0
    before = rows.read_bytes()
    for words in (("-o", rows, "--overwrite"), ("-o", tmp_path / "o", "--rejects", rows, "--overwrite")):
        ended = vsgen("label", rows, *CATEGORY, *words)
        assert ended.exit_code == 2
        assert "is named twice" in ended.stderr
    assert rows.read_bytes() == before


# --- interruption

REASONING = ("--method", "votes", "--set", "replies=4", "--set", "max_tokens=24", "--permutations", "2")


def test_a_torn_journal_is_continued_to_the_same_bytes_and_nothing_is_asked_twice(
    vsgen: Vsgen, rows: Path, tmp_path: Path
) -> None:
    whole, again = tmp_path / "whole.jsonl", tmp_path / "again.jsonl"
    words = ("label", rows, *CATEGORY, *REASONING, "--select", "margin:0.5", "--rejects")
    assert vsgen(*words, tmp_path / "whole.rejects", "-o", whole).exit_code == 0
    journal = (tmp_path / "whole.jsonl.journal").read_bytes()
    calls = journal.count(b'"kind":"generate"')
    for share in (0.0, 0.4, 0.9):
        torn = journal[: int(len(journal) * share)]
        (tmp_path / "again.jsonl.journal").write_bytes(torn)
        (tmp_path / "again.jsonl.part").write_text("torn")
        again.unlink(missing_ok=True)
        (tmp_path / "again.rejects").unlink(missing_ok=True)
        ended = vsgen(*words, tmp_path / "again.rejects", "-o", again, "--resume")
        assert ended.exit_code == 0, ended.stderr
        assert again.read_bytes() == whole.read_bytes()
        assert (tmp_path / "again.rejects").read_bytes() == (tmp_path / "whole.rejects").read_bytes()
        known = torn.rpartition(b"\n")[0].count(b'"kind":"generate"')
        assert f"calls made now: {calls - known} generate" in ended.stderr
    before = again.stat().st_mtime_ns
    ended = vsgen(*words, tmp_path / "again.rejects", "-o", again, "--resume")
    assert (ended.exit_code, again.stat().st_mtime_ns) == (0, before)
    assert f"complete already: {len(lines(whole.read_text()))} rows" in ended.stderr


@pytest.mark.parametrize(
    ("other", "change"),
    [
        (("--seed", "5"), "the seed was 0 and is 5"),
        (("--prior", "contextual"), "the template has changed"),
        (("--truncate",), "--truncate was false and is true"),
        (("--select", "margin:0.5"), "--select was not given and is margin:0.5"),
        (("--on", "id"), "the template has changed, --on was text and is id"),
        (("--set", "normalize=byte"), "the template has changed"),
        (("--calibrate", "GOLD"), "--calibrate was not given and is GOLD"),
        (("-m", "another", "--seed", "5"), "the model was tiny and is another, the seed was 0 and is 5"),
    ],
)
def test_an_output_of_other_flags_is_not_taken_for_this_one(
    vsgen: Vsgen, tmp_path: Path, rows: Path, other: tuple[str, ...], change: str
) -> None:
    out = tmp_path / "out.jsonl"
    assert vsgen("label", rows, *CATEGORY, "-o", out).exit_code == 0
    before = out.read_bytes()
    words = [str(rows) if word == "GOLD" else word for word in other]
    change = change.replace("GOLD", str(RowInput(str(rows)).look()))
    ended = vsgen("label", rows, *CATEGORY, "-o", out, "--resume", *words)
    assert ended.exit_code == 2
    assert f"was made differently: {change}; --overwrite makes it again" in ended.stderr
    assert out.read_bytes() == before


def started(*words: object, stdout: int | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "vsgen", *map(str, words)]
    return subprocess.Popen(
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


@pytest.mark.slow
def test_a_killed_process_is_continued_to_the_same_bytes(vsgen: Vsgen, tmp_path: Path) -> None:
    path, out, whole = write(tmp_path / "in.jsonl", tickets(30)), tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    words = ("label", path, *CATEGORY, *REASONING)
    journal = tmp_path / "out.jsonl.journal"
    with started(*words, "-o", out) as child:
        while child.poll() is None and not (journal.exists() and journal.stat().st_size > 3_000):
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
    assert not out.exists()
    ended = vsgen(*words, "-o", out, "--resume")
    assert ended.exit_code == 0, ended.stderr
    assert vsgen(*words, "-o", whole).exit_code == 0
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.slow
def test_a_reader_that_goes_ends_it_quietly(tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", tickets(200))
    with started("label", path, *CATEGORY, "-q", stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert "labels" in json.loads(child.stdout.readline())
        child.stdout.close()
        assert child.stderr.read() == ""
    assert child.returncode == 0
