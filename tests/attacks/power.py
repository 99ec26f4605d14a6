"""What a power cut leaves of a run: recorded once, cut anywhere.

A shim (``recorder.c``, by LD_PRELOAD) records what a run asks of the file system. From the record follows what the disk
holds at any moment: what was synced, for certain; of the rest whatever a file system may have written, in any order. A
sync covers what came before it began, and only once it has ended. A file's sync says nothing of its name, which is the
folder's.

A cut has a *mercy*, which is what survives of all that was not synced:

- ``nothing``
- ``names``: files have their names and lengths, and zeros where nothing was synced
- ``prefix``: what came before some moment
- ``pages``: each page of 4096 bytes, each length, each name by a throw of a coin
- ``all``, as after a kill
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

Mercy: TypeAlias = Literal["nothing", "names", "prefix", "pages", "all"]
MERCIES: Final[tuple[Mercy, ...]] = get_args(Mercy)

_HEAD = struct.Struct("<cdQQI")
_PAGE = 4096
_MADE, _EMPTIED = 1, 2


class Act(NamedTuple):
    """What was asked of the file system; see ``recorder.c``."""

    kind: str
    time: float
    inode: int
    at: int
    data: bytes

    @property
    def path(self) -> Path:
        """Of what has one."""
        return Path(os.fsdecode(self.data.partition(b"\0")[0]))


@dataclass(frozen=True, slots=True)
class Recording:
    """A run, and the folder as it was before it."""

    folder: Path
    before: Path
    """A copy, all of which was on the disk."""
    inodes: dict[int, str]
    """Of all that was in it, folders before what is in them."""
    acts: tuple[Act, ...]


def compiled(folder: Path) -> Path | None:
    """The shim, made in a folder; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        return None
    shim = folder / "recorder.so"
    source = Path(__file__).with_name("recorder.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl", "-lpthread"], check=True)
    return shim


def record(shim: Path, words: Sequence[str], folder: Path, work: Path) -> Recording:
    """Run a command in a folder.

    Args:
        shim: See `compiled`.
        words: The arguments of ``vsgen``.
        folder: Where it runs, and all of which is on the disk before.
        work: A folder for what this needs.
    """
    folder = folder.resolve()
    before, log = work / "before", work / "log"
    shutil.copytree(folder, before)
    inodes = {path.stat().st_ino: str(path.relative_to(folder)) for path in sorted(folder.rglob("*"))}
    log.unlink(missing_ok=True)
    more = {"LD_PRELOAD": str(shim), "RECORD_FOLDER": str(folder), "RECORD_LOG": str(log)}
    subprocess.run([sys.executable, "-m", "vsgen", *words], cwd=folder, env={**os.environ, **more}, check=True)
    return Recording(folder, before, inodes, tuple(_acts(log.read_bytes())))


def _acts(log: bytes) -> Iterator[Act]:
    at = 0
    while at < len(log):
        kind, time, inode, offset, size = _HEAD.unpack_from(log, at)
        at += _HEAD.size + size
        yield Act(kind.decode(), time, inode, offset, log[at - size : at])


@dataclass(eq=False, slots=True)
class _File:
    now: bytearray
    disk: bytes
    late: list[tuple[int, Act]] = field(default_factory=list)
    """Writes and truncations that no sync covers, and when."""
    syncing: list[tuple[int, bytes]] = field(default_factory=list)
    """When each sync under way began, and what there was."""


@dataclass(eq=False, slots=True)
class _Folder:
    now: dict[str, _File | _Folder] = field(default_factory=dict)
    disk: dict[str, _File | _Folder] = field(default_factory=dict)
    late: list[tuple[int, dict[str, _File | _Folder | None]]] = field(default_factory=list)
    """Changes of names that no sync covers: what each name then names."""
    syncing: list[tuple[int, dict[str, _File | _Folder]]] = field(default_factory=list)


