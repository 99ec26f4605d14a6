"""An error names what is really wrong, where it stands, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen


def test_a_misspelled_model_of_a_template_is_not_offered_for_download(vsgen: Vsgen, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("version: 1\nname: mine\nprompt: Say a day.\nmodel: tinny\n")
    ended = vsgen("run", path, "-n", 1, "--no-dedup")
    assert ended.exit_code == 2
    assert ended.stderr.startswith(f"vsgen: {path}:4: model: tinny: cannot be opened: ")
    assert "did you mean 'tiny'?" in ended.stderr
    assert "--allow-model" not in ended.stderr
