"""What ``--resume`` believes: an end of a run in the journal that speaks for this output and these flags."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from threading import Thread
from typing import Final

import pytest
from typer.testing import CliRunner, Result

from tests.cli.tickets import tickets, write
from vsgen.cli import menu
from vsgen.cli.app import app
from vsgen.files.ends import End, told
from vsgen.files.journal import FileJournal
from vsgen.template.catalog import shipped
from vsgen.tiny import WEIGHTS

_JOKES: Final = "run {} {} --set dedup.embedder=hash"
_QUEUE: Final = (
    "--name category --classes billing,bug,how-to --prompt 'Which queue should take this support ticket?' -m tiny"
)
_DAYS: Final = "measure {} {} --set 'prompt=A day for {{{{ animal }}}}.' --samples 2 -m tiny"
_PAPER: Final = "measure --family bernoulli --selected --samples 2 --no-probes --max-bins 9 -m tiny"
MADE: Final[Mapping[str, str]] = {
    "run": _JOKES.format("jokes", "rows.jsonl"),
    "many": "run jokes -n 2 --set dedup.embedder=hash",
    "label": f"label rows.jsonl {_QUEUE}",
    "measure": _DAYS.format("random-day", "rows.jsonl"),
    "paper": _PAPER,
}
"""Commands whose output is complete, each in a folder of its name."""

SHAPES: Final[Mapping[str, Mapping[str, str]]] = {
    "run": {
        "template": _JOKES.format("random-item", "rows.jsonl"),
        "input": _JOKES.format("jokes", "other.jsonl"),
        "num": "-n 1",
        "no_dedup": "--no-dedup",
        "no_meta": "--no-meta",
        "token_logprobs": "--token-logprobs top=2",
        "model": "-m folder",
        "method": "--method direct",
        "k": "-k 3",
        "temperature": "--temperature 0.5",
        "sets": "--set sampling.p_min=0.1",
        "seed": "--seed 1",
        "rejects": "--rejects foreign.jsonl",
    },
    "label": {
        "input": f"label other.jsonl {_QUEUE}",
        "name": _QUEUE.replace("category", "another"),
        "classes": f"label rows.jsonl {_QUEUE}".replace("billing", "money"),
        "prompt": f"label rows.jsonl {_QUEUE}".replace("take", "have"),
        "choices": "label rows.jsonl --name category --choices options -m tiny",
        "template": "label rows.jsonl --template support-tickets",
        "on": f"label rows.jsonl {_QUEUE} --on animal",
        "method": "--method votes",
        "kind": "--kind ordinal",
        "prior": "--prior contextual",
        "permutations": "--permutations 2",
        "sets": "--set normalize=pmi",
        "truncate": "--truncate",
        "seed": "--seed 1",
        "model": "-m folder",
        "examples": "--examples gold.jsonl",
        "calibrate": "--calibrate gold.jsonl",
        "coverage": "--calibrate gold.jsonl --sets 0.5",
        "select": "--select borderline:0.5",
        "no_meta": "--no-meta",
        "rejects": "--rejects foreign.jsonl",
    },
    "measure": {
        "template": _DAYS.format("weekdays.yaml", "rows.jsonl"),
        "input": _DAYS.format("random-day", "other.jsonl"),
        "num": "-n 1",
        "sets": "--set name=another",
        "samples": "--samples 3",
        "seed": "--seed 1",
        "model": "-m folder",
        "rows": "measure random-day --from rows.jsonl --samples 2",
        "on": "measure random-day --from rows.jsonl --on animal --samples 2",
    },
    "paper": {
        "family": "--family student_t",
        "split": _PAPER.replace("--selected", "--split unseen"),
        "selected": _PAPER.replace("--selected", ""),
        "grid": "--grid quantile",
        "decimals": "--decimals 3",
        "max_bins": "--max-bins 8",
        "probes": "--probes",
    },
}
"""Options that shape what is written, each with words that change it, or with a whole command that does."""
REPLAYED: Final[Mapping[str, str]] = {
    "plot": "--calibrate gold.jsonl --plot plot.svg",
    "histogram": "--histogram",
    "gold": "--gold category",
    "flips": "--flips",
}
"""Options of `label` that want something beside the rows, which only a replay can give."""
SHAPELESS: Final[Mapping[str, tuple[str, str]]] = {
    "output": ("", "the file itself"),
    "journal": ("--journal out.jsonl.journal", "where the journal lies"),
    "summary": ("--summary summary.json", "is written again"),
    "resume": ("", "asks whether the file is complete"),
    "overwrite": ("", "does not go with --resume"),
    "device": ("--device cpu", "compared where the model is not one that always computes on the CPU"),
    "dtype": ("--dtype bfloat16", "compared where the model is not one that always computes in float64"),
    "batch": ("--batch 1", "any batch draws alike"),
    "trust_remote_code": ("--trust-remote-code", "a permission"),
    "allow_pickle": ("--allow-pickle", "a permission"),
    "allow_model": ("--allow-model tiny", "a permission"),
    "allow_exec": ("--allow-exec", "a permission; the commands' versions are compared"),
    "max_calls": ("--max-calls 1", "ends a run short, and a short output is replayed"),
    "max_tokens": ("--max-tokens 1", "ends a run short, and a short output is replayed"),
    "patience": ("--patience 1", "ends a run short, and a short output is replayed"),
    "on_error": (
        "--on-error skip",
        "where no line stopped the run, none is skipped; the way back is compared",
    ),
    "strict": ("", "the status, by the verdict in the journal"),
    "progress": ("--progress plain", "is only shown"),
    "log_json": ("", "is only printed"),
    "quiet": ("", "is only shown"),
    "endpoint": ("", "is in the model's name, which is compared; tests/cli/test_endpoint.py"),
    "wire": ("", "is in the model's name, as the endpoint"),
    "api_key_file": ("", "is in nothing that is written"),
    "allow_endpoint": ("--allow-endpoint http://localhost:9/v1", "a permission"),
    "concurrency": ("--concurrency 8", "how servers are treated"),
    "rpm": ("--rpm 60", "how servers are treated"),
    "tpm": ("--tpm 6000", "how servers are treated"),
    "timeout": ("--timeout 9", "how servers are treated"),
    "hedge": ("--hedge", "how servers are treated"),
    "proxy": ("--proxy http://localhost:9", "how servers are treated"),
    "emit_batch": ("", "needs an endpoint, whose replies it would ask for"),
    "ingest_batch": ("", "needs an endpoint, whose replies it brings"),
    "abilities": ("", "needs batch files"),
    "max_cost": ("", "ends a run short, and a short output is replayed"),
    "dry_run": ("", "writes nothing"),
    "as_json": ("", "how an estimate is printed"),
}
"""Options that cannot shape a complete output: words that give them, and why."""


def options(command: str) -> set[str]:
    """The names of a command's parameters."""
    return {str(one.name) for one in menu.command(command).params} - {"help"}


