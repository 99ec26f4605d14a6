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

_FLOAT = "note: AutoModelForSequenceClassification needs a loss of its own for these vectors: see docs/training.md"
_STACKED = "note: CrossEncoderTrainer needs its vectors stacked; pass data_collator=SoftCollator(model.preprocess):"


@dataclass(frozen=True, slots=True)
class LabelsGroup:
    """Which labels are exported, and from which rows."""

    panel: ClassVar[str] = "Labels"
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label", metavar="NAME", help="The label to export. Default: all for datasets; else the only one."
        ),
    ] = None
    on: Annotated[str, typer.Option("--on", metavar="FIELD", help="The field with the text.")] = "text"
    classes: Annotated[
        str | None,
        typer.Option("--classes", metavar="A,B,C", help="The order of the classes. Default: that of the first row."),
    ] = None
    skip_unlabelled: Annotated[bool, typer.Option("--skip-unlabelled", help="Leave out rows whose label failed.")] = (
        False
    )


@dataclass(frozen=True, slots=True)
class TrainersGroup:
    """What only one form has."""

    panel: ClassVar[str] = "For one trainer only"
    pair: Annotated[
        str | None,
        typer.Option("--pair", metavar="FIELD,FIELD", help="sentence-transformers: two fields classified together."),
    ] = None
    draws: Annotated[
        int,
        typer.Option(
            "--draws",
            metavar="N",
            min=0,
            help="trl: completions per row, drawn from its label. 0: the most probable class.",
        ),
    ] = 1
    question: Annotated[str, typer.Option("--question", metavar="TEXT", help="trl: a question before the text.")] = ""
    seed: Annotated[
        int, typer.Option("--seed", envvar="VSGEN_SEED", metavar="N", min=0, help="trl: seed of the draws.")
    ] = 0
    tail: Annotated[
        int,
        typer.Option(
            "--tail",
            metavar="N",
            min=0,
            help="axolotl: tokens that the chat template adds after the end token. 1 for ChatML.",
        ),
    ] = 0


def export(
    *,
    input: Annotated[str, typer.Argument(metavar="INPUT", help="Rows of `vsgen run` or `vsgen label`; - for stdin.")],
    to: Annotated[
        Form,
        typer.Option(
            "--to",
            metavar="FORM",
            rich_help_panel=options.OUTPUT,
            help="datasets, sentence-transformers, trl, jsonl, distillkit or axolotl: who reads the rows.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            rich_help_panel=options.OUTPUT,
            help="A folder of `datasets`, a .parquet or a .jsonl file. Default: JSONL to stdout.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", rich_help_panel=options.OUTPUT, help="Replace what is at PATH.")
    ] = False,
    labels: LabelsGroup,
    trainers: TrainersGroup,
    quiet: options.Quiet = False,
) -> None:
    """Export rows for a trainer.

    Labels become vectors of probabilities in a fixed order of the classes, and the names of the classes are exported
    too.

    datasets: all fields, and for each label NAME (ClassLabel) and NAME_probs (vector).

    sentence-transformers: for a CrossEncoder. With --pair: two texts and a vector for CrossEntropyLoss. Without: text,
    class and probability for BinaryCrossEntropyLoss.

    trl: prompt and completion for SFT. jsonl: text, vector and classes.

    distillkit, axolotl: token log-probabilities, from rows of `vsgen run --token-logprobs`.

    torch.nn.CrossEntropyLoss accepts the vectors. AutoModelForSequenceClassification does not: it trains a binary cross
    entropy instead, without a warning. A note at the end shows what to do.

    Exit status: 0 done; 2 wrong input or options; 4 the output cannot be written; 130 interrupted.

    Examples:
        vsgen export labeled.jsonl --to jsonl --label category -o train.jsonl
        vsgen export labeled.jsonl --to trl --label category --draws 0 -o train.jsonl
        vsgen export labeled.jsonl --to datasets -o train
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
    from vsgen.export.labels import STACKED_LABELS

    left = f" ({skipped} without a label left out)" if skipped else ""
    say(f"vsgen: {count} rows{left} -> {output or 'stdout'}")
    if wanted.form in {"jsonl", "datasets"}:
        say(_FLOAT)
    if wanted.pair:
        say(f"{_STACKED}\n{STACKED_LABELS}")
