"""``python -m vsgen``, and the ``vsgen`` script."""

from __future__ import annotations

from vsgen import signals

TYPE_CHECKING = False  # see vsgen/signals.py
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with its exit status. `args` default to the process's own."""
    signals.heed()
    from vsgen.cli.app import app  # takes a tenth of a second, in which a signal may come

    try:
        app(args, prog_name="vsgen")
    finally:
        signals.leave()


if __name__ == "__main__":
    main()
