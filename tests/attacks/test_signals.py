"""SIGINT, SIGTERM and SIGHUP end a command at any moment with status 128 + their number, and never with a traceback."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.attacks.signalled import SENT, Ended, begun, ended, journal_grown
from tests.attacks.terminal import Terminal

AT = """
import os, sys
{setup}
class Struck:
    def find_spec(self, name, *_):
        if name == "{module}":
            os.kill(os.getpid(), {sent})
sys.meta_path.insert(0, Struck())
from vsgen.__main__ import main
main(sys.argv[1:])
"""
"""The command, struck when it imports a module for the first time."""
CHECKED = """\
version: 1
name: checked
prompt: Say a day.
sampling: {method: direct, k: 1, max_tokens: 4}
dedup: false
num: 4
check: {text: {command: [sh, -c, 'echo $$ > "$MARK"; read row; exec sleep 600']}}
"""


def struck_at(module: str, sent: signal.Signals, *words: object, setup: str = "") -> Ended:
    code = AT.format(module=module, sent=int(sent), setup=setup)
    return ended(begun([sys.executable, "-c", code, *words]))


@pytest.mark.parametrize("sent", SENT)
@pytest.mark.parametrize("module", ["typer.core", "vsgen.jobs.generate"])
def test_a_signal_while_modules_are_imported_ends_the_command_with_its_status(
    module: str, sent: signal.Signals, tmp_path: Path
) -> None:
    got = struck_at(module, sent, "run", "story-openers", "-n", 2, "-o", tmp_path / "out.jsonl")
    assert (got.status, got.stdout, got.stderr) == (128 + sent, "", "vsgen: interrupted\n")
    assert not got.died


def test_a_signal_while_a_model_is_opened_says_how_to_go_on(tmp_path: Path) -> None:
    words = ["run", "story-openers", "-n", "2", "--no-dedup", "-o", str(tmp_path / "out.jsonl")]
    got = struck_at("vsgen.backends.numeric.model", signal.SIGHUP, *words)
    assert (got.status, got.died, got.traced) == (129, False, False)
    assert got.stderr.splitlines()[-1].split() == ["vsgen", words[0], "--resume", *words[1:]]


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("vsgen.backends.numeric.model", ("try", "story-openers")),
        ("torch", ("doctor",)),
        ("tokenizers", ("check", "story-openers", "-m", "tiny")),
    ],
)
def test_commands_that_write_no_rows_end_so_too(module: str, words: tuple[str, ...]) -> None:
    got = struck_at(module, signal.SIGTERM, *words)
    assert (got.status, got.died, got.traced) == (143, False, False)


def test_what_whoever_started_a_command_ignores_stays_ignored() -> None:
    setup = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"  # as nohup does
    got = struck_at("vsgen.jobs.preview", signal.SIGHUP, "check", "story-openers", setup=setup)
    assert (got.status, got.stderr) == (0, "")


@pytest.mark.slow
def test_of_two_signals_one_says_the_status(tmp_path: Path) -> None:
    words = ("run", "story-openers", "-n", 300, "--patience", 0, "--no-dedup", "-o", tmp_path / "out.jsonl")
    child = begun(words)
    journal_grown(child, tmp_path / "out.jsonl.journal", 4000)
    os.killpg(child.pid, signal.SIGTERM)
    os.killpg(child.pid, signal.SIGHUP)
    got = ended(child)
    assert got.status in {143, 129} and not got.died and not got.traced  # of two that wait, Python takes the lower
    assert got.stderr.count("To go on:") == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", ["run", "try"])
def test_the_outside_command_of_a_check_ends_with_the_command(tmp_path: Path, command: str) -> None:
    template, mark = tmp_path / "checked.yaml", tmp_path / "mark"
    template.write_text(CHECKED)
    child = begun([command, template, "-m", "tiny", "--allow-exec"], MARK=str(mark))
    for _ in range(6000):
        if (mark.exists() and mark.read_text().endswith("\n")) or child.poll() is not None:
            break
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGINT)
    got = ended(child)
    assert (got.status, got.died, got.traced) == (130, False, False), got.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


@pytest.mark.slow
def test_a_terminal_that_goes_away_ends_a_run_with_the_status_of_sighup(tmp_path: Path) -> None:
    words = ["run", "story-openers", "-n", "300", "--patience", "0", "--no-dedup", "-o", str(tmp_path / "out.jsonl")]
    with Terminal(words) as terminal:
        journal_grown(terminal.process, tmp_path / "out.jsonl.journal", 4000)
        terminal.close()
        terminal.process.send_signal(signal.SIGHUP)
        assert terminal.process.wait(60) == 129


SWALLOWED = """
import os, signal
from vsgen import signals
class Swallows:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
signals.heed()
with signals.unwound():
    one = Swallows()
    del one
print("went on")
"""
LATE = """
import os, signal, sys
from vsgen import signals
signals.heed()
signals.finishing()
os.kill(os.getpid(), signal.SIGTERM)
signals.leave()
sys.exit(5)
"""


def test_a_signal_that_a_destructor_would_swallow_ends_the_command_all_the_same() -> None:
    got = ended(begun([sys.executable, "-c", SWALLOWED]))
    assert (got.status, got.stdout, got.stderr) == (143, "", "vsgen: interrupted\n")


def test_a_signal_while_the_end_is_written_comes_too_late() -> None:
    got = ended(begun([sys.executable, "-c", LATE]))
    assert (got.status, got.died, got.stderr) == (5, False, "")
