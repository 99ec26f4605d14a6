"""Whether an output that is there is all that is wanted: what its journal tells of it, compared with what is asked now.

Nothing is believed but an end of a run in the journal that fits the bytes of the file, and whose parts are those of
now. A run that has begun to make the file anew, and did not end, goes on; so does one of which the journal tells less.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

from vsgen.errors import OptionError
from vsgen.files.destinations import is_written_through
from vsgen.files.ends import Begin, End, Told, told
from vsgen.files.origin import NUM, Origin

OUTPUT: Final = "output"
REJECTS: Final = "rejects"
"""What has digests in a journal's last line."""
_ANEW: Final = "--overwrite makes it again and reuses the replies in its journal"
_BLOCK: Final = 1 << 20


class Done(NamedTuple):
    """An output that is complete."""

    rows: int
    passed: bool
    """The verdict of the run that made it was not bad."""
    summary: Mapping[str, object]
    """Its counts."""


class Content(NamedTuple):
    """What a file of lines holds."""

    rows: int
    digest: str

    @classmethod
    def of(cls, path: Path) -> Content:
        """Read a file.

        Raises:
            OSError: It cannot be read.
        """
        rows, digest = 0, blake2b(digest_size=8)
        with path.open("rb", buffering=0) as file:
            while block := file.read(_BLOCK):
                rows += block.count(b"\n")
                digest.update(block)
        return cls(rows, digest.hexdigest())


def done(output: Path | None, rejects: Path | None, journal: Path, origin: Origin) -> Done | None:
    """The output, if it is there and complete; None if there is something to do, for which it may be replaced.

    Args:
        output: The file; None is none.
        rejects: Where rows that are not kept are wanted.
        journal: The journal of the run that made it.
        origin: What it is to be made from.

    Raises:
        OptionError: It was made from something else, or from what is unknown, and must not be replaced.
        OSError: A file cannot be read.
    """
    if output is None or not output.is_file():
        _check_left(output, rejects, journal)
        return None
    if not journal.exists():
        remedy = "name its journal with --journal if that has moved; --overwrite makes it again, with new calls"
        raise OptionError(f"{output}: exists, but {journal} does not, so it is unknown what it was made from; {remedy}")
    if next(told(journal), None) is None:
        return None
    here, changes = Content.of(output), list[str]()
    for one in _about(told(journal), name_of(output, journal), OUTPUT, here.digest):
        if isinstance(one, End):
            return _compared(one, here, output, rejects, origin)
        if not (others := origin.since(one.parts, complete=False).changes):
            return None
        changes = changes or others
    if changes:
        raise _otherwise(output, changes)
    raise OptionError(f"{output}: is not what its journal recorded, so it was changed since; {_ANEW}")


def interrupted_otherwise(output: Path, journal: Path, origin: Origin) -> str | None:
    """What to say where a run that was interrupted made the output from something else; None where it did not.

    Raises:
        OSError: The journal cannot be read.
    """
    last = next(told(journal), None) if journal.exists() else None
    if not isinstance(last, Begin) or last.output != name_of(output, journal):
        return None
    if not (changes := origin.since(last.parts, complete=False).changes):
        return None
    return (
        f"{output}: since it was interrupted, {', '.join(changes)}; all rows are made again, from the journal's replies"
    )


def name_of(output: Path, journal: Path) -> str:
    """What a journal calls an output: its path seen from the journal's folder; not every name is text."""
    return os.fsencode(os.path.relpath(output.resolve(), journal.resolve().parent)).decode(errors="backslashreplace")


def _about(words: Iterator[Told], name: str | None, what: str, digest: str) -> Iterator[Told]:
    """What speaks for a file, the last word first: runs that began its output and did not end, ends that fit it."""
    ended = False
    for one in words:
        if isinstance(one, End):
            ended = True
            if one.made is None or one.made.get(what) == digest:
                yield one
        else:
            if not ended and one.output == name:
                yield one
            ended = False


def _compared(ended: End, here: Content, output: Path, rejects: Path | None, origin: Origin) -> Done | None:
    if ended.parts is None:
        raise OptionError(f"{output}: an older vsgen made it, and did not record from what; {_ANEW}")
    since = origin.since(ended.parts, complete=ended.complete)
    if since.changes:
        raise _otherwise(output, since.changes)
    known = rejects is None or _known(rejects, ended)
    wanted = origin.parts.get(NUM)
    short = not ended.complete or (isinstance(wanted, int) and here.rows < wanted)
    if short or since.grown or origin.replayed or not known or ended.summary is None:
        return None
    return Done(here.rows, ended.passed, ended.summary)


def _known(rejects: Path, ended: End) -> bool:
    """Whether the rejects of the same run are there; what went through a pipe or a device is nobody's to give again.

    Raises:
        OptionError: There is a file that the run did not write.
    """
    if is_written_through(rejects):
        return True
    if not rejects.is_file():
        return False
    if ended.made is None or ended.made.get(REJECTS) == Content.of(rejects).digest:
        return True
    raise _foreign(rejects)


def _check_left(output: Path | None, rejects: Path | None, journal: Path) -> None:
    """See that rejects without their output are those of a run that was stopped before the output appeared.

    Raises:
        OptionError: There is a file that no such run wrote.
    """
    if rejects is None or is_written_through(rejects) or not rejects.is_file():
        return
    words = told(journal) if journal.exists() else iter(())
    name = None if output is None else name_of(output, journal)
    if next(_about(words, name, REJECTS, Content.of(rejects).digest), None) is None:
        raise _foreign(rejects)


def _foreign(rejects: Path) -> OptionError:
    remedy = "name another file, or pass --overwrite"
    return OptionError(f"{rejects}: exists, but is not what the run wrote; {remedy}")


def _otherwise(output: Path, changes: list[str]) -> OptionError:
    return OptionError(f"{output}: was made differently: {', '.join(changes)}; {_ANEW}")
