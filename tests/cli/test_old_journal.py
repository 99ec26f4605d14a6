"""What a vsgen of before journals had versions left behind."""

from __future__ import annotations

import base64
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest

from vsgen.backends.hashed import HashedEmbedder
from vsgen.files.journal import digest
from vsgen.values import Embed

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

RUN = ("run", "jokes", "-n", "6", "-m", "tiny", "--set", "dedup.embedder=hash")


def embedded(text: str) -> dict[str, object]:
    """The line of an embedding, of float32 components."""
    embedder, call = HashedEmbedder(), Embed(text)
    data = embedder.embed([call])[0].data
    floats = struct.pack(f"<{len(data) // 2}f", *struct.unpack(f"<{len(data) // 2}e", data))
    reply = {"data": base64.b64encode(floats).decode()}
    asked = {"key": digest(embedder.name, call), "kind": "embed", "model": embedder.name, "call": {"text": text}}
    return {**asked, "reply": reply}


@pytest.fixture
def old(vsgen: Vsgen, tmp_path: Path) -> Path:
    """A complete output with its journal as it was: no version, no checksums, embeddings among the lines."""
    out, rejects, journal = (tmp_path / name for name in ("out.jsonl", "rejects.jsonl", "out.jsonl.journal"))
    assert vsgen(*RUN, "-o", out, "--rejects", rejects).exit_code == 0
    calls = [entry for line in journal.read_bytes().splitlines() if "key" in (entry := orjson.loads(line))]
    lines: list[dict[str, object]] = [{name: one[name] for name in one if name != "crc"} for one in calls]
    rows = [*out.read_bytes().splitlines(), *rejects.read_bytes().splitlines()]
    lines += [embedded(orjson.loads(row)["text"]) for row in rows]
    lines += [{"kind": "end", "origin": "0a1b2c3d4e5f/tiny/0/", "complete": True, "passed": True}]
    journal.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    (tmp_path / "out.jsonl.vectors").unlink()
    return out


def test_its_replies_and_embeddings_are_not_asked_again(vsgen: Vsgen, old: Path) -> None:
    rows = old.read_bytes()
    again = vsgen(*RUN, "-o", old, "--overwrite")
    assert again.exit_code == 0 and "calls made now: none" in again.stderr
    assert old.read_bytes() == rows
    resumed = vsgen(*RUN, "-o", old, "--resume")
    assert resumed.exit_code == 0 and "is complete already" in resumed.stderr


def test_its_output_is_not_taken_for_complete_since_it_does_not_say_from_what_it_was_made(
    vsgen: Vsgen, old: Path
) -> None:
    rows = old.read_bytes()
    ended = vsgen(*RUN, "-o", old, "--resume")
    assert ended.exit_code == 2
    assert f"{old}: an older vsgen made it, and did not record from what; --overwrite makes it again" in ended.stderr
    assert old.read_bytes() == rows
