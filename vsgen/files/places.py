"""Where a command reads and writes: that the files go together, and whether there is anything left to do."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from vsgen.errors import BusyError, FullError, OptionError, OutputError
from vsgen.files.complete import Content, Done, done, interrupted_otherwise, name_of
from vsgen.files.destinations import destination, is_written_through
from vsgen.files.disk import refuse_held
from vsgen.files.journal import FileJournal, MemoryJournal
from vsgen.files.lines import Lines, NoLines, PipeLines, no_place, open_lines, write_line
from vsgen.files.origin import Origin
from vsgen.files.part import part_of
from vsgen.files.vectors import vectors_path
from vsgen.ports import Journal

Found: TypeAlias = os.stat_result | None
"""A file as it was when it was looked at; None where there was none."""


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one command.

    Symbolic links are followed when it is made: all that belongs to an output lies beside the file that its name leads
    to.

    Raises:
        OptionError: A name leads to what cannot be written.
    """

    output: Path | None = None
    """None is standard output."""
    rejects: Path | None = None
    journal: Path | None = None
    """None is beside the output, or in memory."""
    resume: bool = False
    overwrite: bool = False
    inputs: Sequence[str] = ()
    """Names of what is read, which nothing may overwrite; those that are no files do not matter."""
    summary: Path | None = None
    """Where the counts go when all is done, for machines; see docs/summary.md. A file that exists is replaced."""
    journaled: bool = True
    """Calls are kept; without it nothing can be resumed, and what an interrupted command left is simply replaced."""
    to_stdout: bool = True
    """Rows without an output go to standard output; without it nowhere."""

    def __post_init__(self) -> None:
        """Follow the links."""
        for name in ("output", "rejects", "summary"):
            if (path := getattr(self, name)) is not None:
                object.__setattr__(self, name, destination(path))

    @property
    def file(self) -> Path | None:
        """The file that rows go to; None where they go through a pipe or a device, and leave nothing to go on with."""
        return None if self.output is None or is_written_through(self.output) else self.output

    @property
    def journal_path(self) -> Path | None:
        """Where the calls lie."""
        if not self.journaled:
            return None
        return self.journal or (self.file and self.file.with_name(self.file.name + ".journal"))

    def found(self) -> Found:
        """The file that rows go to, as it is now.

        Raises:
            OptionError: It cannot be looked at.
        """
        try:
            return self.file.stat() if self.file is not None and self.file.exists() else None
        except OSError as error:
            raise OptionError(f"{error.filename}: {error.strerror}; name another file") from error

    def done(self, origin: Origin) -> Done | None:
        """The resumed output that is complete already; None if there is something to do.

        Args:
            origin: What the output is to be made from.

        Raises:
            OptionError: The files do not go together, there is an output and no flag says what to do with it, or it was
                made from something else.
        """
        try:
            self._check()
            if not self.resume or self.journal_path is None:
                return None
            return done(self.file, self.rejects, self.journal_path, origin)
        except OSError as error:
            raise OptionError(f"{error.filename}: {error.strerror}; name another file") from error

    def changed(self, origin: Origin) -> str | None:
        """What to say where the interrupted run that is resumed was made from something else.

        Raises:
            OptionError: Its journal cannot be read.
        """
        if not self.resume or self.file is None or self.journal_path is None:
            return None
        try:
            return interrupted_otherwise(self.file, self.journal_path, origin)
        except OSError as error:
            raise OptionError(f"{error.filename}: {error.strerror}; name another file") from error

    def shrinks(self, rows: int) -> str | None:
        """What to say where --overwrite puts fewer rows into the place of FILE than it has.

        Args:
            rows: That will be there.
        """
        if not (self.overwrite and self.file and self.journal_path and self.file.is_file()):
            return None
        try:
            before = Content.of(self.file).rows
        except OSError:  # it is replaced all the same
            return None
        if before <= rows:
            return None
        again = "the template and flags of then, with --overwrite, make them again from the replies in the journal"
        return f"{self.file}: had {before:,} rows before and has {rows:,} now; {again}"

    def begin(self, journal: Journal, parts: Mapping[str, object]) -> None:
        """Let the journal say that the output is made from now on; see `vsgen.ports.Journal.begin`."""
        path = self.journal_path
        journal.begin(parts, name_of(self.file, path) if self.file and path else None)

    def open_journal(self, open_files: ExitStack, warn: Callable[[str], None]) -> Journal:
        """The journal, closed with `open_files`.

        Args:
            open_files: Closes it.
            warn: Gets how much of an earlier run is used again, where no flag asks for that.
        """
        path = self.journal_path
        if path is None:
            return MemoryJournal()
        with _named_by("--journal" if self.journal else "-o"):
            journal = open_files.enter_context(FileJournal(path))
        if len(journal) and not (self.resume or self.overwrite):
            warn(f"{path}: has the replies of {len(journal):,} calls of an earlier run; none of them is made again")
        return journal

    def open_outputs(self, open_files: ExitStack, found: Found, warn: Callable[[str], None]) -> tuple[Lines, Lines]:
        """Where rows and rejects go, closed with `open_files`; held, but not yet emptied.

        Args:
            open_files: Closes them.
            found: The output, as it was when it was decided what to do.
            warn: Gets what a pipe waits for.

        Raises:
            OutputError: One cannot be written, or another run holds it, or has just made it.
        """
        rejects = open_files.enter_context(self._open_rejects(warn))
        lines = open_files.enter_context(self._open_output(warn))
        if not _same(found, self.found()):
            raise OutputError(f"{self.output}: another run has just written it; run the same command again")
        return lines, rejects

    def _open_rejects(self, warn: Callable[[str], None]) -> Lines:
        if self.rejects is None:
            return NoLines()
        with _named_by("--rejects"):
            return open_lines(self.rejects, warn, quiet=self.file is None, keep=self.journal_path is not None)

    def _open_output(self, warn: Callable[[str], None]) -> Lines:
        if self.output is not None:
            return open_lines(self.output, warn, quiet=True, keep=self.journaled)
        return PipeLines() if self.to_stdout else NoLines()

    def write_summary(self, summary: Mapping[str, object], warn: Callable[[str], None]) -> None:
        """Write the counts where they are wanted.

        Raises:
            OutputError: They cannot be written.
        """
        if self.summary is None:
            return
        try:
            with _named_by("--summary"):
                write_line(self.summary, summary, warn)
        except FullError as error:
            if self.file is None:
                raise
            flag = "--resume" if self.journaled else "--overwrite"
            how = "again" if self.resume or self.overwrite else f"with {flag}"
            raise FullError(f"{error.problem}; {self.file} is complete, only its summary is missing", how) from error

    def _check(self) -> None:
        self._check_flags()
        written = [path for path in (self.output, self.rejects, self.summary) if path]
        self._check_names(written)
        for path in filter(None, (*written, self.journal)):
            _check_place(path)
        if not self.resume and not self.overwrite:
            self._refuse_overwriting()
        if not self.journaled and self.file:
            refuse_unfinished(self.file)
        if self.resume and self.file and part_of(self.file).exists():
            refuse_held(part_of(self.file))
            if part_of(self.file).stat().st_size:
                self._require_journal()

    def _check_flags(self) -> None:
        if self.resume and self.overwrite:
            raise OptionError("--resume cannot be combined with --overwrite; leave one of them out")
        if self.resume and not (self.file or self.journal):
            raise OptionError("--resume needs -o FILE (or --journal FILE)")
        if self.overwrite and not (self.output or self.rejects or self.journal):
            raise OptionError("--overwrite needs -o FILE; in make, write -o $@")

    def _refuse_overwriting(self) -> None:
        for path in filter(None, (self.output, self.rejects)):
            if not is_written_through(path):
                _refuse_existing(path, self.journal_path, part=path == self.output)

    def _check_names(self, written: Sequence[Path]) -> None:
        if folders := [path for path in (*written, self.journal) if path is not None and path.is_dir()]:
            raise OptionError(f"{folders[0]}: is a directory; name a file in it")
        through = {path for path in written if is_written_through(path)}
        files = [path for path in written if path not in through]
        used = [*files, *map(part_of, files), *(path for path in through if not path.is_char_device())]
        if self.journal_path is not None:
            used += [self.journal_path, vectors_path(self.journal_path)]
        read = {Path(name).resolve() for name in self.inputs if name and Path(name).is_file()}
        places = Counter([*(path.resolve() for path in used), *read])
        if twice := [str(place) for place, count in places.items() if count > 1]:
            raise OptionError(f"{twice[0]}: is named twice; input, output and all other files must differ")

    def _require_journal(self) -> None:
        path = self.journal_path
        if path is not None and not path.exists():
            raise OptionError(f"{path}: is missing, so {self.file}.part cannot be continued; --overwrite starts over")


