"""A reading as a line for people."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final
from unicodedata import east_asian_width

from vsgen.cli.meter import Reading
from vsgen.jobs.activity import Oldest, Progress
from vsgen.jobs.bill import Bill
from vsgen.money import dollars
from vsgen.ports import Held
from vsgen.terminal import harmless

_SPINNER: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_TURN: Final = 0.125
"""Seconds between two of its pictures."""
_BARS: Final = ((80, 20), (60, 10))
"""Columns from which on there is a bar, and how long it is."""
_BETWEEN: Final = " · "
_STILL: Final = 10.0
"""Seconds without a new row, and with the same oldest call, after which a line says what is waited for."""
_LONG: Final = 32
"""Columns of a model's name at most."""
_ALIKE: Final = 1.25
"""The ends of a range that differ by less are one figure."""
_AWAITED: Final = {
    "generate": "the reply",
    "score": "the scores",
    "decide": "the decisions",
    "teach": "the token probabilities",
    "embed": "the embeddings",
    "verify": "the checks",
}


def line(reading: Reading, columns: int) -> str:
    """The reading in one line of fewer than `columns` columns; the count stays, and the rest drops from the right."""
    spinner = _SPINNER[int(reading.seconds / _TURN) % len(_SPINNER)]
    first, *rest = parts(reading)
    room = columns - 1
    for bar in (_bar(reading.progress, columns), ""):
        start = f"{spinner} {first}{bar}"
        kept = _fitting([start, *rest], room)
        if len(kept) > 1 or not rest or not bar:
            break
    return _cut(_BETWEEN.join(kept), room)


def sentence(reading: Reading) -> str:
    """The reading for a log: all that is known, and when."""
    return _BETWEEN.join([clock(reading.seconds), *parts(reading)])


def parts(reading: Reading) -> list[str]:
    """What there is to say, the most important first."""
    progress = reading.progress
    said = [*_count(progress)]
    match progress.phase:
        case "downloading":
            said += _download(reading)
        case "loading" | "examining":
            said += [_held(progress.held)] if progress.held else []
            said.append(f"{progress.phase} {_name(progress.model)}, {duration(reading.in_phase)}")
        case "starting" | "writing":
            said.append(progress.phase)
        case _:
            said += _asking(reading)
    return said


def duration(seconds: float) -> str:
    """A time in two digits or so."""
    return _figure(seconds, *_unit(seconds))


