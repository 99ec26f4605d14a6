"""``python -m vsgen``, and the ``vsgen`` script."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` without its names, which take a millisecond to make
import gc
import sys
import time

TYPE_CHECKING = False  # see vsgen/signals.py
if TYPE_CHECKING:
    from collections.abc import Sequence


COLLECT = (10_000, 10, 10)
"""Thresholds of `gc`: a run makes many objects and hardly any cycles, and Python's own cost a sixth of its time."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with its exit status. `args` default to the process's own."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:  # which would print where it strikes
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    from vsgen import signals

    gc.set_threshold(*COLLECT)
    signals.heed()
    words = sys.argv[1:] if args is None else args
    with signals.last_words(lambda: _last_words(words, signals.heard())):
        from vsgen.cli.app import app  # takes a twentieth of a second, in which a signal may come

        try:
            app(args, prog_name="vsgen")
        finally:
            signals.leave()


def _last_words(words: Sequence[str], status: int) -> str:
    """What a signal leaves on standard error before a command runs; `vsgen.cli.console` has them from then on."""
    if "--log-json" not in words:
        return "vsgen: interrupted"
    when = time.strftime('"time": "%Y-%m-%dT%H:%M:%S+00:00", "seconds": 0.0', time.gmtime())  # nothing is imported here
    ends = (("interrupted", '"text": "interrupted", '), ("end", ""))
    return "\n".join(f'{{"event": "{event}", {when}, {text}"status": {status}}}' for event, text in ends)


if __name__ == "__main__":
    main()
