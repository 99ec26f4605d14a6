"""Progress is shown by a timer, in place on a terminal and in lines elsewhere, and never on standard output."""

from __future__ import annotations

import io
import json
import math
import os
import pty
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Literal

import pytest

from tests.attacks.terminal import Terminal
from tests.cli.conftest import Vsgen
from vsgen.cli.live import Drawn, Follower, Logged, Plain, Timer
from vsgen.cli.log import LOG
from vsgen.cli.meter import Reading
from vsgen.jobs.activity import Phase, Progress
from vsgen.ports import Held

FAST = ("-m", "tiny", "--no-dedup")
ASKING = Progress(phase="asking", noun="draws", wanted=8)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def lines_at(moments: list[tuple[float, Progress]], capsys: pytest.CaptureFixture[str], view: Plain | Logged) -> str:
    clock, current = Clock(), [ASKING]
    follower = Follower(lambda: current[0], view, clock)
    for seconds, progress in moments:
        clock.now, current[0] = 1000.0 + seconds, progress
        follower.look()
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def busy(tokens: int, *, phase: Phase = "asking", rows: int = 0) -> Progress:
    return replace(ASKING, phase=phase, rows=rows, drawing=1, drawing_tokens=tokens)


def test_lines_come_every_ten_seconds_and_later_seldom() -> None:
    timer = Timer()
    due = [seconds for seconds in range(1, 7201) if timer.due(Reading(busy(seconds), float(seconds)))]
    assert due[:8] == [10, 20, 30, 40, 50, 60, 90, 120]
    assert due[-2:] == [6900, 7200]
    assert len(due) < 100


def test_a_line_that_says_nothing_new_comes_once_a_minute() -> None:
    timer = Timer()
    assert [seconds for seconds in range(1, 200) if timer.due(Reading(ASKING, float(seconds)))] == [10, 70, 130, 190]


def test_tokens_that_are_drawn_are_worth_a_line_though_no_draw_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    loading = replace(ASKING, phase="loading", model="org/model")
    said = lines_at([(5, loading), (12, loading), (15, busy(3)), (25, busy(90))], capsys, Plain())
    assert said.splitlines() == [
        "vsgen: 0:00:12 · 0/8 rows · loading org/model, 7 s",
        "vsgen: 0:00:25 · 0/8 rows · asking 1 reply, 90 tokens · 9 tokens/s",
    ]


@pytest.fixture
def logged() -> Iterator[None]:
    LOG.begin(["run", "--log-json"])
    yield
    LOG.begin([])


@pytest.mark.usefixtures("logged")
def test_a_log_has_an_event_for_each_phase_and_the_counts_by_the_timer(capsys: pytest.CaptureFixture[str]) -> None:
    moments = [(0.1, replace(ASKING, phase="loading", model="m")), (3, busy(3)), (4, busy(9)), (20, busy(99, rows=2))]
    events = [json.loads(line) for line in lines_at([*moments], capsys, Logged()).splitlines()]
    assert [(one["event"], one["phase"]) for one in events] == [
        *(("phase", "loading"), ("phase", "asking"), ("progress", "asking")),
    ]
    assert (events[-1]["rows"], events[-1]["wanted"], events[-1]["tokens"]) == (2, 8, 99)


@pytest.mark.usefixtures("logged")
def test_a_log_has_an_event_where_a_server_keeps_requests_waiting_and_where_no_longer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def kept(by: Literal["outage", "own limit"], seconds: float) -> Progress:
        return replace(ASKING, held=Held(by, "host", seconds, "HTTP 503"))

    moments = [(1, kept("own limit", 9)), (2, kept("outage", 1.5)), (3, kept("outage", 2.5)), (4, ASKING)]
    events = [json.loads(line) for line in lines_at([*moments], capsys, Logged()).splitlines()]
    assert [one["held"] for one in events if one["event"] == "held"] == [
        {"by": "outage", "server": "host", "seconds": 1.5, "why": "HTTP 503"},
        None,
    ]


