"""What the user asked `vsgen targets` for, and whether it goes together; which prompts, also for `vsgen measure`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from vsgen.distributions.discretise import Grid
from vsgen.distributions.names import SPLITS, GridKind, Kind, Split
from vsgen.errors import OptionError
from vsgen.files.places import Places

COARSE: Final = 1001
"""Values of a prompt, where each of them costs something."""
_FINE: Final = 16384
"""The paper's number of strings for hard targets, which cost nothing each."""
_DRAWS: Final = 16


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """Which prompts whose distribution is known; None leaves a setting to its default, which depends on the use."""

    template: str | None = None
    """None is the paper's families."""
    input: str | None = None
    overrides: Sequence[str] = ()
    """``key=value``, laid over the template."""
    rows: str | None = None
    """Rows that `vsgen run` wrote with the template."""
    on: str | None = None
    """The field of the rows that holds the answer."""
    families: Sequence[str] = ()
    """None named are all that the splits have."""
    splits: Sequence[Split] = ()
    """None named are the use's own."""
    selected: bool = False
    """Only the prompts that the paper prints."""
    grid: GridKind | None = None
    decimals: int | None = None
    max_bins: int | None = None
    limit: int | None = None
    """Prompts at most."""

    @property
    def fineness(self) -> Grid:
        """How the paper's distributions become strings."""
        default = Grid()
        return Grid(
            self.grid or default.kind,
            default.decimals if self.decimals is None else self.decimals,
            default.max_bins if self.max_bins is None else self.max_bins,
        )

    def settled(self, splits: Sequence[Split], max_bins: int) -> TargetChoice:
        """The same, with these for what is left to the use."""
        bins = max_bins if self.max_bins is None else self.max_bins
        return replace(self, splits=self.splits or splits, max_bins=bins)

    def check(self) -> None:
        """See that all flags go together.

        Raises:
            OptionError: Something does not; names the flag and the remedy.
        """
        refuse(self._misplaced())
        if self.selected and tuple(self.splits) == SPLITS[:1]:
            raise OptionError("--selected: chooses among the unseen and heldout prompts; leave --split train out")
        if self.template is None:
            self.fineness.check()

    def _misplaced(self) -> Iterator[tuple[bool, Mapping[str, object], str]]:
        paper = {
            "--family": self.families,
            "--split": self.splits,
            "--selected": self.selected,
            "--grid": self.grid,
            "--decimals": self.decimals is not None,
            "--max-bins": self.max_bins is not None,
        }
        yield self.template is not None, paper, "is for the paper's families; leave out TEMPLATE or this option"
        yield self.template is None, {"--from": self.rows, "--set": self.overrides}, "needs the TEMPLATE"
        yield self.rows is None, {"--on": self.on}, "names the answer's field of --from ROWS, which is missing"
        yield (
            self.rows is not None,
            {"INPUT": self.input},
            "cannot be combined with --from, whose rows hold the variables",
        )


@dataclass(frozen=True, slots=True)
class TargetsOptions:
    """What the user asked for."""

    choice: TargetChoice = field(default_factory=TargetChoice)
    kind: Kind = "values"
    tokenizer: str | None = None
    remote_code: bool = False
    """Run Python code that comes with the tokenizer."""
    paths: int | None = None
    """Drawn answers per prompt in place of the trie."""
    samples: int | None = None
    seed: int = 0
    places: Places = field(default_factory=Places)
    """Making rows asks no model, and has no journal."""

    @property
    def wanted(self) -> TargetChoice:
        """The prompts, with all settings: those to train on, unless the paper's selection is asked for."""
        splits = SPLITS[1:] if self.choice.selected else SPLITS[:1]
        return self.choice.settled(splits, _FINE if self.kind == "hard" else COARSE)

    @property
    def draws(self) -> int:
        """Drawn answers per prompt."""
        return self.samples or _DRAWS

    def check(self) -> None:
        """See that all flags go together; the files are `Places.done`'s to check.

        Raises:
            OptionError: Something does not; names the flag and the remedy.
        """
        self.choice.check()
        refuse(self._misplaced())
        if self.kind == "soft" and not self.tokenizer:
            needed = "needs --tokenizer, a folder or an id (or tiny): soft targets are in a model's tokens"
            raise OptionError(f"--kind soft: {needed}")

    def _misplaced(self) -> Iterator[tuple[bool, Mapping[str, object], str]]:
        tokens = {"--tokenizer": self.tokenizer, "--trust-remote-code": self.remote_code, "--paths": self.paths}
        yield self.kind != "soft", tokens, "is for --kind soft"
        yield self.kind != "hard", {"--samples": self.samples}, "is for --kind hard; soft rows have --paths"


def refuse(rules: Iterator[tuple[bool, Mapping[str, object], str]]) -> None:
    """Refuse the first flag that is given where it means nothing.

    Args:
        rules: Each says whether it holds, the values of some flags, and why they must not be given if it holds.

    Raises:
        OptionError: A flag is given where it must not be.
    """
    for holds, flags, why in rules:
        if given := [flag for flag, value in flags.items() if holds and value]:
            raise OptionError(f"{given[0]}: {why}")
