"""What a user waits for before anything happens."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "sentence_transformers", "numpy", "pydantic", "jinja2", "yaml", "llguidance")

PROBE = """
import sys
from vsgen.__main__ import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print(*sorted(set({heavy!r}) & sys.modules.keys()), file=sys.stderr)
"""


def heavy_after(*command: str, of: tuple[str, ...]) -> str:
    probe = [sys.executable, "-c", PROBE.format(heavy=of), *command]
    ended = subprocess.run(probe, capture_output=True, text=True, check=True)
    assert ended.stdout.strip()
    *_, loaded = ended.stderr.splitlines()  # notes for people may stand before the probe's own line
    return loaded


@pytest.mark.parametrize("command", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    assert heavy_after(*command, of=HEAVY) == ""


@pytest.mark.parametrize(
    "command",
    [["run", "--help"], ["check", "--help"], ["try", "--help"], ["templates"], ["check", "random-item"], ["schema"]],
)
def test_what_needs_no_model_loads_none(command: list[str]) -> None:
    assert heavy_after(*command, of=("torch", "transformers", "sentence_transformers")) == ""
