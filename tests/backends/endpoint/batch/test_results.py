"""Files of results: each result is found, whatever else stands in them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from vsgen.backends.endpoint.batch.lines import Lost
from vsgen.backends.endpoint.batch.names import Name
from vsgen.backends.endpoint.batch.results import Results
from vsgen.backends.endpoint.http import LARGEST, Response
from vsgen.errors import EndpointError, InputError


def name(number: int, attempt: int = 1) -> Name:
    return Name(f"{number:032x}", 1, attempt)


def line(of: Name, body: Any = None, status: int = 200) -> bytes:
    response = {"status_code": status, "request_id": "r", "body": {"text": "x"} if body is None else body}
    return orjson.dumps({"id": "i", "custom_id": str(of), "response": response, "error": None}) + b"\n"


def opened(folder: Path, *files: Sequence[bytes]) -> Results:
    paths = []
    for number, lines in enumerate(files):
        paths.append(folder / f"{number}.jsonl")
        paths[-1].write_bytes(b"".join(lines))
    return Results(paths)


def text(results: Results, of: Name) -> object:
    found = results.find(of)
    assert found is not None
    assert isinstance(found.came, Response), found
    return orjson.loads(found.came.body)["text"]


def test_results_are_found_in_any_order_and_in_several_files(tmp_path: Path) -> None:
    lines = [line(name(number), {"text": number}) for number in range(50)]
    with opened(tmp_path, lines[::-2], lines[-2::-2]) as results:
        assert [text(results, name(number)) for number in range(50)] == list(range(50))
        assert results.find(name(50)) is None
        assert (len(results), results.taken, results.seen.ours) == (50, 50, 50)


def test_a_reply_counts_before_a_refusal_and_that_before_a_failure(tmp_path: Path) -> None:
    reply, refused, failed = line(name(1), {"text": "reply"}), line(name(1), status=400), line(name(1, 3), status=500)
    for lines in ([reply, refused, failed], [failed, refused, reply], [refused, reply, failed]):
        with opened(tmp_path, lines) as results:
            assert text(results, name(1)) == "reply"
    with opened(tmp_path, [failed, refused, line(name(2))]) as results:
        found = results.find(name(1))
        assert found is not None
        assert isinstance(found.came, Response)
        assert found.came.status == 400


def test_of_equal_results_the_latest_attempt_and_the_first_line_count(tmp_path: Path) -> None:
    lines = [line(name(1), {"text": "a"}), line(name(1), {"text": "b"})]
    with opened(tmp_path, lines) as results:
        assert text(results, name(1)) == "a"
    with opened(tmp_path, [*lines, line(name(1, 2), {"text": "c"}), lines[0]]) as results:
        assert text(results, name(1)) == "c"


def test_damage_loses_its_own_line_alone(tmp_path: Path) -> None:
    good, cut = line(name(1)), line(name(2))[:-20]
    with opened(tmp_path, [b"\xef\xbb\xbf\n", b"\x00junk\n", b"\r\n", good.replace(b"\n", b"\r\n"), cut]) as results:
        assert text(results, name(1)) == "x"
        found = results.find(name(2))
        assert found is not None
        assert isinstance(found.came, Lost)
        assert not found.came.blamed  # a file that is cut off is no attempt
        assert results.seen.others == 2


def test_a_byte_order_mark_loses_nothing(tmp_path: Path) -> None:
    with opened(tmp_path, [b"\xef\xbb\xbf", line(name(1)), line(name(2))]) as results:
        assert len(results) == 2


def test_a_line_beyond_the_bound_is_not_read(tmp_path: Path) -> None:
    with opened(tmp_path, [line(name(1), {"text": "x" * (2 * LARGEST + (1 << 18))}), line(name(2))]) as results:
        found = results.find(name(1))
        assert found is not None
        assert isinstance(found.came, Lost)
        assert f"{LARGEST:,} bytes" in found.came.why
        assert text(results, name(2)) == "x"


def test_a_file_that_changes_meanwhile_gives_no_reply(tmp_path: Path) -> None:
    with opened(tmp_path, [line(name(1))]) as results:
        (tmp_path / "0.jsonl").write_bytes(line(name(2)))
        found = results.find(name(1))
    assert found is not None
    assert isinstance(found.came, Lost)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        ("{}".encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b'{"custom_id":"%s","method":"POST"}\n' % str(name(1)).encode(), "calls and no results"),
        (b"[" + line(name(1)) + b"]", "JSON array"),
        (b'{"custom_id":"request-1","response":{"status_code":200}}\n', "no result of a call"),
        (b"text\n" * 1000, "no result of a call"),
    ],
)
def test_a_file_of_something_else_is_refused_with_what_to_give(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        opened(tmp_path, [content])


def test_a_file_that_is_missing_or_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        Results([tmp_path / "nowhere.jsonl"])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a regular file"):
        Results([tmp_path / "pipe"])


@pytest.mark.parametrize(("status", "count"), [(404, 1), (400, 20)])
def test_a_batch_in_which_everything_was_refused_ends_the_run(tmp_path: Path, status: int, count: int) -> None:
    lines = [line(name(number), {"error": {"message": "bad parameter"}}, status) for number in range(count)]
    with pytest.raises(EndpointError, match="bad parameter"):
        opened(tmp_path, lines)
    with opened(tmp_path, [*lines, line(name(99))]) as results:
        assert len(results) == count + 1
