"""What others wrote is shown on a terminal and never obeyed by it; files and pipes hold it as it is."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.attacks.signalled import begun, ended, journal_grown
from tests.attacks.terminal import Terminal
from vsgen.terminal import harmless, harmless_json

HOSTILE = "\x1b[5;7m\x1b]0;title\x07\x9b2Jred\x9b31m\x7f\u202eright\u2066\u2028\x85[red]mark[/red]"
"""What YAML and JSON may hold in a string as it is."""
OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
OURS = re.compile(rb"\x1b\[[0-46;89]*[mABKJh]|\x1b\[\?25[lh]|\x1b\[2K|\r")
"""Bold, colors of typer's panels, and what the progress line needs."""
TEMPLATE = """\
version: 1
name: hostile
description: d
prompt: "Say a day. {hostile}"
model: tiny
num: 2
dedup: false
sampling: {{method: direct, k: 1, max_tokens: 8}}
variables: {{mood: ["{hostile}"]}}
labels:
- {{name: kind, classes: ["good{hostile}", bad], prompt: "What? {hostile} {{{{ text }}}}"}}
"""


def seen(screen: bytes) -> str:
    """What is on the screen, once it holds nothing that a terminal obeys but what vsgen itself has put there."""
    text = OURS.sub(b"", screen).decode()
    assert "\x1b" not in text and not OBEYED.search(text), ascii(text)
    return text


def on_terminal(*words: object, status: int = 0, folder: Path | None = None) -> str:
    with Terminal(words, folder=folder, VSGEN_MODEL="tiny", COLUMNS="400") as terminal:
        text = seen(terminal.screen())
        assert terminal.process.returncode == status, text
    return text


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    path = tmp_path / "hostile.yaml"
    written = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in HOSTILE)
    path.write_text(TEMPLATE.format(hostile=written))
    return path


def test_harmless_text_says_what_stood_there() -> None:
    assert harmless("a\tb\nc") == "a\tb\nc"
    assert harmless("\x1b[31m\r\x9b\u202e\udc9b") == r"\x1b[31m\x0d\x9b\u202e\udc9b"
    assert harmless("naïve “日本語” שלום 🙂") == "naïve “日本語” שלום 🙂"
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A)):
        assert chr(code) in "\t\n" or harmless(chr(code)).isascii()


def test_harmless_json_means_the_same() -> None:
    data = json.dumps({HOSTILE: [HOSTILE, "日本語"]}, ensure_ascii=False).encode()
    assert json.loads(harmless_json(data)) == json.loads(data)
    assert not OBEYED.search(harmless_json(data).decode())


def test_rows_on_a_terminal_are_json_that_it_only_shows(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    line = {"text": HOSTILE, "labels": {f"mood{HOSTILE}": {"probs": {"good": 0.9, "bad": 0.1}}}}
    rows.write_text(json.dumps(line, ensure_ascii=False) + "\n")
    text = on_terminal("export", rows, "--to", "jsonl", "-q")
    assert json.loads(text)["text"] == HOSTILE
    piped = ended(begun(["export", rows, "--to", "jsonl", "-q"]))
    assert "\x9b2Jred\x9b31m\x7f\u202eright\u2066\u2028\x85[red]mark" in piped.stdout


@pytest.mark.parametrize(
    "command", ["check", *(pytest.param(each, marks=pytest.mark.slow) for each in ("run", "try", "label"))]
)
def test_a_hostile_template_and_its_rows_are_only_shown(hostile: Path, command: str) -> None:
    rows = hostile.with_name("rows.jsonl")
    rows.write_text(json.dumps({"text": HOSTILE}, ensure_ascii=False) + "\n")
    words = ("label", rows, "--template", hostile) if command == "label" else (command, hostile)
    text = on_terminal(*words)
    assert r"\u009b" in text or r"\x9b" in text
    assert command in {"run", "label"} or "[red]mark[/red]" in text


def test_names_of_files_and_errors_are_only_shown(tmp_path: Path) -> None:
    name = f"x{HOSTILE.replace('/', '')}\x1b]0;title\x07.yaml"
    (tmp_path / name).write_text(f"version: 1\nname: x\nprompt: y\n'bad\\e{'[31m'}': 1\n")
    for words in (f"check|{name}", f"check|absent{name}", f"run|jokes|{name}"):
        assert r"\x9b2Jred" in on_terminal(*words.split("|"), status=2, folder=tmp_path)
    for words in (f"check|--{name}", f"export|x|--to|{name}"):
        assert r"\x9b2Jred" in re.sub(r"[│\s]", "", on_terminal(*words.split("|"), status=2, folder=tmp_path))


def test_a_template_that_is_printed_into_a_file_is_itself(hostile: Path) -> None:
    assert ended(begun(["templates", hostile])).stdout == hostile.read_text()
    shutil.rmtree(hostile.parent)


@pytest.mark.slow
def test_the_command_that_is_printed_is_only_shown_and_still_names_the_files(tmp_path: Path) -> None:
    name = "x\x9b2J\x1b[5m'\\\u202e\udcff.jsonl"
    words = ["run", "story-openers", "-n", "300", "--patience", "0", "--no-dedup", "-o", name]
    with Terminal([*words, "--progress", "none"], folder=tmp_path) as terminal:
        journal_grown(terminal.process, tmp_path / f"{name}.journal", 4000)
        terminal.process.send_signal(signal.SIGTERM)
        text = seen(terminal.screen())
    *_, command = text.split("To go on:\n")
    read = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True).stdout
    assert os.fsencode(name) in read.split(b"\0")
