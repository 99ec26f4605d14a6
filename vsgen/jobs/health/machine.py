"""The machine: cores, memory, accelerators, and folders that are written to."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from vsgen.backends.devices import accelerators
from vsgen.errors import ModelError, OutputError
from vsgen.extras import remedy
from vsgen.jobs.health.finding import Finding
from vsgen.jobs.health.models import shown_bytes

_GROUP = "machine"
_LEAST = 100_000_000
"""Bytes that a folder should have free."""


def machine() -> Iterator[Finding]:
    """What computes, and where files go."""
    yield Finding(_GROUP, "cpu", _cores())
    yield Finding(_GROUP, "memory", _memory())
    yield from _devices()
    yield _folder("folder", Path.cwd, "change to a folder that you may write to")
    yield _folder("temporary", _temporary, "set TMPDIR to a folder that you may write to")


def _temporary() -> Path:
    return Path(os.environ.get("TMPDIR") or tempfile.gettempdir())


def _cores() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{usable} cores" if usable == os.cpu_count() else f"{usable} of {os.cpu_count()} cores"


def _memory() -> str:
    try:
        total = shown_bytes(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return "unknown"
    free = _number(Path("/proc/meminfo"), "MemAvailable:")
    limit = _number(Path("/sys/fs/cgroup/memory.max"), "")
    available = f", {shown_bytes(free * 1024)} free" if free else ""
    return f"{total} in all{available}" + (f", limited to {shown_bytes(limit)}" if limit else "")


def _number(file: Path, key: str) -> int:
    """The number behind a key of a file of the kernel's; 0 if there is none."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return 0
    found = [line.removeprefix(key).split() for line in lines if line.startswith(key)]
    return int(found[0][0]) if found and found[0] and found[0][0].isdecimal() else 0


def _devices() -> Iterator[Finding]:
    try:
        found = accelerators()
    except (ImportError, OSError, RuntimeError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        yield Finding(_GROUP, "gpu", f"torch fails: {why}", "problem", "reinstall torch", ModelError.status)
        return
    if found is None:
        yield Finding(_GROUP, "gpu", "unknown: torch is not installed", "absent", remedy("models"))
    elif not found:
        yield Finding(_GROUP, "gpu", "none that torch can use; models run on the CPU")
    for one in found or ():
        memory = f", {shown_bytes(one.memory)}" if one.memory else ""
        yield Finding(_GROUP, one.device, f"{one.name}{memory}")


def _folder(name: str, find: Callable[[], Path], what: str) -> Finding:
    folder = None
    try:
        folder = find()
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        value = f"{folder}: {error.strerror}" if folder else f"none: {error.strerror}"
        return Finding(_GROUP, name, value, "problem", what, OutputError.status)
    value = f"{folder}: writable, {shown_bytes(free)} free"
    return Finding(_GROUP, name, value) if free > _LEAST else Finding(_GROUP, name, value, "absent", "free some space")
