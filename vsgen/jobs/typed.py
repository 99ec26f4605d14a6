"""Whether options that the user types mean anything to the models that a command opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vsgen.backends.open import ON_CPU
from vsgen.backends.open_embedder import ON_CPU as EMBEDDERS_ON_CPU
from vsgen.errors import OptionError

if TYPE_CHECKING:
    from vsgen.jobs.wanted import Wanted

_ENDPOINTS: Final = frozenset(
    {
        "--api-key-file",
        "--wire",
        "--concurrency",
        "--rpm",
        "--tpm",
        "--timeout",
        "--proxy",
        "--hedge",
        "--allow-endpoint",
    }
)
"""Options of models behind a URL."""
_LOADED: Final = frozenset({"--dtype", "--batch", "--trust-remote-code", "--allow-pickle"})
"""Options of language models that are loaded here."""


def check_typed(wanted: Wanted) -> None:
    """See that the options typed for this command have an effect; what is only a default is not checked.

    Args:
        wanted: The models, and the options.

    Raises:
        OptionError: One of them has none.
    """
    choice, services = wanted.choice, wanted.services
    models = [] if choice.opened else wanted.here
    for option in choice.typed:
        if option in _ENDPOINTS and not services:
            raise OptionError(f"{option}: no model is behind a URL; leave it out, or give --endpoint URL")
        if option in _LOADED and services and not models:
            raise OptionError(f"{option}: has no effect on a model behind a URL; leave it out")
    if "--device" in choice.typed and choice.device not in ("auto", "cpu"):
        _check_device(choice.device, models, None if wanted.embedder in services else wanted.embedder, bool(services))


def _check_device(device: str, models: list[str], embedder: str | None, served: bool) -> None:
    """See that something runs on a device."""
    if not models and embedder is None:
        raise OptionError(f"--device {device}: no model of this command runs in this process; leave it out")
    opened = [*models, *([f"the embedder {embedder}"] if embedder else [])]
    fixed = [*ON_CPU, *(f"the embedder {name}" for name in EMBEDDERS_ON_CPU)]
    if all(name in fixed for name in opened):
        verb = "runs" if len(opened) == 1 else "run"
        why = f"{' and '.join(opened)} always {verb} on the CPU"
        if served and not models:
            raise OptionError(f"--device {device}: the model is behind a URL, and {why}; leave it out")
        raise OptionError(f"--device {device}: {why}; leave it out, or name another model with -m")
