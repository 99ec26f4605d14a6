"""Groups of options that several commands share; each gives the value that a command is started with."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from vsgen.cli import options
from vsgen.cli.origin import OfVariable
from vsgen.cli.printed import show
from vsgen.errors import OptionError

if TYPE_CHECKING:
    from vsgen.backends.endpoint.settings import Settings
    from vsgen.files.places import Places
    from vsgen.jobs.generate import Generation
    from vsgen.jobs.label import Labelling
    from vsgen.jobs.wanted import ModelChoice

_DEVICE: Final = re.compile(r"auto|cpu|(cuda|mps)(:\d+)?")
DTYPES: Final = ("auto", "float32", "bfloat16", "float16", "float64")
_SHORT: Final = {"fp16": "float16", "half": "float16", "bf16": "bfloat16", "fp32": "float32", "fp64": "float64"}
"""What other programs call number formats."""


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
        from vsgen.jobs.wanted import ModelChoice

        device, origin = _named("device", self.device)
        if not _DEVICE.fullmatch(device):
            raise OptionError(f"{origin}: no device named {device!r}; choose auto, cpu, cuda, cuda:1 or mps")
        dtype, origin = _named("dtype", self.dtype)
        if dtype not in DTYPES:
            meant = f"; did you mean {_SHORT[dtype]}?" if dtype in _SHORT else ""
            raise OptionError(f"{origin}: no number format named {dtype!r}; choose {', '.join(DTYPES)}{meant}")
        return ModelChoice(
            model,
            device,
            dtype,
            None if self.batch is None else int(self.batch),
            remote_code=self.trust_remote_code,
            pickled=self.allow_pickle,
            allow=tuple(self.allow_model or ()),
            typed=tuple(map(_option, _typed(self))),
        )

    def refuse(self, why: str) -> None:
        """Refuse all of these options where no model is loaded.

        Raises:
            OptionError: One of them is given.
        """
        if given := _typed(self):
            raise OptionError(f"{_option(given[0])}: {why}")


@dataclass(frozen=True, slots=True)
class EndpointGroup:
    """Where the language model is, if it is behind a URL, and how its server is treated."""

    panel: ClassVar[str] = options.ENDPOINT
    endpoint: options.Endpoint = None
    api_key_file: options.ApiKeyFile = None
    wire: options.WireOption = "auto"
    concurrency: options.Concurrency = 64
    rpm: options.Rpm = None
    tpm: options.Tpm = None
    timeout: options.Timeout = 600
    proxy: options.Proxy = None
    hedge: options.Hedge = False
    allow_endpoint: options.AllowEndpoint = None

    def choice(self, loaded: ModelChoice, *, asks: bool = True) -> ModelChoice:
        """The same model, at this server.

        Args:
            loaded: The model.
            asks: The server is asked, so that it needs its key.

        Raises:
            OptionError: The URL, or the key, cannot be used.
        """
        from vsgen.backends.endpoint.address import read_address
        from vsgen.backends.endpoint.keys import find_key, key_text, provider_key
        from vsgen.backends.endpoint.server import Server

        allowed = [read_address(url, "--allow-endpoint") for url in self.allow_endpoint or ()]
        others = tuple(Server(one, provider_key(one, os.environ), None, "--allow-endpoint") for one in allowed)
        typed = (*loaded.typed, *(_option(name) for name in _typed(self) if name != "endpoint"))
        loaded = replace(loaded, allowed=others, http=self._settings(), typed=typed)
        url, source = endpoint_named(self.endpoint)
        if url is None:
            self.refuse_alone()
            return loaded
        address = read_address(url, source)
        text = None if self.api_key_file is None else key_text(self.api_key_file, "--api-key-file")
        key = find_key(address, os.environ, text, needed=self.named) if asks else None
        server = Server(address, key, None if self.wire == "auto" else self.wire, source)
        return replace(loaded, server=server)

    @property
    def named(self) -> bool:
        """An option names the server; a variable is a default, which may be meant for another model."""
        return self.endpoint is not None and not isinstance(self.endpoint, OfVariable)

    def refuse_alone(self) -> None:
        """See that what only an endpoint has is not given without one.

        Raises:
            OptionError: It is.
        """
        for name, given in (("--api-key-file", self.api_key_file), ("--wire", self.wire != "auto")):
            if given:
                raise OptionError(f"{name}: needs --endpoint URL")

    def _settings(self) -> Settings:
        from vsgen.backends.endpoint.address import read_proxy
        from vsgen.backends.endpoint.settings import chosen

        return chosen(
            concurrency=self.concurrency,
            rpm=self.rpm,
            tpm=self.tpm,
            timeout=self.timeout,
            proxy=None if self.proxy is None else read_proxy(self.proxy),
            hedge=self.hedge,
        )


@dataclass(frozen=True, slots=True)
class BatchGroup:
    """Which calls are made by file, through a server's batch service."""

    panel: ClassVar[str] = options.ENDPOINT
    emit_batch: options.EmitBatch = None
    ingest_batch: options.IngestBatch = None
    abilities: options.AbilitiesOption = None

    @property
    def read(self) -> list[str]:
        """Files of results."""
        return [str(path) for path in self.ingest_batch or ()]

    def choice(self, loaded: ModelChoice, places: Places, endpoint: EndpointGroup, *, asks: bool = True) -> ModelChoice:
        """The same model, at the endpoint's server, asked by file as far as that is wanted.

        Args:
            loaded: The model.
            places: The files of the command.
            endpoint: Its server.
            asks: Something is asked at all.

        Raises:
            OptionError: The options, or these and the files of the command, do not go together.
        """
        from vsgen.backends.endpoint.stated import read_abilities
        from vsgen.jobs.by_file import ByFile

        served = endpoint.choice(loaded, asks=asks and self.emit_batch is None)
        if self.emit_batch is None and not self.ingest_batch:
            if self.abilities is not None:
                raise OptionError("--abilities: needs --emit-batch FILE; elsewhere the server is asked what it can do")
            return served
        can = None if self.abilities is None else read_abilities(self.abilities, "--abilities")
        self._check(places)
        by_file = ByFile(self.emit_batch, tuple(self.ingest_batch or ()), places.overwrite, can)
        return replace(served, by_file=by_file)

    def _check(self, places: Places) -> None:
        option = "--ingest-batch" if self.emit_batch is None else "--emit-batch"
        if str(self.emit_batch) == "-":
            raise OptionError("--emit-batch -: requests go to a file, since later rounds number it; give a file's name")
        if places.journal_path is None:
            raise OptionError(f"{option}: needs -o FILE (or --journal FILE), since replies are kept in its journal")
        file = self.emit_batch
        if file is None:
            return
        used = [places.output, places.rejects, places.summary, places.journal_path, *map(Path, places.inputs)]
        if file.resolve() in {path.resolve() for path in used if path is not None}:
            raise OptionError(f"{file}: is named twice; input, output and all other files must differ")
        if file.exists() and not (places.resume or places.overwrite):
            raise OptionError(f"{file}: exists; name another --emit-batch, or --overwrite replaces it")


