"""Opens a language model by name; the one place that knows which backends there are."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from vsgen.backends.here import SHIPPED
from vsgen.backends.identity import revision
from vsgen.backends.model_name import check_model_name
from vsgen.backends.reach import check_reachable
from vsgen.extras import require
from vsgen.ports import LanguageModel

TINY: Final = "tiny"
"""The embedded model, which is asked where nobody says otherwise."""
ON_CPU: Final = SHIPPED
"""Models that compute on the CPU whatever device is asked for."""

_OF_TINY = ("numpy", "tokenizers")
"""What the embedded model is computed with."""
_OF_OTHERS = ("torch", "transformers")


def open_model(
    name: str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    batch: int | None = None,
    remote_code: bool = False,
    pickled: bool = False,
    local: bool = False,
) -> LanguageModel:
    """Open a model.

    Args:
        name: ``tiny``, the embedded model; else a folder, a GGUF file or a Hugging Face id, read by transformers.
        device: auto, cpu, cuda or mps.
        dtype: auto, float32, bfloat16, float16 or float64. The embedded model always computes in float64 on the CPU, so
            that its replies do not depend on the batch.
        batch: Replies decoded side by side; None leaves it to the backend.
        remote_code: Run Python code that comes with the model.
        pickled: Read weights that are not safetensors.
        local: Take what is on this machine alone; the network is not asked.

    Raises:
        ModelError: There is no such model, or it cannot be used.
        OptionError: What computes it is not installed.
    """
    match name:
        case "tiny":
            from vsgen.backends.numeric.model import open_embedded
            from vsgen.tiny import WEIGHTS

            return open_embedded(WEIGHTS, name=TINY, batch=batch)
        case _:
            check_model_name(name)
            require("models", *_OF_OTHERS, where=f"model {name}", use="a model in this process")
            if not local:
                check_reachable(name)
            from vsgen.backends.hf.load import Trust
            from vsgen.backends.hf.model import open_hf

            trust = Trust(remote_code=remote_code, pickled=pickled, local=local)
            return open_hf(name, device=device, dtype=dtype, batch=batch, trust=trust)


def content(name: str) -> str | None:
    """What changes when the files of a model do, wherever they lie; None where they are not on this machine."""
    from vsgen.tiny import WEIGHTS

    files = revision(str(WEIGHTS) if name == TINY else name)
    return None if files is None else files.rpartition("@")[2]


def stamp(name: str, **how: object) -> str | None:
    """What changes when a model, opened this way, might say something else of itself; takes milliseconds.

    It hangs on the files, on how they are opened, on the versions of the libraries, and on the machine, whose devices
    decide what `auto` is.

    Args:
        name: As for `open_model`.
        how: As for `open_model`.

    Returns:
        Digits; None where the model's files, or the libraries that compute it, are not on this machine.
    """
    from vsgen.tiny import WEIGHTS

    files = revision(str(WEIGHTS) if name == TINY else name)
    if files is None:
        return None
    try:
        versions = [version(one) for one in ("vsgen", *(_OF_TINY if name == TINY else _OF_OTHERS))]
    except PackageNotFoundError:
        return None
    known = [name, files, how, versions, platform.node()]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]