def test_the_commands_that_resume_are_these() -> None:
    assert {name for name in menu.ENTRIES if "resume" in options(name)} == {"run", "label", "measure"}


@pytest.mark.parametrize("command", ["run", "label", "measure"])
def test_every_option_is_one_that_is_compared_or_one_that_cannot_shape_the_output(command: str) -> None:
    """A new option fails here until it is listed above."""
    shapes = {*SHAPES[command], *(SHAPES["paper"] if command == "measure" else ())}
    beside = {*SHAPELESS, *(REPLAYED if command == "label" else ())}
    assert options(command) - shapes - beside == set()
    assert shapes - options(command) == set() and not shapes & beside


def vsgen(folder: Path, words: str) -> Result:
    """A command in a folder, by the embedded model unless it says otherwise."""
    with chdir(folder):
        given = shlex.split(words)
        return CliRunner().invoke(app, given if "-m" in given else [*given, "-m", "tiny"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each complete output; whoever changes one takes a copy."""
    root = tmp_path_factory.mktemp("made")
    for name, words in MADE.items():
        folder = root / name
        folder.mkdir()
        rows = [{"animal": animal, "text": one["text"]} for animal, one in zip(("cat", "cow"), tickets(2), strict=True)]
        write(folder / "rows.jsonl", rows)
        write(folder / "other.jsonl", rows[::-1])
        write(folder / "gold.jsonl", tickets(4, seed=1))
        (folder / "foreign.jsonl").write_text("somebody's own\n")
        days = shipped()["random-day"].read_text().replace("name: random-day", "name: weekdays")
        (folder / "weekdays.yaml").write_text(days)
        shutil.copytree(WEIGHTS, folder / "folder")
        ended = vsgen(folder, f"{words} -o out.jsonl")
        assert ended.exit_code == 0, ended.stderr
    return root


@pytest.fixture
def copied(made: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of one of them."""
    return Path(shutil.copytree(made / request.param, tmp_path / "copy"))


def resumed(folder: Path, command: str, words: str) -> Result:
    asked = words if words.startswith(f"{MADE[command].split()[0]} ") else f"{MADE[command]} {words}"
    return vsgen(folder, f"{asked} -o out.jsonl --resume")


@pytest.mark.parametrize("command", MADE)
def test_the_same_command_finds_its_output_complete(made: Path, command: str) -> None:
    ended = resumed(made / command, command, "")
    assert ended.exit_code == 0 and "complete already" in ended.stderr, ended.stderr


@pytest.mark.parametrize(("command", "option"), [(name, one) for name, each in SHAPES.items() for one in each])
def test_an_option_that_shapes_the_output_makes_it_another_one(made: Path, command: str, option: str) -> None:
    where = "many" if option == "num" and command == "run" else command
    before = (made / where / "out.jsonl").read_bytes()
    ended = resumed(made / where, where, SHAPES[command][option])
    other = "is not what the run wrote" if option == "rejects" else "was made differently: "
    assert ended.exit_code == 2 and other in ended.stderr, ended.stderr
    assert (made / where / "out.jsonl").read_bytes() == before
    assert (made / where / "foreign.jsonl").read_text() == "somebody's own\n"


@pytest.mark.parametrize(
    ("command", "option"),
    [(name, one) for name in ("run", "label", "measure") for one, (words, _) in SHAPELESS.items() if words],
)
def test_an_option_that_cannot_shape_the_output_leaves_it_complete(made: Path, command: str, option: str) -> None:
    if option not in options(command):
        return
    ended = resumed(made / command, command, SHAPELESS[option][0])
    assert ended.exit_code == 0 and "complete already" in ended.stderr, ended.stderr


@pytest.mark.parametrize("copied", ["label"], indirect=True)
def test_what_only_a_replay_gives_is_given(copied: Path) -> None:
    shown = resumed(copied, "label", REPLAYED["histogram"])
    assert shown.exit_code == 0 and "normalized entropy of category, 2 rows" in shown.stderr
    assert vsgen(copied, f"{MADE['label']} --calibrate gold.jsonl -o out.jsonl --overwrite").exit_code == 0
    assert resumed(copied, "label", REPLAYED["plot"]).exit_code == 0 and (copied / "plot.svg").exists()


@pytest.mark.parametrize("copied", ["run", "label", "measure"], indirect=True)
@pytest.mark.parametrize("other", ["", "--seed 1"])
def test_an_output_without_its_journal_is_of_unknown_origin(
    copied: Path, other: str, request: pytest.FixtureRequest
) -> None:
    command = request.node.callspec.params["copied"]
    before = (copied / "out.jsonl").read_bytes()
    (copied / "out.jsonl.journal").rename(copied / "moved")
    ended = resumed(copied, command, other)
    assert ended.exit_code == 2 and "it is unknown what it was made from; name its journal" in ended.stderr
    assert (copied / "out.jsonl").read_bytes() == before and not (copied / "out.jsonl.journal").exists()


@pytest.mark.parametrize("copied", ["run", "label", "measure"], indirect=True)
def test_a_journal_without_an_end_is_replayed(copied: Path, request: pytest.FixtureRequest) -> None:
    command, journal = request.node.callspec.params["copied"], copied / "out.jsonl.journal"
    before = (copied / "out.jsonl").read_bytes()
    *lines, _ = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines))
    ended = resumed(copied, command, "")
    assert ended.exit_code == 0 and "complete already" not in ended.stderr, ended.stderr
    assert not re.search(r"calls made now: \d", ended.stderr)
    assert (copied / "out.jsonl").read_bytes() == before
    journal.write_bytes(b"".join(lines))
    another = resumed(copied, command, "--seed 1")
    assert another.exit_code == 2 and "was made differently: the seed was 0 and is 1" in another.stderr


