"""Which models a command may ask, and how they are opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from vsgen.backends.endpoint.server import Server
from vsgen.backends.endpoint.service import Sample, Service
from vsgen.backends.endpoint.settings import Settings
from vsgen.backends.open import ON_CPU, content
from vsgen.jobs.by_file import ByFile
from vsgen.ports import LanguageModel
from vsgen.sections.prices import Prices

SCORE_BATCH: Final = 32
"""`Score` calls that a model in this process answers at once."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which language model to open, and how; see `vsgen.backends.open.open_model`."""

    name: str | None = None
    """None leaves it to the template."""
    device: str = "auto"
    dtype: str = "auto"
    batch: int | None = None
    """Rows that the model decodes at once; None leaves it to the backend."""
    remote_code: bool = False
    """Run Python code that comes with the model."""
    pickled: bool = False
    """Read weights that are no safetensors."""
    allow: Sequence[str] = ()
    """Other models that are treated as if the command line named them, though only a template does."""
    typed: Sequence[str] = ()
    """The options that were typed for this command, so that they must mean something; all others are defaults."""
    opened: LanguageModel | None = None
    """The model itself, where the caller has opened it."""
    server: Server | None = None
    """Where it is, if behind a URL; see `vsgen.jobs.servers` for whether that holds for the model that is named."""
    allowed: Sequence[Server] = ()
    """Other servers that a template may name."""
    http: Settings = field(default_factory=Settings)
    """How servers are treated."""
    by_file: ByFile | None = None
    """What is done by batch files; None has servers answer every call at once."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The models that a command may ask."""

    choice: ModelChoice = field(default_factory=ModelChoice)
    """The language model."""
    default: str = ""
    """Its name, where the choice does not say; see `vsgen.jobs.asked`."""
    embedder: str | None = None
    """The embedder's name; None opens none."""
    deciding: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    """The labels that are asked of decision interfaces, and the models that each names; None is the first one."""
    judges: Sequence[str] = ()
    """Names of other language models; they are opened with the choice's settings."""
    score_batch: int = SCORE_BATCH
    """`Score` calls that are answered at once; fewer where each has many choices."""
    commands: bool = False
    """External commands may be run."""
    samples: Sequence[Sample] = ()
    """Calls like those that the language model will be asked."""
    services: Mapping[str, Service] = field(default_factory=dict)
    """Those of all these that are behind a URL, by name; see `vsgen.jobs.servers`."""
    prices: Mapping[str, Prices] = field(default_factory=dict)
    """What tokens of language models cost, by the names under which they are asked."""
    local: frozenset[str] = frozenset()
    """Those that only a template names: they are taken from this machine, and none of their code is run."""

    @property
    def asked(self) -> str:
        """The language model's name, as it was asked for."""
        return self.choice.name or self.default

    @property
    def here(self) -> list[str]:
        """The language models that are opened in this process, by name."""
        names = dict.fromkeys([*([] if self.choice.opened else [self.asked]), *self.judges])
        return [name for name in names if name not in self.services]

    @property
    def parts(self) -> dict[str, object]:
        """What an output is made from, as far as it hangs on the models: what is in their files, and how they compute.

        A model that computes alike everywhere has no device and no number format. Files that are not here say nothing.
        """
        names = self.here
        files = {f"content of model {name}": content(name) for name in names}
        parts: dict[str, object] = {name: digest for name, digest in files.items() if digest is not None}
        parts |= {f"endpoint of model {name}": service.target.name for name, service in self.services.items()}
        if any(name not in ON_CPU for name in names):
            parts |= {"--device": self.choice.device, "--dtype": self.choice.dtype}
        return parts
