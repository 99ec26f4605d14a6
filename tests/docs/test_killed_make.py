"""README's Makefile: a build that was killed goes on where it was, and ends with the bytes of an undisturbed one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.docs.blocks import blocks
from tests.docs.pages import README

FILES = ("reviews.jsonl", "moods.jsonl")
ROWS = 60


def folder(place: Path) -> Path:
    """README's Makefile with the template that it needs, and `vsgen` as a program."""
    (makefile,) = (block.text for block in blocks(README) if block.language == "makefile")
    place.mkdir()
    (place / "Makefile").write_text(re.sub(r"-n \d+", f"-n {ROWS} --no-dedup", makefile))
    (place / "vsgen").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vsgen "$@"\n')
    (place / "vsgen").chmod(0o755)
    (place / "reviews.yaml").write_text(
        "version: 1\nname: reviews\nprompt: Write a one-sentence positive review of a {{ product }}.\n"
        "variables: {product: [desk lamp, bike light]}\n"
    )
    return place


def make(place: Path) -> subprocess.Popen[str]:
    path = f"{place}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        ["make", FILES[-1]],
        cwd=place,
        env={**os.environ, "PATH": path, "VSGEN_MODEL": "tiny"},
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(place: Path) -> tuple[str, list[bytes]]:
    build = make(place)
    _, said = build.communicate()
    assert build.returncode == 0, said
    return said, [(place / file).read_bytes() for file in FILES]


def drawn(said: str) -> int:
    """Replies that were asked of the model."""
    return sum(map(int, re.findall(r"(\d+) generate", said)))


@pytest.mark.slow
def test_a_killed_make_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    killed = folder(tmp_path / "killed")
    build, journal = make(killed), killed / "reviews.jsonl.journal"
    while build.poll() is None and not (journal.exists() and b'"generate"' in journal.read_bytes()):
        time.sleep(0.01)
    os.killpg(build.pid, signal.SIGKILL)
    build.communicate()
    assert not (killed / FILES[-1]).exists()
    said, bytes_of_killed = finish(killed)
    undisturbed, expected = finish(folder(tmp_path / "undisturbed"))
    assert bytes_of_killed == expected
    assert drawn(said) < drawn(undisturbed)
