"""Which prompts with known distributions: the options that `vsgen targets` and `vsgen measure` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from vsgen.cli import options
from vsgen.distributions.names import SPLITS, GridKind, SplitName

if TYPE_CHECKING:
    from vsgen.jobs.targets_options import TargetChoice

TemplateWithChoices = Annotated[
    str | None,
    typer.Argument(metavar="[TEMPLATE]", help="A template with `choices:`. Default: the distributions of the paper."),
]


@dataclass(frozen=True, slots=True)
class PromptsGroup:
    """Which prompts, and how finely their distributions become strings."""

    panel: ClassVar[str] = "Prompts"
    num: Annotated[int | None, typer.Option("-n", "--num", metavar="N", min=1, help="Use at most N prompts.")] = None
    family: Annotated[
        str, typer.Option("--family", metavar="NAME,...", help="Only these of the paper's 30 families.")
    ] = ""
    split: Annotated[
        SplitName | None,
        typer.Option(
            "--split",
            metavar="PART",
            help="train, unseen, heldout or all. Default: train; for measure: unseen and heldout.",
        ),
    ] = None
    selected: Annotated[
        bool, typer.Option("--selected", help="Only the 42 unseen and heldout prompts that the paper prints.")
    ] = False
    grid: Annotated[
        GridKind | None,
        typer.Option(
            "--grid",
            help="Spacing of values. linear: even, as in the paper; quantile: equal probability. Default: linear.",
        ),
    ] = None
    decimals: Annotated[
        int | None, typer.Option("--decimals", metavar="N", help="Decimals of continuous values. Default: 5.")
    ] = None
    max_bins: Annotated[
        int | None,
        typer.Option("--max-bins", metavar="N", help="Values per prompt. Default: 1001; with --kind hard: 16384."),
    ] = None
    rows: Annotated[
        str | None, typer.Option("--from", metavar="ROWS", help="Use the distributions in rows that `vsgen run` wrote.")
    ] = None
    on: Annotated[
        str | None,
        typer.Option(
            "--on", metavar="FIELD", help="Field of ROWS with the answer. Default: the template's first field."
        ),
    ] = None
    sets: options.Sets = None

    def choice(self, template: str | None, input: str | None) -> TargetChoice:
        """The prompts that are asked for.

        Args:
            template: None is the paper's families.
            input: Rows for the template's variables.
        """
        from vsgen.jobs.targets_options import TargetChoice

        return TargetChoice(
            template=template,
            input=input,
            overrides=self.sets or (),
            rows=self.rows,
            on=self.on,
            families=tuple(name.strip() for name in self.family.split(",") if name.strip()),
            splits=SPLITS if self.split == "all" else (self.split,) if self.split else (),
            selected=self.selected,
            grid=self.grid,
            decimals=self.decimals,
            max_bins=self.max_bins,
            limit=self.num,
        )
