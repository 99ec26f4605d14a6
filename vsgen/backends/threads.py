"""Whose turn it is to compute on the CPU: several alone, each on one thread, or one on all threads.

Torch and the libraries below it keep the number of threads for the whole process as well as for each thread, and how a
sum is parted among threads changes its last bits. So whoever computes in a thread of its own says how, and waits while
others compute in another way. That also keeps threads from standing in each other's way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

import torch

_LOOK = 0.05
"""Seconds after which a thread that waits looks up, so that it can be interrupted."""


class _Turns:
    def __init__(self) -> None:
        self._changed = Condition()
        self._alone = 0
        self._together = False
        self._every = 1

    def enter(self, *, alone: bool) -> None:
        with self._changed:
            while self._together or (self._alone and not alone):
                self._changed.wait(_LOOK)
            if not self._alone:
                self._every = torch.get_num_threads()
            self._alone += alone
            self._together = not alone
        torch.set_num_threads(1 if alone else self._every)

    def leave(self, *, alone: bool) -> None:
        with self._changed:
            self._alone -= alone
            self._together = False
            if not self._alone:
                torch.set_num_threads(self._every)
            self._changed.notify_all()


_TURNS = _Turns()


@contextmanager
def computing(*, alone: bool) -> Iterator[None]:
    """Within it this thread computes by itself (`alone`), or with as many others as torch has; it may have to wait."""
    _TURNS.enter(alone=alone)
    try:
        yield
    finally:
        _TURNS.leave(alone=alone)