def _check_place(path: Path) -> None:
    if not is_written_through(path) and (problem := no_place(path)):
        raise OutputError(problem)


def refuse_unfinished(path: Path) -> None:
    """See that a command without a journal takes no part from a run that has one.

    Raises:
        OptionError: The run was interrupted, and can go on.
        OutputError: The run is under way.
    """
    part, journal = part_of(path), path.with_name(f"{path.name}.journal")
    if part.exists():
        refuse_held(part)
        if journal.exists():
            remedy = "choose another -o, or let --resume finish it first"
            raise OptionError(f"{part}: is left from an unfinished run, whose replies are in {journal}; {remedy}")


@contextmanager
def _named_by(option: str) -> Iterator[None]:
    """Within it, what another run holds is named by this option."""
    try:
        yield
    except BusyError as error:
        raise BusyError(error.problem, option) from error


def _refuse_existing(path: Path, journal: Path | None, *, part: bool) -> None:
    if journal is None:
        if path.exists():
            raise OptionError(f"{path}: exists; --overwrite replaces it")
        return
    if path.exists() and not journal.exists():
        remedy = "choose another name, or --overwrite replaces it (everything is requested)"
        raise OptionError(f"{path}: exists, and vsgen has no journal of it; {remedy}")
    again = "--overwrite writes it again (replies in its journal are reused)"
    if path.exists():
        raise OptionError(f"{path}: exists; {again}, --resume leaves a complete file as it is")
    if part and part_of(path).exists():
        refuse_held(part_of(path))
        if part_of(path).stat().st_size:  # an empty one is of a run that was stopped before its first row
            raise OptionError(f"{part_of(path)}: is left from an unfinished run; --resume continues it, {again}")


def _same(one: Found, other: Found) -> bool:
    """Whether nothing has come, or changed, in the meantime."""
    if one is None or other is None:
        return one is other
    return os.path.samestat(one, other) and (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)
