"""Wrong command lines, as users type them: each names what is wrong and what to do, and leaves no file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

HEAD = "version: 1\nname: mine\n"
OWN = HEAD + "prompt: Review a {{ product }}.\nvariables: {product: [tent, stove]}\nnum: 3\n"
FED = HEAD + "prompt: Review a {{ product }}.\n"
FILES: dict[str, str | bytes] = {
    "own.yaml": OWN,
    "fed.yaml": FED,
    "latin.yaml": b"version: 1\nname: mine\nprompt: caf\xe9\n",
    "bare.yaml": HEAD + "prompt: {{ product }}\nvariables: {product: [tent]}\n",
    "colon.yaml": HEAD + "prompt: Write this: a review\n",
    "tab.yaml": HEAD + "variables:\n\tproduct: [tent]\nprompt: hi\n",
    "unversioned.yaml": "name: mine\nprompt: hi\n",
    "long.yaml": HEAD + f"prompt: hi\nnum: 1\nkeep: {'q' * 900} > 3\n",
    "colon_item.yaml": HEAD + "prompt: '{{ lid }}'\nvariables:\n  lid:\n    - fine\n    - the lid: it rattles\n",
    "unquoted.yaml": OWN + "keep: not sure not in text\n",
    "space.yaml": HEAD + "num:500\nprompt: hi\n",
    "empty.yaml": "",
    "empty.jsonl": "",
    "late.jsonl.part": "",
    "empty.gguf": "",
    "cut.gguf": b"GGUF\x03\0\0\0",
    "rows.jsonl": '{"product": "tent"}\n',
    "unnamed.jsonl": '{"produkt": "tent"}\n',
    "rows.csv": "product,colour\ntent,red\n",
    "rows.json": json.dumps([{"product": "tent"}]),
}
RUN = ("run", "own.yaml", "-m", "tiny", "-n", "1")

WRONG: dict[str, tuple[tuple[str, ...], int, str, str]] = {
    "no model": (("run", "own.yaml"), 2, "own.yaml: name a model", "-m ID, or export VSGEN_MODEL=ID"),
    "no model to try": (("try", "own.yaml"), 2, "own.yaml: name a model", "-m ID, or export VSGEN_MODEL=ID"),
    "no model to measure": (("measure",), 2, "measure: name a model", "-m ID"),
    "no model to label": (
        ("label", "rows.jsonl", "--on", "product", "--name", "kind", "--classes", "a,b"),
        2,
        "flags: name a model",
        "-m ID",
    ),
    "an empty name": (("run", "support-tickets", "-n", "1", "-m", ""), 2, "--model: is empty", "name a model"),
    "an empty name to check": (("check", "support-tickets", "-m", ""), 2, "--model: is empty", "name a model"),
    "an empty name to test": (("doctor", "-m", " "), 2, "--model: is empty", "name a model"),
    "an empty name of a tokenizer": (
        ("targets", "--kind", "soft", "--tokenizer", ""),
        2,
        "--tokenizer: is empty",
        "name a model",
    ),
    "an address": ((*RUN, "-m", "http://localhost:8000/v1"), 3, "http://localhost:8000/v1: ", "--endpoint"),
    "a model behind an API": ((*RUN, "-m", "gpt-4o"), 3, "gpt-4o: ", "--endpoint"),
    "a missing folder": ((*RUN, "-m", "./models/mine"), 3, "./models/mine: ", "no such folder"),
    "a missing GGUF file": ((*RUN, "-m", "mine.gguf"), 3, "mine.gguf: ", "no such folder or file"),
    "a file that is no model": ((*RUN, "-m", "own.yaml"), 3, "own.yaml: is not a GGUF file", "or a model folder"),
    "an empty model": ((*RUN, "-m", "empty.gguf"), 3, "empty.gguf: is an empty file", "download it again"),
    "a model cut off": ((*RUN, "-m", "cut.gguf"), 3, "cut.gguf: is cut off", "download it again"),
    "a misspelled model": ((*RUN, "-m", "tinny"), 3, "tinny: ", "did you mean 'tiny'?"),
    "an unknown device": ((*RUN, "--device", "gpu"), 2, "--device: ", "choose auto, cpu, cuda"),
    "a device that nothing runs on": (
        (*RUN, "--no-dedup", "--device", "cuda"),
        2,
        "--device cuda: tiny",
        "leave it out",
    ),
    "an unknown number format": ((*RUN, "--dtype", "fp16"), 2, "--dtype: ", "float16"),
    "a misspelled template": (
        ("check", "suport-tickets"),
        2,
        "'suport-tickets'",
        "did you mean 'support-tickets'? A template of your own",
    ),
    "a template without its ending": (("check", "own"), 2, "'own'", "did you mean 'own.yaml'?"),
    "no template of this name": (("check", "zzz"), 2, "'zzz'", "the shipped ones are arithmetic, "),
    "a missing template": (("check", "xyz.yaml"), 2, "xyz.yaml: no such file", "vsgen init xyz.yaml"),
    "a template almost named": (("check", "own1.yaml"), 2, "own1.yaml: no such file", "did you mean 'own.yaml'?"),
    "a folder as template": (("check", "folder"), 2, "folder: is a folder", "name a .yaml file in it"),
    "rows as template": (("check", "rows.jsonl"), 2, "'rows.jsonl': is a file of rows", "TEMPLATE rows.jsonl"),
    "an empty template": (("check", "empty.yaml"), 2, "empty.yaml: is empty", "vsgen init NAME"),
    "an input without rows": (("check", "own.yaml", "empty.jsonl"), 2, "empty.jsonl: has no rows", "at least one"),
    "not UTF-8": (("check", "latin.yaml"), 2, "latin.yaml:3: not UTF-8", "save it as UTF-8"),
    "a tab": (("check", "tab.yaml"), 2, "tab.yaml:4:1: ", "indent with spaces"),
    "a colon": (("check", "colon.yaml"), 2, "colon.yaml:3:", "put quotes around the whole value"),
    "a colon in an item": (
        ("check", "colon_item.yaml"),
        2,
        "colon_item.yaml:7: variables.lid.1: ",
        'the colon makes this a mapping; put quotes around it: "the lid: it rattles"',
    ),
    "a key without a space": (("check", "space.yaml"), 2, "space.yaml:3:1: ", 'put a space after "num:"'),
    "one class": (
        ("label", "rows.jsonl", "--on", "product", "--name", "kind", "--classes", "good", "-m", "tiny"),
        2,
        "--classes: needs at least 2",
        "such as good,bad",
    ),
    "a template to label": (
        ("label", "own.yaml", "--name", "kind", "--classes", "a,b", "-m", "tiny", "-o", "rows.jsonl"),
        2,
        "own.yaml: is a template",
        "--template own.yaml",
    ),
    "a text of keep without quotes": (
        ("check", "unquoted.yaml"),
        2,
        "unquoted.yaml:6: keep.0: missing variable 'sure' in 'not sure not in text'",
        "put quotes around a text",
    ),
    "a variable without quotes": (("check", "bare.yaml"), 2, "bare.yaml:3: ", "needs quotes: '{{ product }}'"),
    "no version": (("check", "unversioned.yaml"), 2, "unversioned.yaml:1: version: missing", "version: 1"),
    "a long unknown name": (("check", "long.yaml"), 2, "long.yaml:", "missing variable 'qqq"),
    "missing rows": (("check", "fed.yaml", "row.jsonl"), 2, "row.jsonl: no such file", "did you mean 'rows.jsonl'?"),
    "a folder of rows": (("check", "fed.yaml", "folder"), 2, "folder: is a folder", "name a JSONL file in it"),
    "CSV": (("check", "fed.yaml", "rows.csv"), 2, "rows.csv:1: looks like CSV", "< rows.csv > rows.jsonl"),
    "a JSON array": (
        ("check", "fed.yaml", "rows.json"),
        2,
        "rows.json:1: is one JSON array",
        "< rows.json > rows.jsonl",
    ),
    "a template as rows": (("check", "fed.yaml", "own.yaml"), 2, "own.yaml:1: is a template", "TEMPLATE INPUT"),
    "a misspelled field": (("check", "fed.yaml", "unnamed.jsonl"), 2, "unnamed.jsonl:1: ", "did you mean 'produkt'?"),
    "a misspelled section": ((*RUN, "--set", "samplin.k=3"), 2, "'samplin'", "did you mean 'sampling'?"),
    "a misspelled key": ((*RUN, "--set", "sampling.kk=3"), 2, "'kk'", "did you mean 'k'?"),
    "half a setting": ((*RUN, "--set", "sampling.k"), 2, "--set sampling.k: ", "must be key=value"),
    "a hot temperature": ((*RUN, "--temperature", "7"), 2, "--temperature: ", "must be a number from 0 to 5, got '7'"),
    "both to go on and anew": (
        (*RUN, "-o", "o.jsonl", "--resume", "--overwrite"),
        2,
        "--resume cannot be combined with --overwrite",
        "leave one of them out",
    ),
    "rows that a run still writes": (
        ("label", "late.jsonl", "-m", "tiny", "--name", "kind", "--classes", "a,b"),
        2,
        "late.jsonl: is not complete",
        "a run is writing it, or was interrupted and needs --resume",
    ),
    "no rows at all": ((*RUN, "-n", "0"), 2, "-n", ""),
    "fewer than none": ((*RUN, "-n", "-3"), 2, "-n", ""),
    "a seed that is no number": ((*RUN, "--seed", "x"), 2, "--seed", ""),
    "a small budget": ((*RUN, "--max-tokens", "5"), 2, "--max-tokens 5: ", "give at least that"),
    "no folder for rows": ((*RUN, "-o", "no/out.jsonl"), 4, "no/out.jsonl: ", "no folder no; create it"),
    "no folder for rejects": ((*RUN, "--rejects", "no/r.jsonl"), 4, "no/r.jsonl: ", "no folder no; create it"),
    "no folder for counts": ((*RUN, "--summary", "no/s.json"), 4, "no/s.json: ", "no folder no; create it"),
    "no folder for calls": ((*RUN, "--journal", "no/j.journal"), 4, "no/j.journal: ", "no folder no; create it"),
}
"""A command line, its exit status, what it must name as wrong, and what it must say to do."""


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_command_line_names_its_culprit_and_the_remedy_and_leaves_nothing(
    vsgen: Vsgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for name, content in FILES.items():
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    before = {path.name for path in tmp_path.iterdir()}
    words, status, culprit, remedy = WRONG[case]
    ended = vsgen(*words)
    said = " ".join(ended.stderr.split())
    assert (ended.exit_code, ended.stdout) == (status, ""), said
    assert culprit in said and remedy in said
    assert len(said) < 600, "a message that repeats a long name hides what it says"
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_number_format_that_the_embedded_model_has_not_is_said_to_be_ignored(vsgen: Vsgen) -> None:
    ended = vsgen("run", "random-item", "-n", 1, "-m", "tiny", "--no-dedup", "--dtype", "float16")
    assert ended.exit_code == 0
    assert "--dtype float16 is ignored: tiny always computes in float64" in ended.stderr


def test_rows_of_a_shipped_template_are_said_to_be_a_toys(vsgen: Vsgen) -> None:
    asked = ("run", "random-item", "-n", 1, "--no-dedup")
    assert "the output comes from the toy model tiny" in vsgen(*asked).stderr
    assert "the toy model" not in vsgen(*asked, "-m", "tiny").stderr


def test_a_model_that_only_a_variable_names_is_known_by_it(vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSGEN_MODEL", "missing.gguf")
    assert "missing.gguf: cannot be opened" in (said := vsgen("run", "jokes", "-n", 1).stderr)
    assert "the variable VSGEN_MODEL names it" in said
    assert "VSGEN_MODEL" not in vsgen("run", "jokes", "-n", 1, "-m", "none.gguf").stderr


@pytest.mark.parametrize("command", ["run", "try"])
def test_rows_of_the_toy_for_a_task_that_it_does_not_know_are_called_that(
    vsgen: Vsgen, tmp_path: Path, command: str
) -> None:
    (tmp_path / "own.yaml").write_text(OWN)
    words = {"run": ("-n", 1), "try": ()}[command]
    own = vsgen(command, tmp_path / "own.yaml", "-m", "tiny", *words)
    assert "the rows come from the toy model tiny, which knows the tasks of the shipped templates alone" in own.output
    assert "which knows" not in vsgen(command, "random-item", "-m", "tiny", *words).output


def test_replies_of_a_run_that_was_stopped_before_its_first_row_are_not_used_silently(
    vsgen: Vsgen, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    words = ("run", "random-item", "-n", 1, "-m", "tiny", "-o", out)
    assert "earlier run" not in vsgen(*words).stderr
    out.rename(tmp_path / "out.jsonl.part").write_bytes(b"")
    again = vsgen(*words)
    assert again.exit_code == 0
    assert "out.jsonl.journal: has the replies of" in again.stderr and "none of them is made again" in again.stderr


def test_an_overwritten_file_that_has_fewer_rows_than_before_is_named(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    words = ("run", "random-item", "-m", "tiny", "-o", out, "--set", "dedup.embedder=hash", "--overwrite")
    assert "rows before" not in vsgen(*words, "-n", 3).stderr
    assert "rows before" not in vsgen(*words, "-n", 3).stderr
    assert "out.jsonl: had 3 rows before and has 1 now" in vsgen(*words, "-n", 1).stderr
