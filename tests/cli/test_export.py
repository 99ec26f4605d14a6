"""``vsgen export`` as a user types it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, get_args

import datasets
import orjson
import pytest

from tests.cli.conftest import Vsgen
from vsgen.cli.export import Form
from vsgen.export.forms import FORMS

NAMES = ("billing", "bug", "how-to")


def line(index: int, probs: tuple[float, ...] | None = (0.1, 0.7, 0.2)) -> dict[str, object]:
    label = (
        {"probs": dict(zip(NAMES, probs, strict=True)), "entropy": 0.8} if probs else {"probs": None, "problem": "x"}
    )
    fields = {"id": f"t/{index}", "text": f"light {index}", "product": "bike light", "probability": 0.5}
    return {**fields, "labels": {"category": label}, "meta": {"method": "vs"}}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(orjson.dumps(line(i), option=orjson.OPT_APPEND_NEWLINE) for i in range(3)))
    return path


def lines(text: str) -> list[Any]:
    return [orjson.loads(one) for one in text.splitlines()]


def test_forms_of_the_command_are_those_of_the_room() -> None:
    assert get_args(Form) == FORMS


def test_vectors_go_to_standard_output_and_the_note_to_standard_error(vsgen: Vsgen, rows: Path) -> None:
    result = vsgen("export", rows, "--to", "jsonl")
    assert result.exit_code == 0
    assert lines(result.stdout)[1] == {
        **{"id": "t/1", "text": "light 1", "label": [0.1, 0.7, 0.2]},
        "classes": ["billing", "bug", "how-to"],
    }
    assert "vsgen: 3 rows -> stdout" in result.stderr
    assert "docs/training.md" in result.stderr
    assert vsgen("export", rows, "--to", "jsonl", "--quiet").stderr == ""


def test_rows_are_read_from_standard_input(vsgen: Vsgen, rows: Path) -> None:
    result = vsgen("export", "-", "--to", "trl", "--draws", 0, stdin=rows.read_text())
    assert {row["completion"][0]["content"] for row in lines(result.stdout)} == {"bug"}


@pytest.mark.parametrize("name", ["out", "out.parquet"])
def test_datasets_are_written_where_they_are_wanted(vsgen: Vsgen, rows: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert vsgen("export", rows, "--to", "datasets", "-o", path, "--classes", "bug, billing,how-to").exit_code == 0
    read = datasets.load_from_disk if name == "out" else datasets.Dataset.from_parquet
    data: Any = read(str(path))
    assert data.features["category"].names == ["bug", "billing", "how-to"]
    assert data["category"][:] == [0, 0, 0]
    again = vsgen("export", rows, "--to", "datasets", "-o", path)
    assert again.exit_code == 2
    assert "exists; pass --overwrite" in again.stderr
    assert vsgen("export", rows, "--to", "datasets", "-o", path, "--overwrite").exit_code == 0


def test_file_appears_when_it_is_complete(vsgen: Vsgen, rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    good = rows.read_bytes()
    rows.write_bytes(good + orjson.dumps(line(3, (0.5, 0.1, 0.1))))
    result = vsgen("export", rows, "--to", "jsonl", "-o", out)
    assert result.exit_code == 2
    assert "rows.jsonl:4: labels.category: must sum to 1, got 0.7" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.jsonl"]
    rows.write_bytes(good)
    assert vsgen("export", rows, "--to", "jsonl", "-o", out).exit_code == 0
    assert len(lines(out.read_text())) == 3
    assert "exists" in vsgen("export", rows, "--to", "jsonl", "-o", out).stderr
    assert vsgen("export", rows, "--to", "jsonl", "-o", out, "--overwrite").exit_code == 0


@pytest.mark.parametrize("to", ["jsonl", "datasets"])
def test_the_input_is_never_replaced(vsgen: Vsgen, rows: Path, tmp_path: Path, to: str) -> None:
    before = rows.read_bytes()
    linked, part = tmp_path / "linked.jsonl", tmp_path / "out.jsonl.part"
    linked.symlink_to(rows)
    parquet = tmp_path / "rows.parquet"
    parquet.symlink_to(rows)
    folder = tmp_path / "dataset"
    if to == "datasets":
        assert vsgen("export", rows, "--to", to, "-o", folder).exit_code == 0
    folder.mkdir(exist_ok=True)
    inside = folder / "rows.jsonl"
    part.write_bytes(before)
    inside.write_bytes(before)
    pairs = [(rows, rows), (rows, linked), (linked, rows), (rows, parquet), (inside, folder)]
    for read, output in [*pairs, (part, tmp_path / "out.jsonl")]:
        result = vsgen("export", read, "--to", to, "-o", output, "--overwrite")
        assert result.exit_code == 2
        assert result.stderr == f"vsgen: {output}: would replace the input {read}; choose another -o\n"
        assert read.read_bytes() == before


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_an_interrupted_export_says_so_and_leaves_nothing(tmp_path: Path, name: str, sent: signal.Signals) -> None:
    words = [sys.executable, "-m", "vsgen", "export", "-", "--to", "jsonl", "-o", str(tmp_path / name)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_default_interrupt
    ) as child:
        assert child.stdin is not None and child.stderr is not None
        child.stdin.write(orjson.dumps(line(0)).decode() + "\n")
        child.stdin.flush()
        for _ in range(6000):
            if any(path.is_file() for path in tmp_path.rglob("*")) or child.poll() is not None:
                break
            time.sleep(0.01)
        child.send_signal(sent)
        assert child.wait(timeout=60) == 128 + sent
        assert child.stderr.read() == "vsgen: interrupted\n"
    assert list(tmp_path.iterdir()) == []


def _default_interrupt() -> None:
    """A shell's background jobs ignore SIGINT; this one must not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_rows_without_a_label_are_an_error_or_counted(vsgen: Vsgen, rows: Path) -> None:
    rows.write_bytes(rows.read_bytes() + orjson.dumps(line(3, None)))
    result = vsgen("export", rows, "--to", "jsonl")
    assert result.exit_code == 2
    assert "rows.jsonl:4: labels.category: could not be labelled" in result.stderr
    result = vsgen("export", rows, "--to", "jsonl", "--skip-unlabelled")
    assert result.exit_code == 0
    assert "3 rows (1 without a label left out)" in result.stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--to", "datasets"], "--to datasets: needs -o FOLDER or -o FILE.parquet"),
        (["--to", "jsonl", "--label", "tone"], "labels.tone: is missing; the row has category"),
        (["--to", "jsonl", "--on", "body"], "body: must be text"),
        (["--to", "jsonl", "--classes", "a,b"], "the classes must be a, b, got billing"),
        (["--to", "sentence-transformers", "--pair", "text"], "--pair: must be two different fields, got 'text'"),
        (["--to", "distillkit"], "token_logprobs: is missing"),
    ],
)
def test_wrong_options_are_named(vsgen: Vsgen, rows: Path, words: list[str], problem: str) -> None:
    result = vsgen("export", rows, *words)
    assert result.exit_code == 2
    assert result.stderr.startswith("vsgen: ")
    assert problem in result.stderr


def test_pairs_come_with_the_note_that_they_need(vsgen: Vsgen, rows: Path) -> None:
    result = vsgen("export", rows, "--to", "sentence-transformers", "--pair", "product,text")
    assert lines(result.stdout)[0] == {"product": "bike light", "text": "light 0", "label": [0.1, 0.7, 0.2]}
    assert "data_collator=SoftCollator(model.preprocess)" in result.stderr


def test_reader_that_leaves_ends_it_quietly(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(orjson.dumps(line(i), option=orjson.OPT_APPEND_NEWLINE) for i in range(20_000)))
    script = f"{sys.executable} -m vsgen export {path} --to jsonl --quiet | head -n 2; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", 2)