class Disk:
    """The disk while a run goes on: what is on it, and what is on its way."""

    def __init__(self, recording: Recording, acts: Sequence[Act]) -> None:
        """Let some acts happen.

        Args:
            recording: Of the run.
            acts: The first of its acts, up to the cut.
        """
        self._root = _Folder()
        self._at = recording.folder
        self._nodes: dict[int, _File | _Folder] = {}
        self._count = len(acts)
        for inode, name in recording.inodes.items():
            path, folder = recording.before / name, self._folder(self._at / Path(name).parent)
            data = path.read_bytes() if path.is_file() else b""
            node = self._nodes[inode] = _File(bytearray(data), data) if path.is_file() else _Folder()
            folder.now[path.name] = folder.disk[path.name] = node
        for when, act in enumerate(acts):
            self._happen(when, act)

    def left(self, target: Path, mercy: Mercy, rng: Random) -> None:
        """Write what a cut leaves into an empty folder.

        Args:
            target: The folder.
            mercy: What survives beside what was synced.
            rng: Decides what is left to chance.
        """
        last = rng.randint(0, self._count)
        survives: dict[Mercy, Callable[[int], bool]] = {
            "nothing": lambda _: False,
            "names": lambda _: True,
            "prefix": lambda when: when < last,
            "pages": lambda _: rng.random() < 0.5,
            "all": lambda _: True,
        }
        self._write(self._root, target, mercy, survives[mercy], rng)

    def _write(self, folder: _Folder, target: Path, mercy: Mercy, survives: Callable[[int], bool], rng: Random) -> None:
        names = dict(folder.disk)
        for when, change in folder.late:
            if survives(when):
                names |= {name: node for name, node in change.items() if node}
                for name in [name for name, node in change.items() if node is None]:
                    names.pop(name, None)
        for name, node in names.items():
            if isinstance(node, _Folder):
                (target / name).mkdir()
                self._write(node, target / name, mercy, survives, rng)
            else:
                (target / name).write_bytes(_content(node, mercy, survives, rng))

    def _happen(self, when: int, act: Act) -> None:
        match act.kind:
            case "O":
                self._open(when, act)
            case "M":
                self._nodes[act.inode] = made = _Folder()
                self._name(when, act.path, made)
            case "R":
                old, new = (Path(os.fsdecode(path)) for path in act.data.split(b"\0"))
                self._rename(when, old, new)
            case "U":
                self._name(when, act.path, None)
            case "S" | "E":
                _sync(self._nodes[act.inode], when, begins=act.kind == "S")
            case _:
                node = self._nodes[act.inode]
                assert isinstance(node, _File)
                _apply(node.now, act)
                node.late.append((when, act))

    def _open(self, when: int, act: Act) -> None:
        if act.path == self._at:
            self._nodes[act.inode] = self._root
        elif act.at & _MADE:
            made = self._nodes[act.inode] = _File(bytearray(), b"")
            self._name(when, act.path, made)
        elif act.at & _EMPTIED:
            self._happen(when, act._replace(kind="T", at=0))

    def _folder(self, path: Path) -> _Folder:
        folder = self._root
        for part in path.relative_to(self._at).parts:
            inner = folder.now[part]
            assert isinstance(inner, _Folder)
            folder = inner
        return folder

    def _name(self, when: int, path: Path, node: _File | _Folder | None) -> None:
        _change(self._folder(path.parent), when, {path.name: node})

    def _rename(self, when: int, old: Path, new: Path) -> None:
        """One act, which the folder of the new name has to sync."""
        node = self._folder(old.parent).now[old.name]
        if old.parent == new.parent:
            _change(self._folder(new.parent), when, {old.name: None, new.name: node})
        else:
            self._name(when, old, None)
            self._name(when, new, node)


def _change(folder: _Folder, when: int, change: dict[str, _File | _Folder | None]) -> None:
    for name, node in change.items():
        if node is None:
            folder.now.pop(name, None)
        else:
            folder.now[name] = node
    folder.late.append((when, change))


def _sync(node: _File | _Folder, when: int, *, begins: bool) -> None:
    """A sync begins, or one ends: the first that began, since the record does not say which."""
    if begins:
        if isinstance(node, _File):
            node.syncing.append((when, bytes(node.now)))
        else:
            node.syncing.append((when, dict(node.now)))
        return
    if isinstance(node, _File):
        since, node.disk = node.syncing.pop(0)
        node.late = [late for late in node.late if late[0] > since]
    else:
        since, node.disk = node.syncing.pop(0)
        node.late = [late for late in node.late if late[0] > since]


def _apply(content: bytearray, act: Act) -> None:
    end = act.at + len(act.data)
    if act.kind == "T":
        del content[act.at :]
    content.extend(bytes(max(0, end - len(content))))
    content[act.at : end] = act.data


def _content(node: _File, mercy: Mercy, survives: Callable[[int], bool], rng: Random) -> bytes:
    if mercy == "names":
        return node.disk + bytes(max(0, len(node.now) - len(node.disk)))
    if mercy == "pages":
        return _pages(node, rng)
    content = bytearray(node.disk)
    for when, act in node.late:
        if survives(when):
            _apply(content, act)
    return bytes(content)


def _pages(node: _File, rng: Random) -> bytes:
    """Each page as it was synced or as it is, and so the length; what was never written is zeros."""
    if not node.late:
        return node.disk
    length = rng.choice([len(node.disk), len(node.now), rng.randint(0, len(node.now))])
    length = max(length, min(len(node.disk), len(node.now)))
    both = [bytes(content).ljust(length, b"\0") for content in (node.disk, node.now)]
    return b"".join(rng.choice(both)[at : min(at + _PAGE, length)] for at in range(0, length, _PAGE))
