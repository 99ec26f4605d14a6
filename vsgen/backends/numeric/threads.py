"""One thread for numpy's products: a small model's are over before a second thread has begun.

BLAS keeps the number of threads for the whole process, so it is limited while somebody computes here, and put back when
the last one has done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController


class _Alone:
    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._limits: Any = None

    def enter(self) -> None:
        with self._lock:
            if not self._inside:
                self._limits = _blas().limit(limits=1)
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limits.restore_original_limits()


_ALONE = _Alone()


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it numpy multiplies on one thread, in the whole process."""
    _ALONE.enter()
    try:
        yield
    finally:
        _ALONE.leave()


@lru_cache(maxsize=1)
def _blas() -> Any:
    """Numpy's own library."""
    return ThreadpoolController().select(user_api="blas")
