"""A command line that cannot be read: one line, in the form of all errors, with status 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

TOP = 2**63 - 1
LISTED = "vsgen run --help lists the options"
CASES = {
    "run x --max-cals 3": f"--max-cals: no such option of vsgen run; did you mean --max-calls? {LISTED}",
    "run x --temp 1": f"--temp: no such option of vsgen run; did you mean --temperature? {LISTED}",
    "run x --max_calls 3": f"--max_calls: no such option of vsgen run; did you mean --max-calls? {LISTED}",
    "run x --qqq": "--qqq: no such option of vsgen run; vsgen run --help lists the options",
    "run x -x": "-x: no such option of vsgen run; vsgen run --help lists the options",
    "-m tiny run x": "-m: no such option before a command; options follow it, as in: vsgen run TEMPLATE -m",
    "run x -n abc": "-n: must be an integer >= 1, got 'abc'",
    "run x -n5.5": "-n: must be an integer >= 1, got '5.5'",
    "run x --num=0": "--num: must be an integer >= 1, got '0'",
    "run x --max-calls 0": "--max-calls: must be an integer >= 1, got '0'",
    "run x --seed -1": f"--seed: must be an integer from 0 to {TOP}, got '-1'",
    "run x --temperature hot": "--temperature: must be a number from 0 to 5, got 'hot'",
    "run x --on-error skp": "--on-error: must be stop or skip, got 'skp'; did you mean skip?",
    "run x --method vs-cott": "--method: must be direct, cot, sequence, multi-turn, vs, vs-cot, vs-multi or power, got "
    "'vs-cott'; did you mean vs-cot?",
    "run x --progress loud": "--progress: must be auto, plain or none, got 'loud'",
    "run x -o": "-o: needs a value, as in: -o FILE",
    "run x --output": "--output: needs a value, as in: --output FILE",
    "run x --quiet=1": "--quiet: takes no value; write --quiet alone",
    "run": "TEMPLATE: missing; for example: vsgen run support-tickets -n 40 -o tickets.jsonl",
    "label": "INPUT: missing; for example: vsgen label rows.jsonl --name mood --classes good,bad "
    "-m Qwen/Qwen2.5-1.5B-Instruct -o labeled.jsonl",
    "export x": "--to: missing; choose datasets, sentence-transformers, trl, jsonl, distillkit or axolotl; for "
    "example: vsgen export labeled.jsonl --to jsonl --label category -o train.jsonl",
    "run a b c": "c: one argument too many; usage: vsgen run TEMPLATE [INPUT] [OPTIONS]",
    "rnu x": "rnu: no such command; did you mean run? vsgen --help lists the commands",
    "generate x": "generate: no such command; did you mean run? vsgen --help lists the commands",
    "qqqq": "qqqq: no such command; vsgen --help lists the commands",
    "mine.yaml -n 3": "mine.yaml: not a command but a template; write: vsgen run mine.yaml",
}


@pytest.mark.parametrize("line", CASES)
def test_what_cannot_be_read_is_one_line_that_says_where_what_and_what_to_write(vsgen: Vsgen, line: str) -> None:
    ended = vsgen(*line.split())
    assert (ended.exit_code, ended.stdout, ended.stderr) == (2, "", f"vsgen: {CASES[line]}\n")


def test_a_value_of_the_environment_is_blamed_on_its_variable(vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSGEN_PROGRESS", "bar")
    ended = vsgen("run", "random-item")
    assert (ended.exit_code, ended.stderr) == (2, "vsgen: VSGEN_PROGRESS: must be auto, plain or none, got 'bar'\n")


def test_a_word_that_a_terminal_would_obey_is_shown_escaped(vsgen: Vsgen) -> None:
    assert "\x1b" not in vsgen("run", "x", "--\x1b[31m").stderr
    assert "\x1b" not in vsgen("\x1b[31m").stderr
