"""What the user asked `vsgen measure` for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from vsgen.distributions.names import SPLITS
from vsgen.files.places import Places
from vsgen.jobs.asked import chosen
from vsgen.jobs.targets_options import COARSE, TargetChoice
from vsgen.jobs.wanted import ModelChoice
from vsgen.template.schema import Template

_REPLIES: Final = 1000


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """What the user asked for."""

    choice: TargetChoice = field(default_factory=TargetChoice)
    model: ModelChoice = field(default_factory=ModelChoice)
    samples: int | None = None
    seed: int = 0
    probes: bool = True
    """Measure also how varied the answers to a few prompts without a target are."""
    places: Places = field(default_factory=Places)

    @property
    def wanted(self) -> TargetChoice:
        """The prompts, with all settings: by default those that the paper does not train on."""
        return self.choice.settled(SPLITS[1:], COARSE)

    @property
    def draws(self) -> int:
        """Replies per prompt."""
        return self.samples or _REPLIES

    def check(self) -> None:
        """See that all flags go together; the files are `Places.done`'s to check.

        Raises:
            OptionError: Something does not; names the flag and the remedy.
        """
        self.choice.check()

    def asked(self, template: Template | None) -> str:
        """The name of the model to measure.

        Raises:
            OptionError: Neither the user nor the template names one.
        """
        return chosen(self.model, template.model if template else None, template.source if template else "measure")

    def parts(self, template: Template | None) -> dict[str, object]:
        """Names all that a model's measures are made from, but for what the rows hold."""
        choice, grid = self.wanted, self.wanted.fineness
        return {
            "template": template and template.digest,
            "model": self.asked(template),
            "--samples": self.draws,
            "seed": self.seed,
            "--probes": self.probes,
            "input": choice.input and "given",
            "--from": choice.rows and "given",
            "--on": choice.on,
            "--num": choice.limit,
            "--family": list(choice.families),
            "--split": list(choice.splits),
            "--selected": choice.selected,
            "--grid": grid.kind,
            "--decimals": grid.decimals,
            "--max-bins": grid.max_bins,
        }
