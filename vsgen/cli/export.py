"""``vsgen export``: rows in the form that a trainer reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

import typer

from vsgen.cli import options
from vsgen.cli.console import say
from vsgen.errors import OptionError

if TYPE_CHECKING:
    from vsgen.export.forms import Wanted

Form: TypeAlias = Literal["datasets", "sentence-transformers", "trl", "jsonl", "distillkit", "axolotl"]

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
    from vsgen.jobs.export import export_rows

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
    count, skipped = export_rows(
        input, wanted, output, overwrite=overwrite, skip_unlabelled=labels.skip_unlabelled, warn=_warn
    )
    if not quiet:
        _say(wanted, count, skipped, output)


def _warn(text: str) -> None:
    say(f"vsgen: {text}")


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
