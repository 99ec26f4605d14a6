"""Where a command reads and writes: that the files go together, and whether there is anything left to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vsgen.errors import OptionError
from vsgen.files.ends import NUM, End, changed, last_end
from vsgen.files.journal import FileJournal, MemoryJournal
from vsgen.files.records import FileLines, NoLines, PipeLines, count_lines, part_of, write_line
from vsgen.files.rows import RowInput, Seen
from vsgen.files.vectors import vectors_path
from vsgen.ports import Journal

SEEN = "input's content"
"""The part that says what was read of the input."""


class Done(NamedTuple):
    """An output that is complete."""

    rows: int
    passed: bool = True
    """The verdict of the run that made it was not bad, as far as the journal says."""
    summary: Mapping[str, object] | None = None
    """Its counts, as far as the journal says."""


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one command."""

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

    @property
    def journal_path(self) -> Path | None:
        """Where the calls lie."""
        if not self.journaled:
            return None
        return self.journal or (self.output and self.output.with_name(self.output.name + ".journal"))

    def done(self, parts: Mapping[str, object], rows: RowInput | None = None) -> Done | None:
        """The resumed output that is complete already; None if there is something to do.

        Args:
            parts: What the output is made from, by name; see `vsgen.ports.Journal.end`. `vsgen.files.ends.NUM` among
                them is how many rows are wanted, where that is known.
            rows: The input, whose content counts too.

        Raises:
            OptionError: The files do not go together, there is an output and no flag says what to do with it, or it was
                made from something else.
        """
        try:
            self._check()
            if not self.resume or self.output is None or not self.output.exists():
                return None
            if self.rejects is not None and not self.rejects.exists():
                return None
            if part_of(self.output).exists():  # of a run that was to replace it
                return None
            ended = last_end(self.journal_path)
            count = count_lines(self.output)
        except OSError as error:
            raise OptionError(f"{error.filename}: {error.strerror}; name another file") from error
        if ended:
            self._compare(ended, parts, rows)
        wanted = parts.get(NUM)
        if (ended and not ended.complete) or (isinstance(wanted, int) and count < wanted):
            return None
        if ended is None:
            return None if self._has_journal() else Done(count)
        return Done(count, ended.passed, ended.summary)

    def _compare(self, ended: End, parts: Mapping[str, object], rows: RowInput | None) -> None:
        remedy = "--overwrite makes it anew, and asks nothing that its journal answers"
        if ended.parts is None:
            raise OptionError(f"{self.output}: an older vsgen made it, and did not say from what; {remedy}")
        compared = parts if ended.complete else {name: value for name, value in parts.items() if name != NUM}
        if rows is not None and isinstance(seen := ended.parts.get(SEEN), Mapping):
            known = Seen(**seen)
            now = rows.look(None if known.whole else known.rows)
            compared = {**compared, SEEN: (now if known.whole else now._replace(whole=False))._asdict()}
        if changes := changed(ended.parts, compared):
            raise OptionError(f"{self.output}: was made otherwise: {', '.join(changes)}; {remedy}")

    def _has_journal(self) -> bool:
        """Whether there is a journal; one without a last line is of a run that died when its output was just whole."""
        path = self.journal_path
        return path is not None and path.exists()

    def open_journal(self, open_files: ExitStack) -> Journal:
        """The journal, closed with `open_files`."""
        path = self.journal_path
        return open_files.enter_context(FileJournal(path)) if path else MemoryJournal()

    def open_output(self, open_files: ExitStack) -> FileLines | PipeLines | NoLines:
        """Where rows go, closed with `open_files`."""
        if self.output is None:
            return open_files.enter_context(PipeLines()) if self.to_stdout else NoLines()
        return open_files.enter_context(FileLines(self.output))

    def open_rejects(self, open_files: ExitStack) -> FileLines | NoLines:
        """Where rejects go, closed with `open_files`."""
        if self.rejects is None:
            return open_files.enter_context(NoLines())
        return open_files.enter_context(FileLines(self.rejects))

    def write_summary(self, summary: Mapping[str, object]) -> None:
        """Write the counts where they are wanted.

        Raises:
            OutputError: They cannot be written.
        """
        if self.summary is not None:
            write_line(self.summary, summary)

    def _check(self) -> None:
        if self.resume and (self.overwrite or not (self.output or self.journal)):
            raise OptionError("--resume needs -o FILE (or --journal FILE), and does not go with --overwrite")
        outputs = [path for path in (self.output, self.rejects) if path]
        self._check_names([*outputs, *filter(None, [self.summary])])
        if devices := [path for path in outputs if path.exists() and not path.is_file()]:
            raise OptionError(f"{devices[0]}: is not a regular file, and a whole file cannot take its place; name one")
        if not self.resume and not self.overwrite:
            for path in outputs:
                _refuse_existing(path, part=path == self.output, resumable=self.journaled)
        if self.resume and self.output and part_of(self.output).exists() and part_of(self.output).stat().st_size:
            self._require_journal()

    def _check_names(self, written: Sequence[Path]) -> None:
        if folders := [path for path in written if path.is_dir()]:
            raise OptionError(f"{folders[0]}: is a directory; name a file in it")
        used = [*written, *map(part_of, written)]
        if self.journal_path is not None:
            used += [self.journal_path, vectors_path(self.journal_path)]
        read = {Path(name).resolve() for name in self.inputs if name and Path(name).is_file()}
        places = Counter([*(path.resolve() for path in used), *read])
        if twice := [str(place) for place, count in places.items() if count > 1]:
            raise OptionError(f"{twice[0]}: is named twice; input, output and all other files must differ")

    def _require_journal(self) -> None:
        path = self.journal_path
        if path is not None and not path.exists():
            raise OptionError(f"{path}: is missing, so {self.output}.part cannot be continued; --overwrite starts anew")


def _refuse_existing(path: Path, *, part: bool, resumable: bool) -> None:
    if not resumable:
        if path.exists():
            raise OptionError(f"{path}: exists; --overwrite replaces it")
        return
    again = "--overwrite writes it anew (replies in its journal are used again, not asked again)"
    if path.exists():
        raise OptionError(f"{path}: exists; {again}, --resume leaves a complete file as it is")
    if part and part_of(path).exists():
        raise OptionError(f"{part_of(path)}: is left of an unfinished run; --resume continues it, {again}")
