"""While a model opens in a thread of its own, only that thread is kept off standard error."""

from __future__ import annotations

import sys
from threading import Thread

import pytest

from vsgen.backends.hf.quiet import quietly


def to_stderr(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def test_only_the_opening_thread_is_kept_off_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with quietly():
        to_stderr("a bar")
        other = Thread(target=to_stderr, args=["a warning to the user"])
        other.start()
        other.join()
        assert sys.stderr.isatty() is False
    to_stderr("after")
    assert capfd.readouterr().err == "a warning to the user\nafter\n"


def test_a_closed_stderr_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with quietly():
        to_stderr("a bar")
    assert sys.stderr is None
