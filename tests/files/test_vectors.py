"""The file of vectors keeps every whole record, whatever happened to the last one, and never gives a damaged one."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.errors import OptionError, OutputError
from vsgen.files.sealed import sealed
from vsgen.files.vectors import Vectors, vectors_path
from vsgen.values import Vector

HEAD = 24
DATA = st.integers(1, 20).flatmap(lambda width: st.binary(min_size=2 * width, max_size=2 * width))
VECTORS = st.lists(DATA, max_size=8)
"""Of several embedders, so of several lengths."""


def named(vectors: list[bytes]) -> Mapping[bytes, Vector]:
    return {blake2b(bytes([i]), digest_size=16).digest(): Vector(data) for i, data in enumerate(vectors)}


def filled(path: Path, vectors: Mapping[bytes, Vector]) -> bytes:
    with Vectors(path) as file:
        for digest, vector in vectors.items():
            file.add(digest, vector)
            assert file.find(digest) == vector
    return path.read_bytes()


@given(vectors=VECTORS, cut=st.integers(0, 300), zeros=st.booleans())
def test_whatever_tail_is_torn_off_or_was_never_written_whole_records_survive(
    tmp_path_factory: pytest.TempPathFactory, vectors: list[bytes], cut: int, zeros: bool
) -> None:
    path, known = tmp_path_factory.mktemp("vectors") / "v", named(vectors)
    whole = filled(path, known)
    cut = min(cut, len(whole) - (zeros and whole.index(b"\n") + 1))  # the first line is synced before others follow
    path.write_bytes(whole[: len(whole) - cut] + bytes(cut if zeros else 0))
    end = len(whole) - sum(HEAD + len(data) for data in vectors)
    new, vector = bytes(16), Vector(bytes(6))
    with Vectors(path) as file:
        for digest, one in known.items():
            end += HEAD + len(one.data)
            assert file.find(digest) == one if end <= len(whole) - cut else file.find(digest) in (None, one)
        survivors = len(file)
        file.add(new, vector)
    with Vectors(path) as file:
        assert len(file) == survivors + 1
        assert file.find(new) == vector


@given(vectors=VECTORS.filter(bool), data=st.data())
def test_a_byte_that_changes_is_never_taken_for_a_vector(
    tmp_path_factory: pytest.TempPathFactory, vectors: list[bytes], data: st.DataObject
) -> None:
    path, known = tmp_path_factory.mktemp("vectors") / "v", named(vectors)
    whole = filled(path, known)
    at = data.draw(st.integers(whole.index(b"\n") + 1, len(whole) - 1))
    path.write_bytes(whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :])
    with Vectors(path) as file:
        found = {digest: file.find(digest) for digest in known}
        assert all(one in (None, known[digest]) for digest, one in found.items())
        assert None in found.values()
    assert filled(path, known)
    with Vectors(path) as file:
        assert {digest: file.find(digest) for digest in known} == known


def test_a_damaged_record_in_the_middle_loses_only_itself(tmp_path: Path) -> None:
    known = named([bytes(8), bytes(8), bytes(8)])
    whole = filled(tmp_path / "v", known)
    path = tmp_path / "v"
    path.write_bytes(whole[:-40] + b"#" + whole[-39:])
    with Vectors(path) as file:
        assert [file.find(digest) is None for digest in known] == [False, True, False]


def test_a_second_run_is_refused(tmp_path: Path) -> None:
    with Vectors(tmp_path / "v"), pytest.raises(OutputError, match="another vsgen run"):
        Vectors(tmp_path / "v")


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (b"id,text\n", "is not a file of vectors"),
        (
            sealed(b'{"vsgen vectors":2,"kind":"version","holds":"float16 vectors of texts: docs/journal.md"}'),
            "is a file of vectors of version 2",
        ),
    ],
)
def test_another_file_is_refused_and_left_as_it_is(tmp_path: Path, other: bytes, problem: str) -> None:
    path = tmp_path / "v"
    path.write_bytes(other)
    with pytest.raises(OptionError, match=problem):
        Vectors(path)
    assert path.read_bytes() == other


def test_vectors_lie_beside_their_journal() -> None:
    assert vectors_path(Path("a/out.jsonl.journal")) == Path("a/out.jsonl.vectors")
    assert vectors_path(Path("a/calls")) == Path("a/calls.vectors")