@pytest.mark.parametrize("copied", ["label"], indirect=True)
@pytest.mark.parametrize("damage", ["torn", "longer", "another"])
def test_an_output_that_was_changed_since_is_not_complete(copied: Path, damage: str) -> None:
    out = copied / "out.jsonl"
    rows = out.read_bytes()
    out.write_bytes({"torn": rows[:-9], "longer": rows + rows, "another": rows.replace(b"0.", b"1.", 1)}[damage])
    ended = resumed(copied, "label", "")
    assert ended.exit_code == 2 and "is not what its journal recorded, so it was changed since" in ended.stderr
    assert vsgen(copied, f"{MADE['label']} -o out.jsonl --overwrite").exit_code == 0 and out.read_bytes() == rows


@pytest.mark.parametrize("copied", ["many"], indirect=True)
def test_one_journal_may_tell_of_two_outputs(copied: Path) -> None:
    first, shared = MADE["many"], "--journal out.jsonl.journal"
    assert vsgen(copied, f"{first} --seed 1 -o other.jsonl {shared} --overwrite").exit_code == 0
    for words in (f"{first} -o out.jsonl", f"{first} --seed 1 -o other.jsonl {shared}"):
        assert "complete already" in vsgen(copied, f"{words} --resume").stderr
    crossed = vsgen(copied, f"{first} -o other.jsonl {shared} --resume")
    assert crossed.exit_code == 2 and "the seed was 1 and is 0" in crossed.stderr


