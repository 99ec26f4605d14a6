"""Speeds and what is left: measured from tokens and time, and nothing is said before it means something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vsgen.backends.transfers import Transfer
from vsgen.cli.meter import Meter, Reading
from vsgen.jobs.activity import Oldest, Progress


def even(seconds: int, *, wanted: int = 100, recalled: int = 0) -> Progress:
    """A run that draws 10 tokens a second, of which each 50 are a draw with one row; two draws are under way."""
    draws = max(0, seconds // 5 - 2)
    return Progress(
        phase="asking",
        rows=recalled + draws,
        wanted=wanted,
        noun="draws",
        units=recalled + draws,
        tokens=50 * (recalled + draws),
        recalled_tokens=50 * recalled,
        replies=draws,
        new_tokens=50 * draws,
        drawing=2,
        drawing_tokens=10 * seconds - 50 * draws,
        calls={"generate": draws} if draws else {},
    )


def readings(last: int, *, recalled: int = 0, wanted: int = 100) -> Iterator[Reading]:
    meter = Meter()
    for seconds in range(1, last + 1):
        yield meter.read(even(seconds, recalled=recalled, wanted=wanted), float(seconds))


def test_nothing_is_said_of_the_rest_or_the_rate_before_three_draws_are_done() -> None:
    for reading in readings(60):
        assert (reading.left is not None) == (reading.progress.units >= 3)
        assert (reading.rows_per_second is not None) == (reading.progress.units >= 3)


@pytest.mark.parametrize("seconds", [60, 120, 250, 400])
def test_what_is_left_of_an_even_run_lies_in_the_range(seconds: int) -> None:
    *_, reading = readings(seconds)
    assert reading.left is not None
    assert reading.left[0] <= 510 - seconds <= reading.left[1]


def test_the_range_becomes_narrower() -> None:
    widths = [high / low for low, high in (reading.left for reading in readings(300) if reading.left)]
    assert widths[-1] < widths[0] / 1.5


def test_rows_out_of_a_journal_promise_nothing() -> None:
    """They came at once: neither the rate nor the rest is measured by them."""
    *_, reading = readings(100, recalled=1000, wanted=1100)
    assert reading.rows_per_second == pytest.approx(0.18, abs=0.03)
    assert reading.left is not None and reading.left[0] <= 410 <= reading.left[1]


def test_tokens_are_life_before_the_first_reply_is_done() -> None:
    *_, reading = readings(12)
    assert reading.progress.units == 0
    assert reading.tokens_per_second == pytest.approx(10)
    assert reading.rows_per_second is None and reading.left is None


def test_a_slower_model_is_noticed_within_half_a_minute() -> None:
    meter = Meter()
    for seconds in range(1, 200):
        drawn = 100 * min(seconds, 100) + 10 * max(0, seconds - 100)
        reading = meter.read(Progress(phase="asking", drawing=1, drawing_tokens=drawn), float(seconds))
    assert reading.tokens_per_second == pytest.approx(10)


def test_how_long_nothing_has_moved() -> None:
    meter, stuck = Meter(), Progress(phase="asking", drawing=1, drawing_tokens=5, oldest=Oldest(3, "generate", 5))
    meter.read(Progress(phase="loading"), 1.0)
    first, second = meter.read(stuck, 10.0), meter.read(stuck, 51.0)
    assert (first.still, first.waited, first.in_phase) == (0, 0, 0)
    assert (second.still, second.waited, second.in_phase) == (41, 41, 41)


def test_the_speed_of_a_download() -> None:
    meter = Meter()
    for seconds in range(5):
        fetched = Progress(phase="downloading", transfer=Transfer(1000 * (seconds + 1), 9000))
        reading = meter.read(fetched, float(seconds))
    assert reading.bytes_per_second == pytest.approx(1000)
