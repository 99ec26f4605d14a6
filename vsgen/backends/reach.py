"""Whether the Hugging Face hub answers at all, asked once before libraries ask it for each file, with retries."""

from __future__ import annotations

from typing import Any, Final

from vsgen.backends.here import model_is_here
from vsgen.errors import ModelError

_SECONDS: Final = 10.0
_NO_WAY: Final = frozenset({"ConnectError", "ConnectTimeout", "ConnectionError"})
"""What the HTTP libraries of huggingface_hub call a connection that cannot be made."""


def check_reachable(source: str) -> None:
    """See that a model that is not on this machine can be asked for; a network that is only slow passes.

    Args:
        source: The name of a language model; one that is on this machine is not looked for.

    Raises:
        ModelError: No connection to the hub can be made, or the environment forbids it.
    """
    if model_is_here(source):
        return
    from huggingface_hub import constants, utils

    if constants.HF_HUB_OFFLINE:
        remedy = "unset it once while online, or give a folder or a GGUF file"
        raise ModelError(f"{source}: is not on this machine, and HF_HUB_OFFLINE=1 forbids the download; {remedy}")
    hub: Any = utils
    try:
        hub.get_session().head(constants.ENDPOINT, timeout=_SECONDS)
    except Exception as error:  # of the HTTP library, which huggingface_hub chooses
        if _NO_WAY.isdisjoint(kind.__name__ for kind in type(error).__mro__):
            return
        remedy = "check the network and the id, or give a folder or a GGUF file"
        raise ModelError(
            f"{source}: is not on this machine, and {constants.ENDPOINT} cannot be reached ({error}); {remedy}"
        ) from error
