"""Tables as datasets: a folder of Arrow files as `datasets.load_from_disk` reads it, or one Parquet file.

Rows are written as they come; memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vsgen.errors import OptionError, OutputError, VsgenError
from vsgen.export.table import Column, Kind, Table
from vsgen.extras import require

_MARK = "dataset_info.json"


def check_replaceable(path: Path, *, overwrite: bool) -> None:
    """See that a dataset may take a place: it is free, or holds a dataset or a file that is to be replaced.

    Raises:
        OptionError: It must not be replaced.
    """
    if not path.exists():
        return
    if not overwrite:
        raise OptionError(f"{path}: exists; pass --overwrite, or choose another -o")
    if path.is_dir() and not (path / _MARK).exists():
        raise OptionError(f"{path}: is a folder but not a dataset, so it is not replaced; choose another -o")
    if path.is_dir() and path.suffix == ".parquet":
        raise OptionError(f"{path}: is a folder; name a file")
    if not path.is_dir() and not path.is_file():
        raise OptionError(f"{path}: is not a file that a dataset can replace; choose another -o")


def load() -> Any:
    """The library, which takes seconds to import and swallows what signals raise meanwhile: load it before they do.

    Raises:
        OptionError: It is not installed.
    """
    require("export", where="-o", use="a dataset or .parquet file")
    import datasets

    return datasets


def write_dataset(table: Table, path: Path, *, parquet: bool, cache: Path) -> int:
    """Write a table; returns how many rows it had.

    Args:
        table: Columns and rows.
        path: A folder to be made, or a file.
        parquet: It is a file.
        cache: A folder to be made for what the library keeps meanwhile.

    Raises:
        OutputError: It cannot be written.
        OSError: The same, where the system says so.
    """
    library = load()

    def rows() -> Iterator[Mapping[str, object]]:
        yield from table.rows

    with _quiet(library):
        try:
            # Given a name, the library does not try to make one of the generator's contents.
            data = library.Dataset.from_generator(
                rows, features=_features(library, table.columns), cache_dir=str(cache), fingerprint="vsgen"
            )
        except library.exceptions.DatasetGenerationError as error:
            if isinstance(error.__cause__, VsgenError | OSError):
                raise error.__cause__ from None
            problem = error.__cause__ or error
            raise OutputError(f"{path}: cannot be written: {problem}; try -o FILE.jsonl") from error
        if parquet:
            data.to_parquet(str(path))
        else:
            data.save_to_disk(str(path))
        return len(data)


def _features(library: Any, columns: Mapping[str, Column]) -> Any:
    return library.Features({name: _feature(library, column) for name, column in columns.items()})


def _feature(library: Any, column: Column) -> Any:
    value, listed = library.Value, library.List
    name = library.ClassLabel(names=list(column.names)) if column.names else None
    features: dict[Kind, Any] = {
        "integer": value("int64"),
        "number": value("float64"),
        "flag": value("bool"),
        "class": name,
        "classes": listed(name),
        "vector": listed(value("float32"), length=len(column.names)),
        "messages": listed({"role": value("string"), "content": value("string")}),
        "ids": listed(value("int32")),
        "texts": listed(value("string")),
        "grid": listed(listed(value("int32" if column.whole else "float32"))),
    }
    return features.get(column.kind, value("string"))


@contextmanager
def _quiet(library: Any) -> Iterator[None]:
    """Its progress bars are not ours to show."""
    shown = library.utils.is_progress_bar_enabled()
    library.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            library.enable_progress_bars()
