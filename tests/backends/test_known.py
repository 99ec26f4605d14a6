"""What is noted of an opened model is what the model says, and holds until something of it changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pytest

from vsgen.backends.known import ALL, Known, LazyModel
from vsgen.backends.open import open_model, stamp
from vsgen.backends.table import TableModel
from vsgen.errors import ModelError
from vsgen.files.journal import FileJournal
from vsgen.ports import LanguageModel

MakeModel = Callable[..., Path]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[FileJournal]:
    with FileJournal(tmp_path / "journal") as opened:
        yield opened


def never() -> LanguageModel:
    raise AssertionError("opened")


@pytest.fixture
def folder(make_model: MakeModel, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(make_model(), tmp_path / "toy"))


def test_what_is_noted_is_what_the_opened_model_says(folder: Path, journal: FileJournal) -> None:
    for name in ("tiny", str(folder)):
        first = LazyModel(partial(open_model, name), partial(stamp, name), journal)
        again = LazyModel(never, partial(stamp, name), journal)
        assert again.known == first.known == Known.of(first.opened())
        assert first.known.teaches
        assert first.known.rows > 1


def test_what_a_model_does_not_say_is_noted_as_unknown(journal: FileJournal) -> None:
    model = TableModel.random(0)
    LazyModel(lambda: model, lambda: "s", journal)
    assert LazyModel(never, lambda: "s", journal).known == Known(model.name, None, 1, teaches=ALL)


def test_a_known_model_is_opened_once_when_it_is_needed(journal: FileJournal) -> None:
    opened: list[LanguageModel] = []

    def opener() -> LanguageModel:
        opened.append(TableModel.random(0))
        return opened[-1]

    LazyModel(opener, lambda: "s", journal)
    asked = LazyModel(opener, lambda: "s", journal)
    assert len(opened) == 1
    assert asked.opened() is asked.opened() is opened[1]
    assert len(opened) == 2


def test_another_file_device_or_place_is_another_stamp(folder: Path) -> None:
    one = stamp(str(folder), device="cpu")
    assert one
    assert stamp(str(folder), device="cpu") == one
    assert stamp(str(folder), device="cuda") != one
    copied = shutil.copytree(folder, folder.with_name("copy"))
    assert stamp(str(copied), device="cpu") != one
    (folder / "tokenizer_config.json").write_text("{}")
    assert stamp(str(folder), device="cpu") != one


def test_a_hub_id_is_known_by_the_commit_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert stamp("some/model") is None
    stamps = []
    for commit in ("aaaa", "bbbb"):
        (tmp_path / "models--some--model" / "snapshots" / commit).mkdir(parents=True)
        (tmp_path / "models--some--model" / "refs").mkdir(exist_ok=True)
        (tmp_path / "models--some--model" / "refs" / "main").write_text(commit)
        stamps.append(stamp("some/model"))
    assert None not in stamps
    assert len(set(stamps)) == 2


def test_a_model_that_opening_fetches_is_noted_under_the_stamp_of_what_came(journal: FileJournal) -> None:
    model, stamps = TableModel.random(0), [None, "fetched"]
    LazyModel(lambda: model, lambda: stamps.pop(0), journal)
    assert LazyModel(never, lambda: "fetched", journal).known.name == model.name


def test_a_model_without_a_stamp_is_always_opened(journal: FileJournal) -> None:
    model = TableModel.random(0)
    for _ in range(2):
        assert LazyModel(lambda: model, lambda: None, journal).opened() is model


def test_a_model_that_is_no_longer_the_known_one_is_refused(journal: FileJournal) -> None:
    model = TableModel.random(0)
    journal.note("s", asdict(replace(Known.of(model), name="other@1")))
    asked = LazyModel(lambda: model, lambda: "s", journal)
    for _ in range(2):
        with pytest.raises(ModelError, match=r"was other@1 when this run began; run the same command again"):
            asked.opened()


@pytest.mark.parametrize("changed", ["rows", "color"])
@pytest.mark.parametrize("part", ["known", "facts"])
def test_a_note_of_another_version_counts_as_none(part: str, changed: str) -> None:
    note = asdict(Known.of(open_model("tiny")))
    assert Known.read(note)
    values = note if part == "known" else note["facts"]
    if changed in values:
        del values[changed]
    else:
        values[changed] = "blue"
    assert Known.read(note) is None


def test_a_stamp_loads_no_library() -> None:
    code = (
        "import sys; from vsgen.backends import known; from vsgen.backends.open import stamp;"
        "sys.stdout.write(stamp('tiny'));"
        "assert not sys.modules.keys() & {'torch', 'transformers', 'tokenizers', 'numpy'}"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == stamp("tiny")