def clock(seconds: float) -> str:
    """A time as hours, minutes and seconds."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _count(progress: Progress) -> Iterator[str]:
    if progress.noun:
        yield f"{progress.rows:,}{f'/{progress.wanted:,}' if progress.wanted else ''} rows"


def _download(reading: Reading) -> Iterator[str]:
    progress, speed = reading.progress, reading.bytes_per_second
    transfer = progress.transfer
    if transfer is None:
        yield progress.phase
        return
    size = f" of {_bytes(transfer.size)}" if transfer.size else ""
    yield f"downloading {_name(progress.model)}: {_bytes(transfer.done)}{size}"
    if speed:
        if transfer.size and transfer.size > transfer.done:
            yield f"{duration((transfer.size - transfer.done) / speed)} left"
        yield f"{_bytes(speed)}/s"


def _asking(reading: Reading) -> Iterator[str]:
    progress = reading.progress
    yield from _awaited(reading)
    if reading.left is not None:
        yield _left(*reading.left)
    if reading.rows_per_second is not None:
        yield _rate(reading.rows_per_second)
    yield from _cost(progress.bill)
    yield from _drawing(progress)
    if reading.tokens_per_second is not None:
        yield f"{reading.tokens_per_second:,.0f} tokens/s"
    yield from (f"{count:,} {reason}" for reason, count in sorted(progress.rejected.items()))
    yield from _done(progress)


def _cost(bill: Bill | None) -> Iterator[str]:
    if bill is not None and bill.usd is not None:
        yield f"${dollars(bill.usd)}"


def _done(progress: Progress) -> Iterator[str]:
    if drawn := progress.calls.get("generate", 0):
        yield f"{_many(drawn, 'call', 'calls')} done, {progress.new_tokens:,} tokens"
    if progress.bill is not None:
        yield f"{progress.bill.usage.prompt:,} prompt tokens"


def _awaited(reading: Reading) -> Iterator[str]:
    progress = reading.progress
    if progress.held is not None:
        yield _held(progress.held)
    elif progress.oldest is not None and min(reading.still, reading.waited) >= _STILL:
        yield _waiting(progress.oldest, progress.noun, reading.waited)


def _drawing(progress: Progress) -> Iterator[str]:
    if progress.drawing:
        tokens = f", {progress.drawing_tokens:,} tokens" if progress.drawing_tokens else ""
        yield f"{progress.phase} {_many(progress.drawing, 'reply', 'replies')}{tokens}"
    elif progress.held is None:
        yield progress.phase


def _held(held: Held) -> str:
    match held.by:
        case "outage":
            return f"{held.place} is away for {duration(held.seconds)}, trying again"
        case "rate limit":
            return f"waiting {duration(math.ceil(held.seconds))} for the rate limit of {held.place}"
        case "own limit":
            return "waiting for --rpm or --tpm"


def _waiting(oldest: Oldest, noun: str, seconds: float) -> str:
    of = f" {'of' if oldest.kind != 'generate' else 'to'} draw {oldest.unit}" if noun == "draws" else ""
    tokens = f", {oldest.tokens:,} tokens" if oldest.tokens else ""
    return f"waiting for {_AWAITED[oldest.kind]}{of}, {duration(seconds)}{tokens}"


def _left(low: float, high: float) -> str:
    if high < 1:
        return "almost done"
    size, unit = _unit(high)
    low_figure, high_figure = (_figure(each, size, unit).split()[0] for each in (low, high))
    if high <= low * _ALIKE or low_figure == high_figure:
        return f"about {high_figure} {unit} left"
    if low < size / 2:
        return f"up to {high_figure} {unit} left"
    return f"{low_figure}-{high_figure} {unit} left"


def _unit(seconds: float) -> tuple[float, str]:
    if seconds < 100:
        return 1, "s"
    return (60, "min") if seconds < 100 * 60 else (3600, "h")


def _figure(seconds: float, size: float, unit: str) -> str:
    number = seconds / size
    return f"{number:.1f} {unit}" if unit == "h" and number < 10 else f"{number:.0f} {unit}"


def _rate(rows: float) -> str:
    return f"{rows:,.1f} rows/s" if rows >= 1 else f"{rows * 60:,.1f} rows/min"


def _many(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def _bytes(count: float) -> str:
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= size:
            return f"{count / size:.3g} {unit}" if count < 100 * size else f"{count / size:.0f} {unit}"
    return f"{count:.0f} B"


def _name(model: str | None) -> str:
    """A model's name; of a long path the end, which names the file."""
    name = " ".join(harmless(model or "the model").split())
    while width(name) > _LONG:
        name = f"…{name.removeprefix('…')[1:]}"
    return name


def _bar(progress: Progress, columns: int) -> str:
    length = next((length for least, length in _BARS if columns >= least), 0)
    if not length or not progress.wanted:
        return ""
    done = math.floor(length * min(1.0, progress.rows / progress.wanted))
    return f" {'━' * done}{'─' * (length - done)}"


def _fitting(said: list[str], room: int) -> list[str]:
    kept = said[:1]
    for one in said[1:]:
        if width(_BETWEEN.join([*kept, one])) > room:
            break
        kept.append(one)
    return kept


def _cut(text: str, room: int) -> str:
    while text and width(text) > room:
        text = text[:-1]
    return text


def width(text: str) -> int:
    """Columns of a text on a terminal."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)
