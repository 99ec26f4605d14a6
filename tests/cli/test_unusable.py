"""Input rows of which none can be used: a run that goes over them again and again must end."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

TEMPLATE = """\
version: 1
name: things
prompt: Name a {{ thing }}.
output: {field: text}
dedup: false
"""
ROWS = '{"other": 1}\n{"other": 2}\n{"other": 3}\n'
_MANY = 300
"""Lines on standard error, of which each pass over the rows writes three."""


@pytest.mark.parametrize("patience", [0, 20])
def test_a_run_ends_after_a_pass_over_rows_of_which_none_can_be_used(tmp_path: Path, patience: int) -> None:
    template, rows = tmp_path / "things.yaml", tmp_path / "rows.jsonl"
    template.write_text(TEMPLATE)
    rows.write_text(ROWS)
    words = ["run", template, rows, "-m", "tiny", "-n", "5", "--on-error", "skip", "--patience", str(patience)]
    command = [sys.executable, "-m", "vsgen", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None and run.stdout is not None
        try:
            errors = list(islice(run.stderr, _MANY))
            assert len(errors) < _MANY, errors[-1]
            assert run.stdout.read() == ""
        finally:
            run.kill()
    assert "  short: 0 of 5 rows; none of the 3 input rows can be used\n" in errors
    assert run.returncode == 1
