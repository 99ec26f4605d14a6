"""The bytes of downloads that are under way in this process; imports nothing heavy.

huggingface_hub reports them to a class like tqdm's, of which it makes an object for each file, or two for a group of
files (one counts what came over the network, the other what lies on the disk). `counted` makes such a class that draws
nothing; `transfer` says from any thread what its objects know.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final, NamedTuple


class Transfer(NamedTuple):
    """A download."""

    done: int
    """Bytes that are here."""
    size: int | None
    """Bytes in all, as far as that is known."""


_CHUNK: Final = 1 << 20
"""Bytes after which the hub's client reports; its own 10 MB take a slow line a minute."""
_UNDER_WAY: Final[list[list[Any]]] = []
"""The bars of each download, those of files that are done among them."""


def transfer() -> Transfer | None:
    """The download that is under way; None where nothing is fetched.

    Of its bars the largest counts: the others are of small files, or count the same in another way. One that is full
    is over, though what was fetched is loaded within the same call of a library.
    """
    bars = [bar for download in [*_UNDER_WAY] for bar in [*download] if not bar.disable]  # as closed ones are
    known = [Transfer(int(bar.n), int(bar.total) if bar.total else None) for bar in bars]
    known = [one for one in known if one.size is None or one.done < one.size]
    return max(known, key=lambda one: (one.size or 0, one.done), default=None)


@contextmanager
def counted() -> Iterator[Any]:
    """Within it a download is counted that is given this class as its ``tqdm_class``."""
    tqdm: Any = import_module("tqdm").tqdm
    constants: Any = import_module("huggingface_hub.constants")
    bars: list[Any] = []

    class Bar(tqdm):  # type: ignore[misc]
        monitor_interval = 0

        def __init__(self, *words: Any, **options: Any) -> None:
            options.pop("name", None)  # the hub's own bars have one
            super().__init__(*words, **{**options, "file": _Nowhere(), "disable": False})
            if self.unit == "B":
                bars.append(self)

        def display(self, *_: object, **__: object) -> None:
            """Nothing is drawn."""

    _UNDER_WAY.append(bars)
    chunk, constants.DOWNLOAD_CHUNK_SIZE = constants.DOWNLOAD_CHUNK_SIZE, _CHUNK
    try:
        yield Bar
    finally:
        constants.DOWNLOAD_CHUNK_SIZE = chunk
        _UNDER_WAY[:] = [each for each in _UNDER_WAY if each is not bars]


class _Nowhere:
    def write(self, _: str) -> None: ...

    def flush(self) -> None: ...
