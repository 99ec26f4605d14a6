"""GGUF files, as llama.cpp reads them: the weights are unpacked once, and then it is a model like any other.

Unpacked, a file of four bits a weight takes eight times its size in memory. What GGUF rounds stays rounded.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import transformers

from vsgen.backends.gguf_file import check_whole
from vsgen.backends.hf import folder
from vsgen.errors import ModelError
from vsgen.extras import require

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_HF: Any = transformers
_LIBRARIES = ("gguf", "accelerate")
_TURN_END = "tokenizer.ggml.eot_token_id"
"""Where a file names the token that ends a turn, if that is not the one that ends a text."""


def options(source: str) -> dict[str, Any]:
    """What transformers is told to read a file beside its folder, once the file has been looked at.

    Raises:
        ModelError: There is no such file, it is not GGUF, or it is cut off.
        OptionError: A library that reads it is not installed.
    """
    file = Path(source)
    if not file.is_file():
        raise ModelError(f"{source}: no such file; give a GGUF file, a model's folder or a Hugging Face id")
    check_whole(file)
    require("models", *_LIBRARIES, where=source, use="reading GGUF")
    return {"gguf_file": file.name, "local_files_only": True}


def check_counts(source: str) -> None:
    """See that a file names no more layers than its weights can have.

    Raises:
        ModelError: It names more.
    """
    from transformers.integrations.gguf.reader import read_gguf_metadata

    metadata, tensors = read_gguf_metadata(source)
    folder.check_counts(
        {name.replace("_count", ""): value for name, value in metadata.items()}, len(tensors), Path(source)
    )


def unpacking() -> Any:
    """How transformers is told to unpack all weights, even where it could compute with some packed."""
    return _HF.GgufConfig(dequantize=True)


def make_plain(model: PreTrainedModel, source: str) -> None:
    """Make an unpacked model an ordinary one, which can be saved, and whose turns end where the file says."""
    own: Any = model
    for attribute in ("hf_quantizer", "is_quantized", "quantization_method"):
        if hasattr(own, attribute):
            delattr(own, attribute)
    if hasattr(own.config, "quantization_config"):
        del own.config.quantization_config
    end, turn_end = own.config.eos_token_id, _turn_end(source)
    if turn_end is not None and turn_end != end and own.generation_config is not None:
        own.generation_config.eos_token_id = [*([end] if isinstance(end, int) else end or ()), turn_end]


def _turn_end(source: str) -> int | None:
    from transformers.integrations.gguf.reader import read_gguf_metadata

    metadata, _ = read_gguf_metadata(source)
    token = metadata.get(_TURN_END)
    return token if isinstance(token, int) else None