class Screen:
    """The other end of a terminal, and its stream."""

    def __init__(self) -> None:
        self._own, its = pty.openpty()
        self.stream = io.TextIOWrapper(os.fdopen(its, "wb", buffering=0), encoding="utf-8", write_through=True)

    def seen(self) -> str:
        """All that was written to it, once nobody writes any more."""
        self.stream.close()
        data = b""
        with suppress(OSError):  # that is how the other end of a terminal says so
            while block := os.read(self._own, 1 << 16):
                data += block
        return data.decode()

    def close(self) -> None:
        self.stream.close()
        os.close(self._own)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    made = Screen()
    monkeypatch.setattr(sys, "stderr", made.stream)
    monkeypatch.setenv("COLUMNS", "60")
    yield made
    made.close()


def test_a_notice_stands_above_the_line_and_leaves_nothing_of_it(screen: Screen) -> None:
    drawn = Drawn(screen.stream)
    drawn.show(Reading(busy(3), 1.0))
    sys.stderr.write("vsgen: a notice\n")
    drawn.show(Reading(busy(4), 2.0))
    drawn.close()
    assert sys.stderr is screen.stream
    steps = re.split(r"\r", screen.seen())
    assert [step.replace("\x1b[K", "")[2:10] for step in steps if "rows" in step] == ["0/8 rows", "0/8 rows"]
    assert "\x1b[2Kvsgen: a notice" in steps
    assert steps[-1] == "\x1b[2K"


def test_a_line_of_wide_characters_is_taken_away_whole_where_the_terminal_became_narrow(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = Drawn(screen.stream)
    drawn.show(Reading(replace(ASKING, phase="loading", model="模型模型模型模型"), 1.0))
    monkeypatch.setenv("COLUMNS", "25")
    drawn.close()
    seen = screen.seen()
    assert seen.index("模型") < seen.index("\x1b[2A"), "53 columns are three lines of 25, though 45 characters are two"


def test_a_line_waits_for_the_end_of_what_is_printed(screen: Screen) -> None:
    drawn = Drawn(screen.stream)
    sys.stderr.write("half a ")
    drawn.show(Reading(busy(3), 1.0))
    sys.stderr.write("line\n")
    drawn.close()
    assert screen.seen() == "half a line\r\n"


def test_a_command_that_is_over_at_once_draws_nothing(screen: Screen) -> None:
    drawn = Drawn(screen.stream)
    drawn.show(Reading(busy(3), 0.3))
    drawn.close()
    sys.stderr.write("end")
    assert screen.seen() == "end"


def test_rows_are_the_same_however_progress_is_shown(vsgen: Vsgen) -> None:
    outputs = {vsgen("run", "jokes", "-n", 4, "--progress", mode, *FAST).stdout for mode in ("auto", "plain", "none")}
    outputs.add(vsgen("run", "jokes", "-n", 4, "--log-json", *FAST).stdout)
    assert len(outputs) == 1 and all(json.loads(line) for line in outputs.pop().splitlines())


def test_a_log_tells_a_run_from_its_start_to_its_end(vsgen: Vsgen, tmp_path: Path) -> None:
    summary = tmp_path / "s.json"
    made = vsgen("run", "jokes", "-n", 4, "--log-json", "--summary", summary, "-o", tmp_path / "out.jsonl", *FAST)
    first, *_, verdict, total, last = (json.loads(line) for line in made.stderr.splitlines())
    assert (first["event"], first["log"], first["command"], first["wanted"]) == ("start", 1, "run", 4)
    assert verdict == {**verdict, "event": "verdict", "verdict": json.loads(summary.read_text())["verdict"]}
    assert total["summary"] == json.loads(summary.read_text())
    assert {json.loads(line)["output"] for line in made.stderr.splitlines()} == {str(tmp_path / "out.jsonl")}
    assert (last["event"], last["status"]) == ("end", 0)
    times = [json.loads(line)["seconds"] for line in made.stderr.splitlines()]
    assert times == sorted(times)
    again = vsgen("run", "jokes", "-n", 4, "--log-json", "--resume", "-o", tmp_path / "out.jsonl", *FAST)
    assert [json.loads(line)["already"] for line in again.stderr.splitlines() if '"summary"' in line] == [True]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("run", "absent.yaml"), 2),
        (("run", "jokes", "--temperature", "99", *FAST), 2),
        (("label", "absent.jsonl", "--name", "x", "--classes", "a,b", "-m", "tiny"), 2),
        (("try", "jokes", "-m", "absent/../model"), 3),
    ],
)
def test_errors_are_events_with_the_status_and_nothing_else_is_printed(
    vsgen: Vsgen, words: tuple[str, ...], status: int
) -> None:
    got = vsgen(*words, "--log-json")
    *_, error, end = (json.loads(line) for line in got.stderr.splitlines())
    assert (error["event"], error["status"], end["event"], end["status"]) == ("error", status, "end", status)
    assert got.exit_code == status and not error["text"].startswith("vsgen:")


