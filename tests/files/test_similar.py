"""A file that does not exist has neighbors whose names are like its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vsgen.errors import InputError, TemplateError
from vsgen.files.rows import read_rows
from vsgen.files.similar import similar_file
from vsgen.template.load import load_template


def test_the_most_similar_name_of_the_folder_is_meant(tmp_path: Path) -> None:
    for name in ("tickets.jsonl", "reviews.jsonl", "reviews.yaml"):
        (tmp_path / name).touch()
    assert similar_file(str(tmp_path / "review.jsonl"), (".jsonl",)) == str(tmp_path / "reviews.jsonl")
    assert similar_file(str(tmp_path / "zzz.jsonl"), (".jsonl",)) is None
    assert similar_file(str(tmp_path / "none" / "reviews.jsonl"), (".jsonl",)) is None


def test_a_folder_whose_names_may_not_be_read_has_no_neighbors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Path.iterdir

    def guarded(folder: Path) -> Iterator[Path]:
        if folder == tmp_path:
            raise PermissionError(13, "Permission denied")
        return plain(folder)

    monkeypatch.setattr(Path, "iterdir", guarded)
    with pytest.raises(InputError, match=r"rows\.jsonl: no such file; give"):
        next(read_rows(str(tmp_path / "rows.jsonl")))
    with pytest.raises(TemplateError, match=r"own\.yaml: no such file; to make one"):
        load_template(str(tmp_path / "own.yaml"))
