"""A reader who types what a page shows, block after block, in one folder.

Four things differ from what a reader would type, so that pages run offline and in seconds:

- `MODELS` stand in for the large models that pages name;
- a server of ours with the embedded model stands in for `SERVER`;
- numbers of rows from 100 on become `_ROWS`;
- a command that needs no shell runs in this process.

A block that begins with a comment such as ``# validate.py`` is a file of that name.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from tests.cli.tickets import tickets, write
from tests.docs.blocks import Block
from vsgen.cli.app import app
from vsgen.template.load import load_template
from vsgen.template.nodes import plain, read
from vsgen.template.schema import json_schema

SMALL: Final = "$PWD/build/real/SmolLM2-135M-Instruct.Q4_1.gguf"
MODELS: Final = {"Qwen/Qwen3-4B-Instruct-2507": "tiny", SMALL: "tiny"}
"""Names on the pages, and what is run in their place."""
SERVER: Final = "http://localhost:8000/v1"
"""The URL on the pages."""
_ROWS: Final = 10

_MANY: Final = re.compile(r"((?: -n |^num: )\s*)\d{3,}\b", re.MULTILINE)
_SHELL: Final = re.compile(r"[|&;<>$`*(]")
_TIMES: Final = re.compile(r"in [\d.]+ s \([\d.,]+ rows/s\)|calls made now: .*")
"""What differs from run to run: also the calls of a draw that is no longer wanted, if they were made already."""
_FILE: Final = re.compile(r"\A# ([\w-]+\.\w+)\n")


class Reader:
    """Someone who follows a page; what they make lies in `folder`, where they are.

    Their own files are there from the start: mails.jsonl (texts), gold.jsonl (texts with their class), products.jsonl.
    """

    def __init__(self, folder: Path, export: Callable[[str, str], None], models: Mapping[str, str] = MODELS) -> None:
        """`export` sets a variable of the environment; `models` are run in place of those that pages name."""
        self.folder = folder
        self._export = export
        self._models = models
        self._names: dict[str, Any] = {"__name__": "page"}
        gold = tickets(30)
        write(folder / "gold.jsonl", gold)
        write(folder / "mails.jsonl", [{"text": row["text"]} for row in gold])
        write(folder / "products.jsonl", [{"product": name} for name in ("bike light", "desk lamp")])
        export("PATH", f"{_programs(folder)}{os.pathsep}{os.environ['PATH']}")

    def follow(self, block: Block) -> None:
        """Do what the block says, and fail where it does not do as the page promises."""
        ways: dict[str, Callable[[str], None]] = {
            "sh": self._type,
            "console": self._compare,
            "python": self._execute,
            "yaml": self._edit,
            "makefile": self._make,
            "json": _parse,
        }
        text = self._smaller(block.text)
        if file := _FILE.match(text):
            (self.folder / file[1]).write_text(text, encoding="utf-8")
        else:
            ways[block.language](text)

    def _smaller(self, text: str) -> str:
        for model, other in self._models.items():
            text = text.replace(model, other)
        return _MANY.sub(rf"\g<1>{_ROWS}", text)

    def _type(self, text: str) -> None:
        for command in _commands(text):
            self._run(command)

    def _compare(self, text: str) -> None:
        """A command after `$`, and all that it prints."""
        for typed in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, shown = typed.partition("\n")
            assert _TIMES.sub("", self._run(command, good=not shown.startswith("vsgen: -"))) == _TIMES.sub("", shown)

    def _run(self, command: str, good: bool = True) -> str:
        words = shlex.split(command, comments=True)
        if not words:
            return ""
        if words[0] == "export":
            self._export(*words[1].split("=", 1))
            return ""
        if words[0] == "vsgen" and not _SHELL.search(_unquoted(command)):
            result = CliRunner().invoke(app, words[1:])
            status, output = result.exit_code, result.output
        else:
            bash = ["bash", "-o", "pipefail", "-c", command]
            ended = subprocess.run(bash, cwd=self.folder, capture_output=True, text=True)
            status, output = ended.returncode, ended.stdout + ended.stderr
        assert (status in (0, 1)) is good, f"{command}\n{output}"
        return output

    def _execute(self, text: str) -> None:
        exec(compile(text, "page.py", "exec"), self._names)

    def _edit(self, text: str) -> None:
        """A whole template is written down; a part takes its place in the template that is there."""
        part = _yaml(text)
        if "version" in part:
            file = self.folder / f"{part['name']}.yaml"
            file.write_text(text, encoding="utf-8")
            load_template(str(file))
            return
        for key, value in part.items():
            _check_section(key, value)
        for file in self.folder.glob("*.yaml"):
            whole = _yaml(file.read_text(encoding="utf-8"))
            if "variables" in part:
                part["variables"] = whole.get("variables", {}) | part["variables"]
            file.write_text(yaml.safe_dump(whole | part), encoding="utf-8")

    def _make(self, text: str) -> None:
        """Everything is made, and a second time nothing is left to make."""
        (self.folder / "Makefile").write_text(text, encoding="utf-8")
        targets = re.findall(r"^([\w.-]+\.jsonl):", text, re.MULTILINE)
        self._run(shlex.join(["make", *targets]) + " > made.txt")
        assert "up to date" in self._run(shlex.join(["make", targets[-1]]) + " | cat")


def _yaml(text: str) -> dict[str, Any]:
    node, problems = read(text, "page.yaml")
    assert not problems, problems
    found: dict[str, Any] = plain(node)
    return found


def _check_section(key: str, value: object) -> None:
    schema = json_schema()
    section = schema["properties"][key] | {"$defs": schema["$defs"]}
    assert not (wrong := [error.message for error in Draft202012Validator(section).iter_errors(value)]), wrong


def _parse(text: str) -> None:
    decoder, place = json.JSONDecoder(), 0
    while rest := text[place:].strip():
        place = len(text) - len(text[place:].lstrip()) + decoder.raw_decode(rest)[1]


def _programs(folder: Path) -> Path:
    """A folder with `vsgen` as a program."""
    place = folder / "programs"
    place.mkdir()
    program = place / "vsgen"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m vsgen "$@"\n')
    program.chmod(0o755)
    return place


def _commands(text: str) -> Iterator[str]:
    return (line for line in text.replace("\\\n", " ").splitlines() if line.strip())


def _unquoted(command: str) -> str:
    """The command without its quoted words and its comment."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|#.*", "", command)