class Counted:
    """Counts what it is shown."""

    period = 0.001

    def __init__(self) -> None:
        self.twice = Event()
        self._seen = 0

    def show(self, reading: Reading) -> None:
        self._seen += 1
        if self._seen == 2:
            self.twice.set()

    def close(self) -> None: ...


def test_a_count_that_changes_while_it_is_copied_is_looked_at_again(capsys: pytest.CaptureFixture[str]) -> None:
    looks = iter([ASKING, None, ASKING])

    def progress() -> Progress:
        if (found := next(looks, ASKING)) is None:
            raise RuntimeError("dictionary changed size during iteration")
        return found

    view = Counted()
    follower = Follower(progress, view)
    follower.start()
    assert view.twice.wait(10)
    follower.stop()
    assert capsys.readouterr().err == ""


def test_a_file_to_be_labeled_is_counted_and_a_pipe_is_not(
    vsgen: Vsgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsgen.cli.live._INTERVALS", ((math.inf, 0.0),))
    monkeypatch.setattr("vsgen.cli.live.Logged.period", 0.001)
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(f'{{"text": "Monday {number}"}}\n\n' for number in range(100)))
    words = ("--name", "mood", "--classes", "good,bad", "-m", "tiny", "--log-json")
    for name, wanted in ((rows, 100), ("-", None)):
        got = vsgen("label", name, *words, stdin=rows.read_text())
        events = [json.loads(line) for line in got.stderr.splitlines()]
        counted = [one["wanted"] for one in events if one.get("phase") == "labeling" and "wanted" in one]
        assert counted[-1] == wanted  # the first look may come before the count
        assert [one["summary"]["wanted"] for one in events if one["event"] == "summary"] == [None]


@pytest.mark.parametrize("words", [("run", "jokes", "-n", 2), ("try", "jokes")])
def test_no_phase_comes_again_before_the_first_call(
    vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch, words: tuple[object, ...]
) -> None:
    monkeypatch.setattr("vsgen.cli.live.Logged.period", 0.0005)
    events = [json.loads(line) for line in vsgen(*words, "-m", "tiny", "--log-json").stderr.splitlines()]
    phases = [one["phase"] for one in events if one["event"] == "phase"]
    begun = phases.index("asking")
    assert [phase for i, phase in enumerate(phases[:begun]) if phase in phases[:i]] == []
    assert not {"starting", "loading"} & set(phases[begun:])


def test_warnings_are_events(vsgen: Vsgen, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"animal": "cat"}\nnot json\n')
    got = vsgen("run", "jokes", rows, "--on-error", "skip", "--log-json", *FAST)
    events = [json.loads(line) for line in got.stderr.splitlines()]
    assert any("rows.jsonl:2: not JSON" in one["text"] for one in events if one["event"] == "warning")
    assert vsgen("run", "jokes", "-n", 1, "--log-json", "-q", *FAST).stderr.count("\n") == 1


@pytest.mark.slow
def test_on_a_terminal_nothing_of_the_line_is_left(tmp_path: Path) -> None:
    words = ("run", "story-openers", "-n", "300", "--patience", "0", "--no-dedup", "-m", "tiny", "-o", "out.jsonl")
    with Terminal(words, folder=tmp_path, COLUMNS="60") as terminal:
        screen = terminal.screen().decode()
    drawn = re.findall(r"\r([^\r\n]*)\x1b\[K", screen)
    assert drawn and all(len(each) < 60 and "rows" in each for each in drawn)
    assert screen.rindex("\x1b[2K") > screen.rindex("\x1b[K")
    assert "300 rows in" in screen[screen.rindex("\x1b[2K") :]
