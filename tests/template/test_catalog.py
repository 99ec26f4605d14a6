"""The shipped templates are found, wherever vsgen runs from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from vsgen.template.catalog import describe, shipped
from vsgen.template.load import load_template


def test_at_least_the_promised_templates_are_shipped_in_order() -> None:
    names = list(shipped())
    assert {"jokes", "multiple-choice", "product-reviews", "random-item", "story-openers", "support-tickets"} <= set(
        names
    )
    assert names == sorted(names)


def test_descriptions_and_models_are_those_of_the_templates() -> None:
    loaded = {name: load_template(name) for name in shipped()}
    assert describe() == {name: (one.description, one.model or "") for name, one in loaded.items()}


def test_shipped_files_end_with_one_line_end_and_have_no_trailing_blanks() -> None:
    for file in shipped().values():
        lines = file.read_text(encoding="utf-8").split("\n")
        assert lines[-1] == ""
        assert all(line == line.rstrip() for line in lines)


def test_listing_reads_no_yaml_and_imports_no_heavy_library(tmp_path: Path) -> None:
    code = (
        "import sys; from vsgen.template.catalog import describe; assert describe(); "
        "sys.exit(' '.join({'yaml', 'pydantic', 'jinja2', 'jsonschema', 'torch', 'numpy'} & set(sys.modules)) or 0)"
    )
    path = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
