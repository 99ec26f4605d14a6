"""Tables are read back by `datasets` with their types and class names."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest

from vsgen.errors import InputError, OptionError, OutputError
from vsgen.export.forms import Wanted, export_table
from vsgen.export.packed import FIELD, pack
from vsgen.jobs.export import save_dataset
from vsgen.values import Message, Row, Taught

MakeRow = Callable[..., Row]
MESSAGES = (Message("user", "Name a random colour."), Message("assistant", "blue"))


def read(path: Path, cache: Path) -> Any:
    if path.suffix == ".parquet":
        return datasets.Dataset.from_parquet(str(path), cache_dir=str(cache))
    return datasets.load_from_disk(str(path))


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.mark.parametrize("name", ["out", "out.parquet"])
def test_labels_keep_vectors_order_and_class_names(tmp_path: Path, make_row: MakeRow, name: str) -> None:
    rows = [make_row(i, (0.1, 0.7, 0.2) if i % 2 else (0.5, 0.25, 0.25)) for i in range(5)]
    path = tmp_path / "deep" / name
    assert save_dataset(export_table(iter(rows), Wanted("datasets")), path) == 5
    data = read(path, tmp_path / "cache")
    assert data.features["category"] == datasets.ClassLabel(names=["billing", "bug", "how-to"])
    assert data.features["category_probs"] == datasets.List(datasets.Value("float32"), length=3)
    assert data["category"][:] == [0, 1, 0, 1, 0]
    assert data["category_probs"][0] == [0.5, 0.25, 0.25]
    assert data["id"][:] == [row.fields["id"] for row in rows]
    assert data.features["rating"] == datasets.Value("int64")
    assert sorted(path.parent.iterdir()) == [path]


def test_token_rows_are_tensors_for_a_trainer(tmp_path: Path, make_row: MakeRow, tiny_taught: Taught) -> None:
    rows = [make_row(i, **{FIELD: pack(tiny_taught, MESSAGES)}) for i in range(3)]
    path = tmp_path / "kd"
    save_dataset(export_table(iter(rows), Wanted("distillkit")), path)
    data = read(path, tmp_path).with_format("torch")
    length = len(tiny_taught.prompt_tokens) + len(tiny_taught.tokens)
    assert data[0]["token_ids"].shape == data[0]["top_values"].shape == (length, tiny_taught.width)
    assert data[0]["input_ids"].shape == data[0]["labels"].shape == (length,)
    save_dataset(export_table(iter(rows), Wanted("axolotl")), tmp_path / "ax.parquet")
    assert read(tmp_path / "ax.parquet", tmp_path)[0]["messages"][1] == {"role": "assistant", "content": "blue"}


def test_several_classes_are_lists_of_class_labels(tmp_path: Path, make_row: MakeRow) -> None:
    tags = {"tags": {"probs": {"urgent": 0.9, "rude": 0.7, "vague": 0.2}, "kind": "multi"}}
    save_dataset(export_table(iter([make_row(labels=tags)]), Wanted("datasets")), tmp_path / "out")
    data = read(tmp_path / "out", tmp_path)
    assert data.features["tags"] == datasets.List(datasets.ClassLabel(names=["urgent", "rude", "vague"]))
    assert data["tags"][0] == [0, 1]


def test_what_is_there_is_replaced_only_if_asked_and_only_if_it_is_a_dataset(tmp_path: Path, make_row: MakeRow) -> None:
    def table(count: int) -> Any:
        return export_table(iter([make_row(i) for i in range(count)]), Wanted("datasets"))

    for path in (tmp_path / "out", tmp_path / "out.parquet"):
        save_dataset(table(1), path)
        with pytest.raises(OptionError, match="exists; pass --overwrite"):
            save_dataset(table(2), path)
        assert save_dataset(table(3), path, overwrite=True) == 3
        assert len(read(path, tmp_path / "cache" / path.name)) == 3
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis").write_text("dear")
    with pytest.raises(OptionError, match="is a folder but not a dataset, so it is not replaced"):
        save_dataset(table(1), tmp_path / "home", overwrite=True)
    assert (tmp_path / "home" / "thesis").read_text() == "dear"


def test_wrong_row_leaves_nothing_behind(tmp_path: Path, make_row: MakeRow) -> None:
    rows = [*(make_row(i) for i in range(5)), make_row(5, (0.5, 0.1, 0.1))]
    with pytest.raises(InputError, match=r"rows.jsonl:6: labels.category: must sum to 1"):
        save_dataset(export_table(iter(rows), Wanted("datasets")), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_place_that_cannot_be_written_is_named(tmp_path: Path, make_row: MakeRow) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        save_dataset(export_table(iter([make_row()]), Wanted("datasets")), tmp_path / "file" / "out")


def test_missing_library_is_named_with_the_remedy(
    tmp_path: Path, make_row: MakeRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(OptionError, match=r"a dataset or \.parquet file needs datasets \(not installed\); "):
        save_dataset(export_table(iter([make_row()]), Wanted("datasets")), tmp_path / "out")


STREAM = """
import sys
from pathlib import Path
from vsgen.jobs.export import save_dataset
from vsgen.export.forms import Wanted, export_table
from vsgen.values import Row
seen = []
def look():
    seen.append(int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0]))
def rows(count):
    for i in range(count):
        if i % 500 == 0: look()
        label = {"category": {"probs": {"a": 0.25, "b": 0.75}}}
        yield Row(i, {"id": str(i), "text": "word " * 200, "labels": label}, f"x:{i}")
save_dataset(export_table(rows(int(sys.argv[1])), Wanted("datasets")), Path(sys.argv[2]))
look()
print(max(seen))
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        words = [sys.executable, "-c", STREAM, str(count), str(tmp_path / str(count))]
        return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout) * 1024

    assert peak(40_000) - peak(5_000) < 0.4 * 35_000 * 1000
