"""A map of digests is a dict, in less memory."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from vsgen.digests import DigestMap

DIGESTS = st.one_of(st.binary(min_size=16, max_size=16), st.sampled_from([bytes(16), bytes(14) + b"\1\0", b"\0\0" * 8]))
ENTRIES = st.lists(st.tuples(DIGESTS, st.binary(min_size=3, max_size=3)))


@given(entries=ENTRIES, absent=st.lists(DIGESTS))
def test_it_holds_what_a_dict_holds(entries: list[tuple[bytes, bytes]], absent: list[bytes]) -> None:
    known: dict[bytes, bytes] = {}
    found = DigestMap(3)
    for digest, value in entries:
        known[digest] = found[digest] = value
    assert len(found) == len(known)
    assert all(found.get(digest) == known.get(digest) for digest in [*known, *absent])


@given(values=st.lists(st.sampled_from([bytes(3), b"\0\0\1"]), min_size=1, max_size=9))
def test_digests_that_overlap_their_neighbours_are_told_apart(values: list[bytes]) -> None:
    """All on one shelf, all but one byte zero: each is found inside the others' bytes too."""
    found = DigestMap(3)
    digests = [bytes(2) + bytes(at) + b"\1" + bytes(13 - at) for at in range(14)]
    for number, digest in enumerate(digests):
        found[digest] = values[number % len(values)]
    assert [found.get(digest) for digest in digests] == [values[i % len(values)] for i in range(len(digests))]
    assert found.get(bytes(16)) is None and len(found) == 14


def test_a_call_takes_at_most_forty_bytes() -> None:
    count = 100_000
    tracemalloc.start()
    try:
        found = DigestMap(12)
        for number in range(count):
            found[(number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128).to_bytes(16, "little")] = bytes(12)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found) == count
    assert taken / count <= 45, "at a million it is less: the shelves themselves take a million bytes"