@pytest.mark.parametrize("copied", ["many"], indirect=True)
def test_a_run_that_begins_anew_and_dies_leaves_no_word_for_what_it_was_to_replace(copied: Path) -> None:
    before, journal = (copied / "out.jsonl").read_bytes(), copied / "out.jsonl.journal"
    with FileJournal(journal) as opened:
        (end,) = (one for one in told(journal) if isinstance(one, End))
        assert end.parts is not None
        opened.begin({**end.parts, "seed": 1}, "out.jsonl")
    for seed, status in ((2, 2), (0, 0)):
        ended = resumed(copied, "many", f"--seed {seed}")
        assert ended.exit_code == status, ended.stderr
        assert (copied / "out.jsonl").read_bytes() == before
    assert resumed(copied, "many", "--seed 1").exit_code == 0
    assert (copied / "out.jsonl").read_bytes() != before


@pytest.mark.parametrize("copied", ["many"], indirect=True)
def test_a_journal_that_a_dead_run_began_for_another_output_says_nothing_of_this_one(copied: Path) -> None:
    with FileJournal(copied / "out.jsonl.journal") as opened:
        (end,) = (one for one in told(copied / "out.jsonl.journal") if isinstance(one, End))
        assert end.parts is not None
        opened.begin({**end.parts, "seed": 1}, "another.jsonl")
    assert resumed(copied, "many", "--seed 1").exit_code == 2
    assert "complete already" in resumed(copied, "many", "").stderr


@pytest.mark.parametrize("copied", ["many"], indirect=True)
def test_rejects_that_are_wanted_now_are_written_now_and_kept_then(copied: Path) -> None:
    before = (copied / "out.jsonl").read_bytes()
    assert "complete already" not in resumed(copied, "many", "--rejects rejects.jsonl").stderr
    assert (copied / "rejects.jsonl").exists() and (copied / "out.jsonl").read_bytes() == before
    assert "complete already" in resumed(copied, "many", "--rejects rejects.jsonl").stderr
    missing = resumed(copied, "many", "--rejects none.jsonl --seed 1")
    assert missing.exit_code == 2 and not (copied / "none.jsonl").exists()
    assert (copied / "out.jsonl").read_bytes() == before


@pytest.mark.parametrize("copied", ["many"], indirect=True)
@pytest.mark.parametrize("where", ["-o new.jsonl", "-o out.jsonl", "--journal out.jsonl.journal"])
def test_somebodys_own_file_is_not_replaced_by_rejects_where_there_is_no_output(copied: Path, where: str) -> None:
    (copied / "out.jsonl").unlink()
    ended = vsgen(copied, f"{MADE['many']} {where} --rejects foreign.jsonl --resume")
    assert ended.exit_code == 2 and "foreign.jsonl: exists, but is not what the run wrote" in ended.stderr
    assert (copied / "foreign.jsonl").read_text() == "somebody's own\n" and not (copied / "new.jsonl").exists()


@pytest.mark.parametrize("copied", ["many"], indirect=True)
def test_rejects_whose_output_is_gone_or_did_not_appear_are_written_again(copied: Path) -> None:
    words, before = f"{MADE['many']} -o out.jsonl --rejects rejects.jsonl", (copied / "out.jsonl").read_bytes()
    assert vsgen(copied, f"{words} --overwrite").exit_code == 0
    for ends in (1, 0):  # the output was deleted; the run died between the two
        (copied / "out.jsonl").unlink()
        journal = copied / "out.jsonl.journal"
        journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[: None if ends else -1]))
        ended = vsgen(copied, f"{words} --resume")
        assert ended.exit_code == 0 and (copied / "out.jsonl").read_bytes() == before, ended.stderr


