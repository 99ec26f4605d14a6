"""Opens the tokenizer of a model without its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vsgen.backends.model_name import check_model_name
from vsgen.backends.reach import check_reachable
from vsgen.extras import require

if TYPE_CHECKING:
    from vsgen.backends.chat.spell import Speller


def open_tokenizer(source: str, *, remote_code: bool = False, local: bool = False) -> Speller:
    """Open a tokenizer.

    Args:
        source: ``tiny``, the embedded model's; else a folder, a GGUF file or a Hugging Face id.
        remote_code: Run Python code that comes with it.
        local: Take what is on this machine alone; the network is not asked.

    Raises:
        ModelError: There is none, or no token of it ends a reply.
        OptionError: What reads it is not installed.
    """
    check_model_name(source)
    if source == "tiny":
        from vsgen.backends.numeric.spelled import open_embedded_speller
        from vsgen.tiny import WEIGHTS

        return open_embedded_speller(WEIGHTS, name=source)
    require("models", "torch", "transformers", where=f"model {source}", use="its tokenizer")
    if not local:
        check_reachable(source)
    from vsgen.backends.hf.spelled import open_speller

    return open_speller(source, remote_code=remote_code, local=local)
