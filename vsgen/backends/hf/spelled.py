"""Opens a tokenizer alone: a folder's, a GGUF file's or a hub id's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers

from vsgen.backends.chat.spell import Speller
from vsgen.backends.gguf_file import check_whole, is_gguf
from vsgen.backends.hf import gguf
from vsgen.backends.hf.folder import check_config
from vsgen.backends.hf.load import kept
from vsgen.backends.hf.quiet import offline, quietly
from vsgen.backends.hf.tokenizer import HfTokenizer
from vsgen.errors import ModelError

_HF: Any = transformers


def open_speller(source: str, *, remote_code: bool = False, local: bool = False) -> Speller:
    """Open a folder or a GGUF file, offline, or a hub id; with `local` from the cache alone.

    Raises:
        ModelError: There is no tokenizer there, or it cannot be used.
    """
    folder, origin = Path(source), source
    packed = is_gguf(source)
    at_hand = packed or folder.is_dir()
    options: dict[str, Any] = {"trust_remote_code": remote_code, "local_files_only": local or at_hand}
    if packed:
        options, origin = gguf.options(source), str(folder.parent)
    elif local and not at_hand:
        origin, _ = kept(source)
    if folder.is_dir():
        check_config(folder)
    try:
        with quietly(), offline(wanted=options["local_files_only"]):
            tokenizer = _HF.AutoTokenizer.from_pretrained(origin, **options)
    except Exception as error:  # transformers raises anything on files that are missing or broken
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        remedy = "check the files" if at_hand else "check the id and the network, or give a folder"
        raise ModelError(f"{source}: cannot be opened as a tokenizer: {reason} ({remedy})") from error
    own = folder.stem if packed else folder.resolve().name if at_hand else source
    count = partial(_count_packed, folder) if packed else partial(_count, origin, options)
    return Speller(HfTokenizer(tokenizer), own, count)


def _count_packed(file: Path) -> int:
    """Parameters in a GGUF file, as its header lists them."""
    return check_whole(file).parameters


def _count(origin: str, options: Mapping[str, Any]) -> int:
    """Parameters of the model that a configuration describes; no weights are read."""
    try:
        with quietly(), offline(wanted=options["local_files_only"]), torch.device("meta"):
            config = _HF.AutoConfig.from_pretrained(origin, **options)
            return sum(weights.numel() for weights in _HF.AutoModelForCausalLM.from_config(config).parameters())
    except Exception as error:  # as above
        raise ModelError(f"{origin}: its configuration cannot be read: {error}") from error
