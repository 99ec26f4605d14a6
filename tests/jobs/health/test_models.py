"""Models that are here, and whether their files are whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vsgen.jobs.health import models
from vsgen.tiny import SHA256, WEIGHTS


def test_the_embedded_models_files_are_those_that_are_named() -> None:
    assert models._embedded(WEIGHTS).state == "ok", "write the new digests into vsgen/tiny/__init__.py"


@pytest.mark.parametrize("name", list(SHA256))
def test_a_damaged_or_missing_file_is_a_problem_with_its_name(name: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(WEIGHTS, tmp_path / "weights"))
    data = bytearray((folder / name).read_bytes())
    data[100] ^= 1
    (folder / name).write_bytes(data)
    damaged = models._embedded(folder)
    assert (damaged.state, damaged.status) == ("problem", 3)
    assert f"{folder / name}: SHA-256 is " in damaged.value
    (folder / name).unlink()
    assert models._embedded(folder).value == f"damaged: {folder / name}: No such file or directory"


def test_an_embedder_is_verified_or_has_its_remedy(tmp_path: Path) -> None:
    *_, absent = models._embedders(None)
    assert absent.state == "absent" and "minilm" in absent.remedy
    *_, damaged = models._embedders(tmp_path)
    assert (damaged.state, damaged.status) == ("problem", 3)


def test_the_cache_names_the_models_that_are_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / "models--org--name" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
    blob = snapshot.parents[1] / "blob"
    blob.write_bytes(b"x" * 1_500_000)
    (snapshot / "model.safetensors").symlink_to(blob)
    assert models._cache(tmp_path).value == f"{tmp_path}: org/name (1.5 MB)"
    assert models._cache(tmp_path / "none").value.endswith("nothing downloaded yet")


def test_a_cache_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "hub").touch()
    found = models._cache(tmp_path / "hub")
    assert (found.state, found.value) == ("problem", f"{tmp_path / 'hub'}: Not a directory")
    assert "HF_HOME" in found.remedy


def test_bytes_are_shown_in_their_unit() -> None:
    assert list(map(models.shown_bytes, (500, 2.5e6, 9e9, 3e12))) == ["0.5 kB", "2.5 MB", "9.0 GB", "3.0 TB"]
