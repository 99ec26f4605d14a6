"""A part that its holder moves or deletes between our two looks at it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from vsgen.errors import OutputError
from vsgen.files.part import FolderPart, Part, part_of


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first attempt to make something finds it there, made by another run, which then deletes it at once."""
    seen: list[str] = []

    def once(make: Any) -> Any:
        def made(path: Any, *rest: Any, **named: Any) -> Any:
            if str(path).endswith(".part") and not seen:
                seen.append(str(path))
                raise FileExistsError
            return make(path, *rest, **named)

        return made

    monkeypatch.setattr(os, "open", once(os.open))
    monkeypatch.setattr(Path, "mkdir", once(Path.mkdir))
    return seen


def test_a_part_that_is_gone_when_it_is_looked_at_is_made_anew(tmp_path: Path, gone: list[str]) -> None:
    part = Part(tmp_path / "out.jsonl")
    assert gone == [str(part.path)]
    part.write(b"{}\n")
    part.place()
    part.close()
    assert (tmp_path / "out.jsonl").read_bytes() == b"{}\n" and not part.path.exists()


def test_a_folder_that_is_gone_when_it_is_opened_is_made_anew(tmp_path: Path, gone: list[str]) -> None:
    with FolderPart(tmp_path / "out") as part:
        assert gone == [str(part_of(tmp_path / "out"))]
        part.made.mkdir()
        part.place()
    assert (tmp_path / "out").is_dir()


def test_a_folder_that_is_missing_is_an_error_and_no_endless_wait(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Part(tmp_path / "none" / "out.jsonl")
    with pytest.raises(FileNotFoundError):
        FolderPart(tmp_path / "none" / "out")
    part_of(tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="is not a regular file"):
        Part(tmp_path / "link")
    with pytest.raises(OutputError, match="is not a folder"):
        FolderPart(tmp_path / "link")


def test_what_was_moved_aside_is_back_when_a_signal_ends_the_process_before_its_place_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    part = FolderPart(tmp_path / "out")
    part.made.mkdir()
    (tmp_path / "out").rename(part.made.with_name("before"))  # the first step of `place`
    part.close()
    assert (tmp_path / "out" / "old").read_text() == "old" and not part_of(tmp_path / "out").exists()
