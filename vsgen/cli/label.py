"""``vsgen label``: soft labels for rows that exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from vsgen.cli import options
from vsgen.cli.groups import BatchGroup, BudgetGroup, EndpointGroup, FilesGroup, LoadGroup, TalkGroup
from vsgen.cli.label_typed import as_typed
from vsgen.cli.shell import carry_out
from vsgen.errors import OptionError
from vsgen.labels.names import Kind, Method, Prior

if TYPE_CHECKING:
    from vsgen.labels.select import Selection
    from vsgen.template.schema import Template


_SHORT = 1


@dataclass(frozen=True, slots=True)
class LabelsGroup:
    """Which labels, and how they are asked for."""

    panel: ClassVar[str] = "Labels"
    name: Annotated[
        list[str] | None, typer.Option("--name", metavar="NAME", help="Name of the label. Repeat for more labels.")
    ] = None
    classes: Annotated[
        list[str] | None,
        typer.Option("--classes", metavar="A,B,C", help="Its classes, or a JSON list of them. One for each --name."),
    ] = None
    choices: Annotated[
        str | None,
        typer.Option(
            "--choices", metavar="FIELD", help="The row's field that lists its own classes, instead of --classes."
        ),
    ] = None
    prompt: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt",
            metavar="TEXT",
            help="The question (Jinja). One for each --name. The text follows unless the question contains it.",
        ),
    ] = None
    template: Annotated[
        str | None,
        typer.Option(
            "--template", metavar="TEMPLATE", help="Use the `labels:` of a template instead of the four above."
        ),
    ] = None
    on: Annotated[
        str | None, typer.Option("--on", metavar="FIELD", help="The row's field with the text. Default: text.")
    ] = None
    method: Annotated[
        Method | None,
        typer.Option(
            "--method", metavar="METHOD", help="score, reasoning, votes, verbalized or decisions. Default: score."
        ),
    ] = None
    kind: Annotated[
        Kind | None,
        typer.Option(
            "--kind", metavar="KIND", help="nominal, ordinal, or multi (several may be true). Default: nominal."
        ),
    ] = None
    prior: Annotated[
        Prior | None,
        typer.Option(
            "--prior",
            metavar="PRIOR",
            help="none, contextual or batch: correct for the model's preference among classes. Default: none.",
        ),
    ] = None
    permutations: Annotated[
        str | None,
        typer.Option("--permutations", metavar="N", help="Average over N orders of the classes, or all."),
    ] = None
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set any key of the labels, for example verbalizer=letters. Repeatable.",
        ),
    ] = None
    examples: Annotated[
        str | None,
        typer.Option(
            "--examples",
            metavar="FILE",
            help="Show the rows of FILE, whose field NAME holds the class, as examples before every text. One clear "
            "row for each class is enough.",
        ),
    ] = None
    truncate: Annotated[bool, typer.Option("--truncate", help="Cut texts that are too long for the model.")] = False
    seed: options.Seed = 0

    def read(self) -> tuple[Template, str]:
        """The labels as a template has them, and the field that holds the text.

        Raises:
            OptionError: They do not go together.
            TemplateError: They make no usable labels.
        """
        from vsgen.jobs.label_options import from_flags, from_template

        given = {"method": self.method, "kind": self.kind, "prior": self.prior, "permutations": self.permutations}
        flags = {f"{key}={value}": f"--{key} {value}" for key, value in given.items() if value is not None}
        overrides = [*flags, *(self.sets or ())]
        if self.template is None:
            with as_typed(self.name or (), flags):
                return from_flags(list(self._sections()), self.on, overrides, examples=self.examples)
        alone = {"name": self.name, "classes": self.classes, "choices": self.choices, "prompt": self.prompt}
        if others := [name for name, value in alone.items() if value]:
            raise OptionError(f"--{others[0]}: cannot be combined with --template, whose labels are used as they are")
        with as_typed((), flags):
            return from_template(self.template, self.on, overrides, examples=self.examples)

    def _sections(self) -> Iterator[Mapping[str, object]]:
        """One label section for each --name, with the classes and prompts in the same order."""
        from vsgen.jobs.label_options import classes_of

        names, classes, prompts = self.name or [], self.classes or [], self.prompt or []
        self._count(names, classes, prompts)
        for i, name in enumerate(names):
            section: dict[str, object] = {"name": name}
            if self.choices is not None:
                section["choices"] = self.choices
            if i < len(classes):
                section["classes"] = classes_of(classes[i])
            if prompts:
                section["prompt"] = prompts[i]
            yield section | ({"kind": self.kind} if self.kind else {})

    def _count(self, names: Sequence[str], classes: Sequence[str], prompts: Sequence[str]) -> None:
        if not names:
            raise OptionError("what to label? give --name and --classes (or --choices), or --template")
        if self.choices is None and len(classes) != len(names):
            raise OptionError(f"--classes: give one list of classes for each --name ({len(names)}), got {len(classes)}")
        if prompts and len(prompts) != len(names):
            raise OptionError(f"--prompt: give one for each --name ({len(names)}), or none, got {len(prompts)}")


@dataclass(frozen=True, slots=True)
class ReviewGroup:
    """What is done with the labels before they are written."""

    panel: ClassVar[str] = "Calibration and selection"
    calibrate: Annotated[
        str | None,
        typer.Option(
            "--calibrate", metavar="GOLD", help="Calibrate on the rows of GOLD, whose field NAME holds the true class."
        ),
    ] = None
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Write the reliability diagram of GOLD: .png, .svg or .pdf."),
    ] = None
    gold: Annotated[
        list[str] | None,
        typer.Option(
            "--gold",
            metavar="FIELD",
            help="Compare the labels with the true class in this field of the rows, and print accuracy, skill and "
            "confusions. NAME=FIELD for each of several labels.",
        ),
    ] = None
    coverage: Annotated[
        float | None,
        typer.Option(
            "--sets",
            metavar="LEVEL",
            help="Add a set of classes that holds the true one with this probability, such as 0.9. Needs --calibrate.",
        ),
    ] = None
    select: Annotated[
        str | None,
        typer.Option(
            "--select",
            metavar="KIND:SHARE",
            help="Keep a share of the rows by the first label: borderline:0.2, margin or disagreement.",
        ),
    ] = None
    histogram: Annotated[bool, typer.Option("--histogram", help="Print how certain the first label is.")] = False
    flips: Annotated[
        bool,
        typer.Option(
            "--flips",
            help="Ask about the first 100 rows (of GOLD, if given) again with the classes in reverse order, and print "
            "how often the likeliest class changes.",
        ),
    ] = False

    @property
    def selection(self) -> Selection | None:
        """Which rows are kept; None keeps all.

        Raises:
            OptionError: The option cannot be read.
        """
        from vsgen.labels.select import parse_selection

        return None if self.select is None else parse_selection(self.select)


@dataclass(frozen=True, slots=True)
class LabelledRowsGroup:
    """What a labeled row holds, and where the other rows go."""

    panel: ClassVar[str] = options.OUTPUT
    rejects: options.Rejects = None
    no_meta: Annotated[bool, typer.Option("--no-meta", help="Leave out `meta`: how labels were made.")] = False
    on_error: options.OnErrorOption = "stop"


def label(
    *,
    input: Annotated[str, typer.Argument(metavar="INPUT", help="Rows with a text: JSONL, or - for stdin.")],
    labels: LabelsGroup,
    files: FilesGroup,
    rows: LabelledRowsGroup,
    model: options.Model = None,
    load: LoadGroup,
    endpoint: EndpointGroup,
    batch: BatchGroup,
    review: ReviewGroup,
    budget: BudgetGroup,
    talk: TalkGroup,
    strict: options.Strict = False,
) -> None:
    """Add soft labels to rows you have.

    A soft label is a probability for each class, P(class | text). Reads and writes JSONL.

    Exit status: 0 done; 1 a budget was reached before the last row, or --emit-batch has written calls; 2 wrong options
    or input; 3 the model failed; 4 the output cannot be written; 5 with --strict: rows are written, but the verdict is
    bad; 130 interrupted; 143 terminated; 129 hung up.

    Examples:
        vsgen label rows.jsonl --name mood --classes good,bad -m Qwen/Qwen2.5-1.5B-Instruct -o labeled.jsonl
        vsgen label rows.jsonl --template support-tickets -m tiny --select borderline:0.2
        vsgen label tickets.jsonl --template support-tickets -m tiny --on text --histogram -o labeled.jsonl
    """
    from vsgen.jobs.label import Labelling
    from vsgen.jobs.label_options import LabelOptions
    from vsgen.jobs.label_truth import truth_fields

    budget.check()
    template, on = labels.read()
    places = files.places([input, labels.template, labels.examples, review.calibrate, *batch.read], rows.rejects)
    asked = LabelOptions(
        template=template,
        on=on,
        input=input,
        places=places,
        model=batch.choice(load.choice(model), places, endpoint, asks=not budget.dry_run),
        seed=labels.seed,
        gold=review.calibrate,
        plot=review.plot,
        selection=review.selection,
        level=review.coverage,
        truths=truth_fields(review.gold or (), template.labels),
        histogram=review.histogram,
        flips=review.flips,
        max_calls=budget.max_calls,
        max_tokens=budget.max_tokens,
        max_cost=budget.max_cost,
        truncate=labels.truncate,
        skip_bad_rows=rows.on_error == "skip",
        meta=not rows.no_meta,
    )
    task = Labelling(asked)
    if budget.dry_run:
        budget.show(task)
        return
    counts = carry_out(task, talk, strict=strict)
    if counts.stopped:
        raise typer.Exit(_SHORT)
