"""Whether a device that the user names means anything to what a command opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vsgen.backends.open import ON_CPU
from vsgen.backends.open_embedder import ON_CPU as EMBEDDERS_ON_CPU
from vsgen.errors import OptionError

if TYPE_CHECKING:
    from vsgen.jobs.wanted import ModelChoice


def check_device(choice: ModelChoice, models: Sequence[str], embedder: str | None) -> None:
    """See that a device named for this command is one that something runs on.

    Args:
        choice: Names the device; one that is only a default is not checked.
        models: The names of all language models that the command opens in this process.
        embedder: The embedder's name; None where it opens none in this process.

    Raises:
        OptionError: All of them run on the CPU whatever is asked for.
    """
    if not choice.device_named or choice.device in ("auto", "cpu"):
        return
    if not models and embedder is None:
        raise OptionError(f"--device {choice.device}: no model of this command runs in this process; leave it out")
    opened = [*dict.fromkeys(models), *([f"the embedder {embedder}"] if embedder else [])]
    fixed = [*ON_CPU, *(f"the embedder {name}" for name in EMBEDDERS_ON_CPU)]
    if all(name in fixed for name in opened):
        verb = "runs" if len(opened) == 1 else "run"
        remedy = "leave it out, or name another model with -m"
        raise OptionError(f"--device {choice.device}: {' and '.join(opened)} always {verb} on the CPU; {remedy}")
