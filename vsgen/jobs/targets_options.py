"""What the user asked `vsgen targets` for, and whether it goes together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from vsgen.distributions.discretise import Grid
from vsgen.distributions.names import SPLITS, GridKind, Kind, Split, SplitName
from vsgen.errors import OptionError
from vsgen.files.places import Places
from vsgen.jobs.desk import ModelChoice
from vsgen.template.schema import Template

_FINE: Final = 16384
"""The paper's number of strings for hard targets, which cost nothing each."""
_COARSE: Final = 1001
_DRAWS: Final = 16
_REPLIES: Final = 1000


@dataclass(frozen=True, slots=True)
class TargetsOptions:
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
    places: Places = field(default_factory=Places)
    """Making rows asks no model, and has no journal."""
    evaluate: bool = False
    probes: bool = True
    """Measure also how varied the answers to a few prompts without a target are."""
    choice: ModelChoice = field(default_factory=ModelChoice)
    """The model to measure; `remote_code` holds for the tokenizer of soft rows too."""

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

    def model(self, template: Template | None) -> str:
        """The name of the model to measure."""
        return self.choice.name or (template.model if template else None) or "tiny"

    def parts(self, template: Template | None) -> dict[str, object]:
        """Names all that a model's measures are made from, but for the rows' content."""
        grid = self.fineness
        return {
            "template": template and template.digest,
            "model": self.model(template),
            "--samples": self.draws,
            "seed": self.seed,
            "--probes": self.probes,
            "input": self.input,
            "--from": self.rows,
            "--on": self.on,
            "--num": self.limit,
            "--family": list(self.families),
            "--split": list(self.splits),
            "--selected": self.selected,
            "--grid": grid.kind,
            "--decimals": grid.decimals,
            "--max-bins": grid.max_bins,
        }

    def check(self) -> None:
        """See that all flags go together; the files are `Places.done`'s to check.

        Raises:
            OptionError: Something does not; names the flag and the remedy.
        """
        for problem in (self._misplaced(), self._incomplete()):
            if problem:
                raise OptionError(problem)
        if self.template is None:
            self.fineness.check()

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
        journaled: dict[str, object] = {"--resume": self.places.resume, "--journal": self.places.journal}
        draws = (self.kind == "hard" and not self.evaluate) or self.evaluate
        rules = (
            (self.template is not None, paper, "is for the paper's families; leave TEMPLATE or it out"),
            (self.template is None, {"--from": self.rows, "--set": self.overrides}, "needs the TEMPLATE"),
            (self.rows is None, {"--on": self.on}, "names the answer's field of --from ROWS, which is missing"),
            (self.rows is not None, {"INPUT": self.input}, "does not go with --from, whose rows hold the variables"),
            (not soft, {"--tokenizer": self.tokenizer, "--paths": self.paths}, "is for --kind soft"),
            (not draws, {"--samples": self.samples}, "is for --kind hard and --evaluate; soft rows have --paths"),
            (not self.evaluate, journaled, "is for --evaluate; making rows asks no model, so nothing is kept of it"),
            (self.evaluate, {"--kind": self.kind != "values"}, "does not go with --evaluate, which writes measures"),
        )
        return next((f"{flag}: {why}" for wrong, flags, why in rules for flag in flags if wrong and flags[flag]), "")

    def _incomplete(self) -> str:
        if self.kind == "soft" and not self.tokenizer:
            return "--kind soft: needs --tokenizer, a folder or an id (or tiny): soft targets are in a model's tokens"
        if self.selected and self.split == "train":
            return "--selected: chooses among the unseen and heldout prompts; no --split train"
        return ""
