"""What a run was asked to do, as far as a verdict must know it to say what to try next."""

from __future__ import annotations

from dataclasses import dataclass

from vsgen.flows.asking import settings_of, size_of, unsuited
from vsgen.template.schema import Template
from vsgen.values import ModelFacts


@dataclass(frozen=True, slots=True)
class Setup:
    """A template with the settings that were really used."""

    template: Template
    shows: bool = False
    """Worked exchanges stand before the tasks."""
    unsuited: str | None = None
    """What the template says against models of this size."""
    small: bool = False
    """The model is small; see `vsgen.flows.asking.SMALL`."""
    by_flags: bool = False
    """The labels stand on the command line, not in a file."""
    tried: bool = False
    """A draw is shown whole, with its rejects."""

    @classmethod
    def of_run(cls, template: Template, facts: ModelFacts | None) -> Setup:
        """The setting of a run.

        Args:
            template: With what it recommends for the model's size laid over it.
            facts: What the model is; None where it cannot say.
        """
        examples = bool(template.examples and template.sampling.demonstrate)
        shows = examples or bool(settings_of(template, facts).exchanges)
        return cls(template, shows, unsuited(template, facts), size_of(facts) == "small")
