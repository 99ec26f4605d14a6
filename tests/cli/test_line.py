"""A reading is one line: the count stays, the rest drops from the right, and nothing is promised that is not known."""

from __future__ import annotations

from dataclasses import replace
from unicodedata import east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.backends.transfers import Transfer
from vsgen.cli.line import clock, duration, line, parts, sentence
from vsgen.cli.meter import Reading
from vsgen.jobs.activity import Oldest, Progress
from vsgen.ports import Held

ASKING = Progress(
    phase="asking",
    rows=12,
    wanted=500,
    noun="draws",
    units=4,
    rejected={"duplicate": 3, "invalid": 1},
    replies=4,
    calls={"generate": 4},
    new_tokens=2000,
    drawing=4,
    drawing_tokens=320,
)
READ = Reading(ASKING, 70.0, rows_per_second=5.1 / 60, tokens_per_second=31.2, left=(3000.0, 5400.0))
PROGRESSES = st.builds(
    Progress,
    phase=st.sampled_from(["starting", "downloading", "loading", "asking", "scoring", "writing"]),
    model=st.none() | st.text(max_size=60),
    transfer=st.none() | st.builds(Transfer, st.integers(0, 10**12), st.none() | st.integers(1, 10**12)),
    rows=st.integers(0, 10**7),
    wanted=st.none() | st.integers(1, 10**7),
    noun=st.sampled_from(["", "draws", "input rows", "prompts"]),
    rejected=st.dictionaries(st.sampled_from(["duplicate", "invalid", "keep"]), st.integers(1, 10**6)),
    calls=st.dictionaries(st.just("generate"), st.integers(0, 10**6)),
    drawing=st.integers(0, 128),
    oldest=st.none() | st.builds(Oldest, st.integers(0, 10**6), st.sampled_from(["generate", "score", "verify"])),
)
SPEEDS = st.none() | st.floats(1e-6, 1e9)
READINGS = st.builds(
    Reading,
    PROGRESSES,
    seconds=st.floats(0, 1e7),
    in_phase=st.floats(0, 1e7),
    still=st.floats(0, 1e7),
    waited=st.floats(0, 1e7),
    rows_per_second=SPEEDS,
    tokens_per_second=SPEEDS,
    bytes_per_second=SPEEDS,
    left=st.none() | st.tuples(st.floats(0, 1e7), st.floats(0, 1e7)).map(lambda pair: (min(pair), max(pair))),
)


def width(text: str) -> int:
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


@given(READINGS, st.integers(20, 300))
def test_a_line_is_one_line_and_narrower_than_the_terminal(reading: Reading, columns: int) -> None:
    text = line(reading, columns)
    assert width(text) < columns
    assert not {"\n", "\r", "\x1b"} & set(text)


@given(READINGS, st.integers(30, 300), st.integers(0, 100))
def test_a_narrower_terminal_drops_the_rest_and_never_the_count(reading: Reading, columns: int, more: int) -> None:
    narrow, wide = (line(reading, each).split(" · ") for each in (columns, columns + more))
    assert len(narrow) <= len(wide)
    assert [part.split("─")[0].split("━")[0].strip() for part in narrow[:1]] == [
        part.split("─")[0].split("━")[0].strip() for part in wide[:1]
    ] or not reading.progress.noun
    if reading.progress.noun:
        assert f"{reading.progress.rows:,}" in narrow[0] and "rows" in narrow[0]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (60, "⠋ 12/500 rows ────────── · 50-90 min left · 5.1 rows/min"),
        (
            80,
            "⠋ 12/500 rows ──────────────────── · 50-90 min left · 5.1 rows/min",
        ),
        (
            120,
            "⠋ 12/500 rows ──────────────────── · 50-90 min left · 5.1 rows/min · asking 4 replies, 320 tokens"
            " · 31 tokens/s",
        ),
    ],
)
def test_what_stands_at_the_usual_widths(columns: int, expected: str) -> None:
    assert line(READ, columns) == expected


def test_where_no_row_comes_the_line_says_what_is_waited_for() -> None:
    oldest = replace(ASKING, oldest=Oldest(3, "generate", 212))
    waiting = replace(READ, progress=oldest, still=41.0, waited=41.0)
    assert "waiting for the reply to draw 3, 41 s, 212 tokens" in line(waiting, 80)
    assert line(waiting, 60).startswith("⠋ 12/500 rows")
    assert "waiting" not in line(replace(waiting, still=9.0), 80)
    scoring = replace(waiting, progress=replace(oldest, noun="input rows", oldest=Oldest(3, "score")))
    assert "waiting for the scores, 41 s" in line(scoring, 80)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (Held("outage", "host:8000", 12.0, "no connection"), "host:8000 is away for 12 s, trying again"),
        (Held("rate limit", "host:8000", 11.2), "waiting 12 s for the rate limit of host:8000"),
        (Held("own limit", "host:8000", 0.7), "waiting for --rpm or --tpm"),
    ],
)
def test_what_a_server_keeps_waiting_stands_right_after_the_count(held: Held, said: str) -> None:
    waiting = replace(ASKING, held=held, drawing=0, drawing_tokens=0, oldest=Oldest(3, "generate"))
    assert parts(replace(READ, progress=waiting, still=41.0, waited=41.0))[:2] == ["12/500 rows", said]
    examining = Reading(Progress(phase="examining", model="m@host:8000", held=held))
    assert parts(examining) == [said, "examining m@host:8000, 0 s"]


def test_phases_in_words() -> None:
    loading = Reading(Progress(phase="loading", model="org/model"), in_phase=12.0)
    assert line(loading, 80) == "⠋ loading org/model, 12 s"
    fetched = Progress(phase="downloading", model="org/model", transfer=Transfer(120_000_000, 540_000_000))
    said = "⠋ downloading org/model: 120 MB of 540 MB · 35 s left · 12 MB/s"
    assert line(Reading(fetched, bytes_per_second=12e6), 80) == said
    assert line(Reading(Progress(phase="writing", noun="input rows", rows=7)), 80) == "⠋ 7 rows · writing"


def test_a_line_of_a_log_says_all_and_when() -> None:
    assert sentence(READ) == (
        "0:01:10 · 12/500 rows · 50-90 min left · 5.1 rows/min · asking 4 replies, 320 tokens · 31 tokens/s"
        " · 3 duplicate · 1 invalid · 4 calls done, 2,000 tokens"
    )


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ((0.2, 0.9), "almost done"),
        ((0.0, 40.0), "up to 40 s left"),
        ((20.0, 40.0), "20-40 s left"),
        ((36.0, 40.0), "about 40 s left"),
        ((90.0, 260.0), "2-4 min left"),
        ((7200.0, 12600.0), "2.0-3.5 h left"),
    ],
)
def test_what_is_left_is_a_range_unless_its_ends_are_alike(left: tuple[float, float], said: str) -> None:
    assert f" · {said} · " in sentence(replace(READ, left=left))


def test_times_are_short() -> None:
    assert [duration(seconds) for seconds in (0.4, 99, 100, 5999, 6000, 90000)] == [
        *("0 s", "99 s", "2 min", "100 min", "1.7 h", "25 h"),
    ]
    assert clock(3725.9) == "1:02:05"
