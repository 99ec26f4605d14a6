"""``vsgen export``: rows in the form that a trainer reads."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

import typer

from vsgen.cli import options
from vsgen.cli.console import say
from vsgen.errors import OptionError
from vsgen.signals import unwound

if TYPE_CHECKING:
    from vsgen.export.forms import Wanted
    from vsgen.export.table import Table

Form: TypeAlias = Literal["datasets", "sentence-transformers", "trl", "jsonl", "distillkit", "axolotl"]

_BATCH = 100
_FLOAT = "note: AutoModelForSequenceClassification takes float labels for independent yes-no labels; for a softmax:"
_STACKED = "note: CrossEncoderTrainer needs its vectors stacked; pass data_collator=SoftCollator(model.preprocess):"


@dataclass(frozen=True, slots=True)
class LabelsGroup:
    """Which labels are exported, and from which rows."""

    panel: ClassVar[str] = "Labels"
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="NAME", help="The label to export. Default: all, or the one.")
    ] = None
    on: Annotated[str, typer.Option("--on", metavar="FIELD", help="The field that is classified.")] = "text"
    classes: Annotated[
        str | None,
        typer.Option("--classes", metavar="A,B,C", help="The order of the classes. Default: the first row's."),
    ] = None
    skip_unlabelled: Annotated[
        bool, typer.Option("--skip-unlabelled", help="Leave out rows that could not be labelled.")
    ] = False


@dataclass(frozen=True, slots=True)
class TrainersGroup:
    """What only one form has."""

    panel: ClassVar[str] = "Of one form"
    pair: Annotated[
        str | None,
        typer.Option("--pair", metavar="FIELD,FIELD", help="sentence-transformers: texts classified together."),
    ] = None
    draws: Annotated[
        int,
        typer.Option(
            "--draws",
            metavar="N",
            min=0,
            help="trl: completions per row, drawn from its label; 0: the most probable class.",
        ),
    ] = 1
    question: Annotated[str, typer.Option("--question", help="trl: what is asked, before the text.")] = ""
    seed: Annotated[int, typer.Option("--seed", envvar="VSGEN_SEED", metavar="N", min=0, help="trl: of the draws.")] = 0
    tail: Annotated[
        int,
        typer.Option(
            "--tail",
            metavar="N",
            min=0,
            help="axolotl: tokens that the chat template writes after the end token; 1 for ChatML.",
        ),
    ] = 0


def export(
    *,
    input: Annotated[str, typer.Argument(metavar="INPUT", help="Rows of `vsgen run` or `vsgen label`; - for stdin.")],
    to: Annotated[Form, typer.Option("--to", help="Which trainer reads the rows.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="A folder of `datasets`, a .parquet or a .jsonl file. Default: JSONL to stdout.",
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    labels: LabelsGroup,
    trainers: TrainersGroup,
    quiet: options.Quiet = False,
) -> None:
    """Export soft labels and token-level rows for trainers.

    Labels become vectors of probabilities in one order of the classes, whose names stay with them.

    datasets: all fields, NAME (ClassLabel) and NAME_probs (vector) of each label.

    sentence-transformers: for a CrossEncoder; with --pair two texts and a vector for CrossEntropyLoss, else text, class
    and probability for BinaryCrossEntropyLoss.

    trl: prompt and completion for SFT. jsonl: text, vector and classes.

    distillkit, axolotl: token log-probabilities, from rows of `vsgen run --token-logprobs`.

    torch.nn.CrossEntropyLoss takes the vectors as they are. AutoModelForSequenceClassification does not: it trains a
    binary cross entropy instead, without a warning; the closing note says what to do.

    Exit status: 0 done; 2 wrong input or flags; 4 the output cannot be written; 130 interrupted.
    """
    from vsgen.export.forms import Wanted

    wanted = Wanted(
        form=to,
        labels=tuple(labels.label or ()),
        on=labels.on,
        classes=_words(labels.classes),
        pair=_pair(trainers.pair),
        draws=trainers.draws,
        seed=trainers.seed,
        question=trainers.question,
        tail=trainers.tail,
    )
    count, skipped = _export(input, wanted, output, overwrite=overwrite, skip=labels.skip_unlabelled)
    if not quiet:
        _say(wanted, count, skipped, output)


def _export(source: str, wanted: Wanted, output: Path | None, *, overwrite: bool, skip: bool) -> tuple[int, int]:
    """Write the table; returns how many rows it has, and how many of the input were left out."""
    from vsgen.export.forms import export_table
    from vsgen.files.rows import read_rows

    if output:
        _check_apart(source, output)
    skipped: list[None] = []
    unlabelled = (lambda _: skipped.append(None)) if skip else None
    table = export_table(read_rows(source), wanted, skip=unlabelled)
    if _is_dataset(wanted.form, output):
        from vsgen.export.dataset import write_dataset

        return write_dataset(table, _needed(output), overwrite=overwrite), len(skipped)
    return _write_lines(table, output, overwrite=overwrite), len(skipped)


def _check_apart(source: str, output: Path) -> None:
    """Whatever replaces the output must leave the input alone: the file itself, its part, or what a folder holds."""
    from vsgen.files.records import part_of

    read = Path(source)
    if source == "-" or not read.is_file():
        return
    if any(one.exists() and one.samefile(read) for one in (output, part_of(output))) or _holds(output, read):
        raise OptionError(f"{output}: would replace the input {source}; choose another -o")


def _holds(folder: Path, file: Path) -> bool:
    return folder.is_dir() and file.resolve().is_relative_to(folder.resolve())


def _is_dataset(form: str, output: Path | None) -> bool:
    suffix = output.suffix if output else ".jsonl"
    return form == "datasets" or suffix == ".parquet" or (form == "distillkit" and suffix != ".jsonl")


def _needed(output: Path | None) -> Path:
    if output is None:
        raise OptionError("--to datasets: needs -o FOLDER or -o FILE.parquet")
    return output


def _write_lines(table: Table, output: Path | None, *, overwrite: bool) -> int:
    from vsgen.files.records import FileLines, PipeLines, part_of

    if output and output.exists() and (output.is_dir() or not overwrite):
        raise OptionError(f"{output}: exists; pass --overwrite, or choose another -o")
    count = 0
    try:
        with unwound(), FileLines(output) if output else PipeLines() as lines:
            while batch := list(islice(table.rows, _BATCH)):
                lines.write(batch)
                count += len(batch)
            lines.finish()
    finally:
        if output:
            part_of(output).unlink(missing_ok=True)
    return count


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",")) if text else ()


def _pair(text: str | None) -> tuple[str, str] | None:
    match _words(text):
        case ():
            return None
        case (one, two) if one and two and one != two:
            return one, two
    raise OptionError(f"--pair: must be two different fields, got {text!r}; write it like --pair question,answer")


def _say(wanted: Wanted, count: int, skipped: int, output: Path | None) -> None:
    from vsgen.export.labels import FLOAT_LABELS, STACKED_LABELS

    left = f" ({skipped} without a label left out)" if skipped else ""
    say(f"vsgen: {count} rows{left} -> {output or 'stdout'}")
    if wanted.form in {"jsonl", "datasets"}:
        say(f"{_FLOAT}\n{FLOAT_LABELS}")
    if wanted.pair:
        say(f"{_STACKED}\n{STACKED_LABELS}")
