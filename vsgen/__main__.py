"""``python -m vsgen``, and the ``vsgen`` script."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` without its names, which take a millisecond to make

TYPE_CHECKING = False  # see vsgen/signals.py
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with its exit status. `args` default to the process's own."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:  # which would print where it strikes
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    from vsgen import signals

    signals.heed()
    from vsgen.cli.app import app  # takes a twentieth of a second, in which a signal may come

    try:
        app(args, prog_name="vsgen")
    finally:
        signals.leave()


if __name__ == "__main__":
    main()