@dataclass(frozen=True, slots=True)
class FilesGroup:
    """Where a command that asks a model writes."""

    panel: ClassVar[str] = options.OUTPUT
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
class BudgetGroup:
    """What a command may take, or the question what it will take."""

    panel: ClassVar[str] = options.BUDGET
    max_calls: options.MaxCalls = None
    max_tokens: options.MaxTokens = None
    max_cost: options.MaxCost = None
    dry_run: options.DryRun = False
    as_json: options.AsJson = False

    def check(self) -> None:
        """See that the options go together.

        Raises:
            OptionError: They do not.
        """
        if self.as_json and not self.dry_run:
            raise OptionError("--json: needs --dry-run; rows are JSON anyway")

    def show(self, task: Generation | Labelling) -> None:
        """Print what a command will take.

        Raises:
            VsgenError: It could not be carried out either.
        """
        from vsgen.cli.estimated import plan_json, plan_lines
        from vsgen.cli.folded import columns, folded
        from vsgen.jobs.estimate import estimated

        plan = estimated(task)
        if self.as_json:
            show(plan_json(plan))
        else:
            show(*folded(plan_lines(plan, self.max_cost), columns(sys.stdout)))


@dataclass(frozen=True, slots=True)
class PlaceGroup:
    """Where a command that asks no model writes."""

    panel: ClassVar[str] = options.OUTPUT
    output: options.Output = None
    overwrite: options.Overwrite = False


@dataclass(frozen=True, slots=True)
class TalkGroup:
    """What is printed on standard error."""

    panel: ClassVar[str] = options.OUTPUT
    progress: options.Progress = "auto"
    quiet: options.Quiet = False
    log_json: options.LogJson = False


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


def endpoint_named(option: str | None) -> tuple[str | None, str]:
    """The URL of the server, and the option or the variable that names it.

    Args:
        option: The value of ``--endpoint``, which its variable may have given.
    """
    if option is not None:
        return str(option), "VSGEN_ENDPOINT" if isinstance(option, OfVariable) else "--endpoint"
    return os.environ.get(options.OPENAI_BASE) or None, options.OPENAI_BASE


def _typed(group: LoadGroup | EndpointGroup) -> list[str]:
    """The names of options that stand on the command line; a variable is but a default."""
    values = {one.name: getattr(group, one.name) for one in fields(group)}
    given = [one.name for one in fields(group) if values[one.name] != one.default]
    return [name for name in given if not isinstance(values[name], OfVariable)]


def _option(name: str) -> str:
    """An option as it is typed."""
    return f"--{name.replace('_', '-')}"


def _named(option: str, value: str | None) -> tuple[str, str]:
    """The value of an option, else auto; and whether it is from the option or from its variable."""
    origin = f"VSGEN_{option.upper()}" if isinstance(value, OfVariable) else f"--{option}"
    return "auto" if value is None else str(value), origin
