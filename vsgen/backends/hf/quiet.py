"""Keeps what libraries print while they load off standard error, and nothing else.

A model may be opened in a thread of its own while the main thread speaks to the user: only the opening thread's lines
are dropped.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from threading import RLock, get_ident
from typing import Any

import transformers
from huggingface_hub import constants
from huggingface_hub.utils.logging import set_verbosity_error
from huggingface_hub.utils.tqdm import disable_progress_bars

_HF: Any = transformers
LOADING = RLock()
"""Held by whoever opens a model: the libraries build it through globals of the process, of torch too, and what they are
kept from printing is put back as it was found."""


@contextmanager
def quietly() -> Iterator[None]:
    """Drop the libraries' warnings and progress bars; unpacking a GGUF file draws one that no setting stops."""
    _HF.utils.logging.set_verbosity_error()
    _HF.utils.logging.disable_progress_bar()
    disable_progress_bars()
    set_verbosity_error()  # type: ignore[no-untyped-call]
    with (
        LOADING,
        warnings.catch_warnings(),
        redirect_stderr(_WithoutThisThread(sys.stderr)),
    ):  # GGUF draws a bar of its own
        warnings.simplefilter("ignore")
        yield


@contextmanager
def offline(*, wanted: bool = True) -> Iterator[None]:
    """Let the hub's client ask no network, whatever a library makes of what it reads in a folder.

    Some ask for the base of a model or for its weights where they were told to take local files only.
    """
    with LOADING:
        before = constants.HF_HUB_OFFLINE
        constants.HF_HUB_OFFLINE = before or wanted
        try:
            yield
        finally:
            constants.HF_HUB_OFFLINE = before


class _WithoutThisThread:
    """A stream, but for what the thread that made this writes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._thread = get_ident()

    def write(self, text: str) -> int:
        if self._stream is not None and get_ident() != self._thread:
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        if self._stream is not None:
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
