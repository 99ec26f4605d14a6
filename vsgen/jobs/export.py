"""Rows in the form that a trainer reads, put where they are wanted once they are whole."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from vsgen import signals
from vsgen.errors import OptionError
from vsgen.export.dataset import check_replaceable, load, write_dataset
from vsgen.export.forms import Wanted, export_table
from vsgen.export.table import Table
from vsgen.files.destinations import destination, is_written_through
from vsgen.files.lines import PipeLines, open_lines, writing
from vsgen.files.part import FolderPart, part_of
from vsgen.files.places import refuse_unfinished
from vsgen.files.rows import read_rows

_BATCH = 100
_PARQUET = ".parquet"


def export_rows(
    source: str,
    wanted: Wanted,
    output: Path | None,
    *,
    overwrite: bool,
    skip_unlabelled: bool,
    warn: Callable[[str], None],
) -> tuple[int, int]:
    """Export rows; returns how many, and how many of the input were left out.

    Args:
        source: JSONL; - is standard input.
        wanted: The form.
        output: A file or a folder; None is standard output.
        overwrite: Replace what is there, if it is a file or a dataset.
        skip_unlabelled: Leave out rows without a label.
        warn: Gets what a pipe waits for.

    Raises:
        UserError: The rows or the flags are wrong.
        OutputError: The output cannot be written, or another run is writing there.
        ReaderGone: Nobody reads it any more.
    """
    if output:
        _check_apart(source, output)
    skipped: list[None] = []
    unlabelled = (lambda _: skipped.append(None)) if skip_unlabelled else None
    table = export_table(read_rows(source), wanted, skip=unlabelled)
    if _is_dataset(wanted.form, output):
        return save_dataset(table, _needed(output), overwrite=overwrite), len(skipped)
    return _save_lines(table, output, overwrite=overwrite, warn=warn), len(skipped)


def save_dataset(table: Table, path: Path, *, overwrite: bool = False) -> int:
    """Write a table as a dataset; returns how many rows it has.

    Args:
        table: Columns and rows.
        path: A folder to be made, or a file that ends in ``.parquet``; appears when it is complete.
        overwrite: Replace what is there, if it is a dataset.

    Raises:
        OptionError: The library `datasets` is not installed, or `path` must not be replaced.
        OutputError: It cannot be written, or another run is writing there.
    """
    check_replaceable(path, overwrite=overwrite)
    load()
    real = destination(path)
    with writing(path):
        real.parent.mkdir(parents=True, exist_ok=True)
        # No exception here: the library swallows what is raised while it imports others, and would wait for more rows.
        with FolderPart(real) as part, signals.at_end(part.close):
            rows = write_dataset(table, part.made, parquet=path.suffix == _PARQUET, cache=part.cache)
            part.place()
    return rows


def _save_lines(table: Table, output: Path | None, *, overwrite: bool, warn: Callable[[str], None]) -> int:
    output = output and destination(output)
    if output and not is_written_through(output):
        _check_free(output, overwrite=overwrite)
    count = 0
    with signals.unwound(), open_lines(output, warn, quiet=True, keep=False) if output else PipeLines() as lines:
        while batch := list(islice(table.rows, _BATCH)):
            lines.write(batch)
            count += len(batch)
        lines.finish()
    return count


def _check_free(output: Path, *, overwrite: bool) -> None:
    if output.exists() and (output.is_dir() or not overwrite):
        raise OptionError(f"{output}: exists; pass --overwrite, or choose another -o")
    try:
        refuse_unfinished(output)
    except OSError as error:
        raise OptionError(f"{error.filename}: {error.strerror}; choose another -o") from error


def _check_apart(source: str, output: Path) -> None:
    """Whatever replaces the output must leave the input alone: the file itself, its part, or what a folder holds."""
    read = Path(source)
    if source == "-" or not read.is_file():
        return
    used = (output, part_of(destination(output)))
    if any(one.exists() and one.samefile(read) for one in used) or _holds(output, read):
        raise OptionError(f"{output}: would replace the input {source}; choose another -o")


def _holds(folder: Path, file: Path) -> bool:
    return folder.is_dir() and file.resolve().is_relative_to(folder.resolve())


def _is_dataset(form: str, output: Path | None) -> bool:
    suffix = output.suffix if output else ".jsonl"
    return form == "datasets" or suffix == _PARQUET or (form == "distillkit" and suffix != ".jsonl")


def _needed(output: Path | None) -> Path:
    if output is None:
        raise OptionError("--to datasets: needs -o FOLDER or -o FILE.parquet")
    return output
