"""What the user asked `vsgen targets` for, and whether it goes together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vsgen.errors import OptionError
from vsgen.targets.discretise import Grid
from vsgen.targets.target import SPLITS, GridKind, Kind, Split, SplitName

_FINE: Final = 16384
"""The paper's number of strings for hard targets, which cost nothing each."""
_COARSE: Final = 1001
_DRAWS: Final = 16
_REPLIES: Final = 1000


@dataclass(frozen=True, slots=True)
class Job:
    """What the user asked for; None leaves a choice to the default of what is made."""

    template: str | None = None
    """None is the paper's families."""
    input: str | None = None
    overrides: Sequence[str] = ()
    rows: str | None = None
    """Rows that `vsgen run` wrote with the template."""
    on: str | None = None
    """The field of the rows that holds the answer."""
    families: Sequence[str] = ()
    split: SplitName | None = None
    selected: bool = False
    kind: Kind = "values"
    tokenizer: str | None = None
    paths: int | None = None
    samples: int | None = None
    grid: GridKind | None = None
    decimals: int | None = None
    max_bins: int | None = None
    seed: int = 0
    limit: int | None = None
    """Prompts at most."""
    output: Path | None = None
    """None writes to standard output."""
    overwrite: bool = False
    evaluate: bool = False
    probes: bool = True
    """Measure also how varied the answers to a few prompts without a target are."""
    model: str = "tiny"
    device: str = "auto"
    dtype: str = "auto"
    batch: int | None = None
    remote_code: bool = False
    pickled: bool = False

    @property
    def splits(self) -> tuple[Split, ...]:
        """Those wanted: to train on, unless a model is measured or the paper's selection is asked for."""
        if self.split is None:
            return SPLITS[1:] if self.evaluate or self.selected else SPLITS[:1]
        return SPLITS if self.split == "all" else (self.split,)

    @property
    def fineness(self) -> Grid:
        """How the paper's distributions become strings."""
        bins = _FINE if self.kind == "hard" and not self.evaluate else _COARSE
        default = Grid()
        return Grid(
            self.grid or default.kind,
            default.decimals if self.decimals is None else self.decimals,
            self.max_bins or bins,
        )

    @property
    def draws(self) -> int:
        """Drawn answers, or a model's replies, per prompt."""
        return self.samples or (_REPLIES if self.evaluate else _DRAWS)

    def check(self) -> None:
        """See that all of it goes together.

        Raises:
            OptionError: Something does not; names the flag and the remedy.
        """
        for problem in (self._misplaced(), self._incomplete()):
            if problem:
                raise OptionError(problem)
        if self.template is None:
            self.fineness.check()
        self._check_output()

    def _misplaced(self) -> str:
        """The first flag that means nothing here."""
        paper: dict[str, object] = {
            "--family": self.families,
            "--split": self.split,
            "--selected": self.selected,
            "--grid": self.grid,
        }
        paper |= {"--decimals": self.decimals is not None, "--max-bins": self.max_bins}
        soft = self.kind == "soft" and not self.evaluate
        draws = (self.kind == "hard" and not self.evaluate) or self.evaluate
        rules = (
            (self.template is not None, paper, "is for the paper's families; leave TEMPLATE or it out"),
            (self.template is None, {"--from": self.rows, "--set": self.overrides}, "needs the TEMPLATE"),
            (self.rows is None, {"--on": self.on}, "names the answer's field of --from ROWS, which is missing"),
            (self.rows is not None, {"INPUT": self.input}, "does not go with --from, whose rows hold the variables"),
            (not soft, {"--tokenizer": self.tokenizer, "--paths": self.paths}, "is for --kind soft"),
            (not draws, {"--samples": self.samples}, "is for --kind hard and --evaluate; soft rows have --paths"),
            (self.evaluate, {"--kind": self.kind != "values"}, "does not go with --evaluate, which writes measures"),
        )
        return next((f"{flag}: {why}" for wrong, flags, why in rules for flag in flags if wrong and flags[flag]), "")

    def _incomplete(self) -> str:
        if self.kind == "soft" and not self.tokenizer:
            return "--kind soft: needs --tokenizer, a folder or an id (or tiny): soft targets are in a model's tokens"
        if self.selected and self.split == "train":
            return "--selected: chooses among the unseen and heldout prompts; no --split train"
        return ""

    def _check_output(self) -> None:
        path = self.output
        if path is None:
            return
        if path.is_dir():
            raise OptionError(f"{path}: is a directory; name a file in it")
        if any(name and Path(name).exists() and path.exists() and path.samefile(name) for name in self._inputs()):
            raise OptionError(f"{path}: is read from; name another file to write to")
        if path.exists() and not self.overwrite:
            raise OptionError(f"{path}: exists; --overwrite writes it anew")

    def _inputs(self) -> tuple[str | None, ...]:
        return self.template, self.input, self.rows