@pytest.mark.parametrize("copied", ["many"], indirect=True)
def test_rejects_through_a_descriptor_of_a_file_are_nobodys_to_give_again(copied: Path) -> None:
    with (copied / "log").open("w") as log:
        words = f"{MADE['many']} -o out.jsonl --rejects /dev/fd/{log.fileno()}"
        assert vsgen(copied, f"{words} --overwrite").exit_code == 0
        log.write("another line\n")
        log.flush()
        ended = vsgen(copied, f"{words} --resume")
    assert ended.exit_code == 0 and "complete already" in ended.stderr, ended.stderr


@pytest.mark.parametrize("copied", ["label"], indirect=True)
@pytest.mark.parametrize("many", [2, 4])
def test_rows_at_the_end_of_a_pipe_are_asked_about(copied: Path, many: int) -> None:
    rows = [{**one, "pad": "x" * 40_000} for one in tickets(many)]
    for name, some in (("rows.jsonl", rows[:2]), ("more.jsonl", rows)):
        write(copied / name, some)
    assert vsgen(copied, f"{MADE['label']} -o out.jsonl --overwrite").exit_code == 0
    os.mkfifo(copied / "pipe")
    writer = Thread(target=lambda: (copied / "pipe").write_bytes((copied / "more.jsonl").read_bytes()))
    writer.start()
    ended = vsgen(copied, f"{MADE['label'].replace('rows.jsonl', 'pipe')} -o out.jsonl --resume")
    writer.join(60)
    assert ended.exit_code == 0 and (("complete already" in ended.stderr) == (many == 2)), ended.stderr
    made = (copied / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in made] == [one["text"] for one in rows]


@pytest.mark.parametrize("copied", ["many"], indirect=True)
def test_a_model_whose_files_changed_is_another_one(copied: Path) -> None:
    words = f"{MADE['many']} -m folder --no-dedup -o out.jsonl"
    assert vsgen(copied, f"{words} --overwrite").exit_code in {0, 1}
    assert "complete already" in vsgen(copied, f"{words} --resume").stderr
    for word, said in (("--dtype float64", "--dtype was auto and is float64"), ("--device cpu", "--device was auto")):
        assert said in vsgen(copied, f"{words} --resume {word}").stderr
    (copied / "folder" / "tokenizer_config.json").write_text("{}")
    ended = vsgen(copied, f"{words} --resume")
    assert ended.exit_code == 2 and "the content of model folder has changed" in ended.stderr


@pytest.mark.parametrize("copied", ["label"], indirect=True)
def test_lines_that_were_skipped_may_stop_the_next_run(copied: Path) -> None:
    with (copied / "rows.jsonl").open("a") as more:
        more.write("no JSON\n")
    words = f"{MADE['label']} -o out.jsonl"
    assert vsgen(copied, f"{words} --overwrite --on-error skip").exit_code == 0
    assert "complete already" in vsgen(copied, f"{words} --resume --on-error skip").stderr
    ended = vsgen(copied, f"{words} --resume")
    assert ended.exit_code == 2 and "--on-error was skip and is stop" in ended.stderr


@pytest.mark.parametrize("copied", ["label"], indirect=True)
@pytest.mark.parametrize("more", ["--select borderline:0.5", "--prior batch"])
def test_what_hangs_on_all_rows_is_made_of_all_when_the_input_grows(copied: Path, more: str) -> None:
    words = f"{MADE['label']} {more}"
    assert vsgen(copied, f"{words} -o out.jsonl --overwrite").exit_code == 0
    with (copied / "rows.jsonl").open("a") as file:
        file.writelines(json.dumps({"text": one["text"]}) + "\n" for one in tickets(3, seed=1))
    assert vsgen(copied, f"{words} -o whole.jsonl").exit_code == 0
    ended = vsgen(copied, f"{words} -o out.jsonl --resume")
    assert ended.exit_code == 0 and "calls made now: 3 score" in ended.stderr
    assert (copied / "out.jsonl").read_bytes() == (copied / "whole.jsonl").read_bytes()
