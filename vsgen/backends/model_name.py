"""What is wrong with a name that no language model can have, so that no network is asked about it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from vsgen.backends.gguf_file import SUFFIX, check_whole, is_gguf
from vsgen.backends.here import SHIPPED, model_is_here
from vsgen.backends.provider_name import provider_options
from vsgen.errors import ModelError

_ID: Final = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
"""A Hugging Face id, with its owner. The few without one, such as gpt2, have one as well by now."""
_HUB: Final = re.compile(r"https?://(?:huggingface\.co|hf\.co)/([\w.-]+/[\w.-]+)(?:[/?#].*)?", re.ASCII)
_LIKE: Final = 0.75
"""From which share of equal characters on a name is taken for a slip of the pen."""
_LONGEST: Final = 20
_REMEDY: Final = "give a folder, a GGUF file or a Hugging Face id, OWNER/NAME"


def check_model_name(name: str) -> None:
    """See that a language model may have this name: it is here, or it is a Hugging Face id; a file is whole.

    Raises:
        ModelError: It is neither, or a file that cannot be a model; says why, and what to give.
    """
    if problem := name_problem(name):
        raise ModelError(f"{name}: {problem}")
    if Path(name).is_file():
        _check_file(name)


def name_problem(name: str) -> str | None:
    """Why no language model can have this name, and what to give; None where one may have it."""
    if model_is_here(name) or (_ID.fullmatch(name) and provider_options(name) is None):
        return None
    return f"cannot be opened: {_why(name)}"


def _check_file(name: str) -> None:
    """See that a file is a whole GGUF file, before any library reads it."""
    if not is_gguf(name):
        raise ModelError(f"{name}: is not a GGUF file (NAME{SUFFIX}) or a model folder; {_REMEDY}")
    check_whole(Path(name))


def _why(name: str) -> str:
    if page := _HUB.fullmatch(name):
        return f"a model is named by its id; give {page[1]}"
    if "://" in name:
        return "an address; give it with --endpoint URL, and with -m the model's name on that server"
    if options := provider_options(name):
        return f"it is behind a URL; give {options}"
    if "/" in name or name.lower().endswith(".gguf"):
        return f"no such folder or file; {_REMEDY}"
    if close := get_close_matches(name[:_LONGEST].lower(), SHIPPED, 1, _LIKE):
        return f"no model has this name; did you mean {close[0]!r}?"
    return (
        "no folder or file has this name, and a Hugging Face id has an owner; "
        f"{_REMEDY}; a model behind a URL needs --endpoint URL"
    )
