"""Batch files of one command: requests on their way into them, a file for each model and route, within its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from vsgen.backends.endpoint.batch.forms import Form, form_of, url_of
from vsgen.backends.endpoint.batch.rounds import Waits
from vsgen.backends.endpoint.settings import Target
from vsgen.files.lines import writing
from vsgen.files.numbered import Numbered
from vsgen.files.part import Part

_BLOCK = 1 << 20
"""Bytes that are written at once."""


class Written(NamedTuple):
    """One file."""

    path: Path
    requests: int
    model: str
    """As the server names it, and where."""
    url: str
    """Their route."""


@dataclass(slots=True)
class _File:
    part: Part
    model: str
    url: str
    form: Form
    requests: int = 0
    size: int = 0
    waiting: list[bytes] = field(default_factory=list)
    held: int = 0
    """Bytes of those waiting."""

    def takes(self, entry: bytes) -> bool:
        """Whether it has room for one more request."""
        most = self.form.size - len(self.form.between) - len(self.form.end)
        return self.requests < self.form.requests and self.size + len(entry) <= most

    def add(self, data: bytes) -> None:
        self.size += len(data)
        self.waiting.append(data)
        self.held += len(data)
        if self.held >= _BLOCK:
            self.write()

    def write(self) -> None:
        data, self.waiting, self.held = b"".join(self.waiting), [], 0
        with writing(self.part.path):
            self.part.write(data)


class Outbox:
    """Requests that are written; see `vsgen.backends.endpoint.batch.executor.Outbox`."""

    def __init__(self, files: Numbered) -> None:
        """Set up.

        Args:
            files: Where they go.
        """
        self._files = files
        self._open: dict[tuple[str, str], _File] = {}
        self._all: list[_File] = []

    def add(self, target: Target, waits: Waits) -> None:
        """Write a request to the file of its model and route, or to the next one where that is full.

        Raises:
            OutputError: It cannot be written.
        """
        group = (target.name, url_of(waits.request))
        form = form_of(target.wire.name)
        entry = form.entry(waits.name, waits.request)
        file = self._open.get(group)
        if file is None or not file.takes(entry):
            file = self._open[group] = _File(self._files.begin(), *group, form)
            self._all.append(file)
        file.add((form.between if file.requests else form.start) + entry)
        file.requests += 1

    def place(self) -> Sequence[Written]:
        """Let the files appear.

        Raises:
            OutputError: One cannot be written.
        """
        for file in self._all:
            file.add(file.form.end)
            file.write()
        paths = self._files.place()
        return [Written(path, file.requests, file.model, file.url) for path, file in zip(paths, self._all, strict=True)]
