"""Groups of options that several commands share; each gives the value that a command is started with."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from vsgen.cli import options
from vsgen.errors import OptionError

if TYPE_CHECKING:
    from vsgen.files.places import Places
    from vsgen.jobs.desk import ModelChoice

_DEVICE: Final = re.compile(r"auto|cpu|(cuda|mps)(:\d+)?")
_DTYPES: Final = ("auto", "float32", "bfloat16", "float16", "float64")


@dataclass(frozen=True, slots=True)
class LoadGroup:
    """How the language model is loaded."""

    panel: ClassVar[str] = options.MODEL
    device: options.Device = None
    dtype: options.Dtype = None
    batch: options.Batch = None
    trust_remote_code: options.TrustRemoteCode = False
    allow_pickle: options.AllowPickle = False
    allow_model: options.AllowModel = None

    def choice(self, model: str | None) -> ModelChoice:
        """The model and how it is loaded.

        Args:
            model: Its name; None leaves it to the template.

        Raises:
            OptionError: There is no device or number format of this name.
        """
        from vsgen.jobs.desk import ModelChoice

        device, origin = _named("device", self.device)
        if not _DEVICE.fullmatch(device):
            raise OptionError(f"{origin}: no device named {device!r}; choose auto, cpu, cuda, cuda:1 or mps")
        dtype, origin = _named("dtype", self.dtype)
        if dtype not in _DTYPES:
            raise OptionError(f"{origin}: no number format named {dtype!r}; choose {', '.join(_DTYPES)}")
        return ModelChoice(
            model,
            device,
            dtype,
            self.batch,
            remote_code=self.trust_remote_code,
            pickled=self.allow_pickle,
            allow=(*(self.allow_model or ()), *os.environ.get("VSGEN_ALLOW_MODEL", "").split()),
            device_named=self.device is not None,
        )

    def refuse(self, why: str) -> None:
        """Refuse all of these options where no model is loaded.

        Raises:
            OptionError: One of them is given.
        """
        if given := [one.name for one in fields(self) if getattr(self, one.name) != one.default]:
            raise OptionError(f"--{given[0].replace('_', '-')}: {why}")


@dataclass(frozen=True, slots=True)
class FilesGroup:
    """Where a command that asks a model writes."""

    panel: ClassVar[str] = options.FILES
    output: options.Output = None
    journal: options.Journal = None
    summary: options.Summary = None
    resume: options.Resume = False
    overwrite: options.Overwrite = False

    def places(self, inputs: Sequence[str | None], rejects: Path | None = None) -> Places:
        """The files of the command.

        Args:
            inputs: Names of what is read, which nothing may overwrite.
            rejects: Where rows go that are not kept.
        """
        from vsgen.files.places import Places

        read = [name for name in inputs if name is not None]
        return Places(
            self.output,
            rejects,
            self.journal,
            resume=self.resume,
            overwrite=self.overwrite,
            inputs=read,
            summary=self.summary,
        )


@dataclass(frozen=True, slots=True)
class TalkGroup:
    """What is printed on standard error."""

    panel: ClassVar[str] = options.MESSAGES
    progress: options.Progress = "auto"
    quiet: options.Quiet = False


@dataclass(frozen=True, slots=True)
class SampleGroup:
    """How answers are drawn: the template's settings, and the seed."""

    panel: ClassVar[str] = options.SAMPLING
    method: options.Method = None
    k: options.K = None
    temperature: options.Temperature = None
    sets: options.Sets = None
    seed: options.Seed = 0

    @property
    def overrides(self) -> list[str]:
        """What stands for template keys, as ``key=value``; an option of its own goes before ``--set``."""
        own = {"method": self.method, "k": self.k, "temperature": self.temperature}
        return [*(self.sets or ()), *(f"sampling.{key}={value}" for key, value in own.items() if value is not None)]


def _named(option: str, value: str | None) -> tuple[str, str]:
    """The value of an option, else of its environment variable, else auto; and which of them it is from."""
    if value is not None:
        return value, f"--{option}"
    variable = f"VSGEN_{option.upper()}"
    return os.environ.get(variable) or "auto", variable
