"""Whatever a server does to a command: every input is accounted for once, no reply is lost, invented or paid again.

The command and the server are processes of their own. ``python -m tests.attacks endpoint`` measures what faults cost.
"""

from __future__ import annotations

import re
import resource
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.endpoint.command import Run, counts, ended, unlawful
from tests.endpoint.plan import Plan, Trouble
from tests.endpoint.run import process
from tests.endpoint.server import serving

ROWS = 300
MIXED: dict[Trouble, float] = {
    "429": 0.02,
    "429-after": 0.02,
    "500": 0.05,
    "503": 0.02,
    "reset": 0.02,
    "hang": 0.02,
    "garbage": 0.05,
    "type": 0.02,
    "error-200": 0.02,
    "cut": 0.02,
    "drip": 0.02,
}
SHARES: list[dict[Trouble, float]] = [
    {"429": 0.05, "429-after": 0.05, "429-date": 0.05, "500": 0.05, "503": 0.02, "reset": 0.02},
    {
        "hang": 0.02,
        "cut": 0.05,
        "drip": 0.05,
        "garbage": 0.05,
        "type": 0.05,
        "error-200": 0.05,
        "deep": 0.02,
        "surrogate": 0.01,
        "huge": 0.01,
    },
]


def clean(folder: Path, rows: int = ROWS, *words: object) -> bytes:
    """The bytes of a run to which nothing happens."""
    run = Run(folder / "clean", rows, *words)
    with serving(Plan()) as server:
        assert run.run(server.url).status == 0
    return run.bytes()


@pytest.mark.slow
def test_a_run_under_every_fault_ends_with_the_bytes_of_a_clean_run(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", 80, "--timeout", 1)
    with serving(Plan(shares=MIXED, latency=0.01)) as server:
        done = run.run(server.url)
        told = server.counts.told()
    assert done.status == 0, done.stderr
    assert unlawful(run, told) == []
    assert run.bytes() == clean(tmp_path, 80)


@pytest.mark.slow
@pytest.mark.parametrize("shares", SHARES, ids=lambda shares: ",".join(shares))
def test_no_input_is_lost_or_twice(shares: dict[Trouble, float], tmp_path: Path) -> None:
    run = Run(tmp_path, ROWS, "--timeout", 2)
    with process(Plan(shares=shares, latency=0.02)) as url:
        done = run.run(url)
        told = counts(url)
    assert done.status == 0, done.stderr
    assert set(told["troubles"]) == set(shares)
    assert unlawful(run, told) == [] and not run.held().rejects


@pytest.mark.slow
def test_what_is_cut_is_marked_and_what_is_filtered_is_a_reject_with_its_reason(tmp_path: Path) -> None:
    run = Run(tmp_path, ROWS)
    with process(Plan(shares={"length": 0.05, "filtered": 0.05}, latency=0.02)) as url:
        done = run.run(url)
        told = counts(url)
    held = run.held()
    assert done.status == 0 and unlawful(run, told) == []
    assert len(held.rejects) > 5 and {(one["reason"], one["detail"]) for one in held.rejects} == {
        ("refused", "the server's content filter withheld the reply")
    }
    cut = [row for row in held.rows if not row["reply"].startswith("reply to ")]
    assert cut and all(row["meta"]["flags"] == ["truncated"] for row in cut)
    again = run.run(url, "--resume")  # the server is gone: nothing is asked that was answered
    assert again.status == 0 and "complete already" in again.stderr


@pytest.mark.slow
def test_a_server_that_refuses_every_call_ends_the_run_and_one_that_refuses_what_is_left_does_not(
    tmp_path: Path,
) -> None:
    run = Run(tmp_path / "run", 60)
    with serving(Plan(script=(None,) * 5, shares={"400": 1.0})) as server:
        refused = run.run(server.url)
        assert refused.status == 3 and "the server refuses every request, the last: " in refused.stderr
        server.plan = Plan(expires=server.counts.requests + 30)
        assert run.run(server.url).status == 3 and 20 < run.calls() <= 30
        server.plan = Plan(shares={"400": 1.0})
        done = run.run(server.url, "--resume")
        told = server.counts.told()
    assert done.status == 0, done.stderr
    assert unlawful(run, told, flown=64) == [] and len(run.held().rejects) >= 30


@pytest.mark.slow
@pytest.mark.parametrize("after", [0.3, 1.5], ids=["while the server is examined", "in the middle of the run"])
def test_an_outage_costs_no_input(after: float, tmp_path: Path) -> None:
    run = Run(tmp_path, 1500)
    with process(Plan(dead=(after, 20.0 if after > 1 else 3.0), latency=0.1)) as url:
        done = run.run(url)
        told = counts(url)
    assert done.status == 0, done.stderr
    assert unlawful(run, told, flown=64) == []


@pytest.mark.slow
def test_second_requests_go_round_servers_that_hang_and_no_reply_is_used_twice(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", ROWS, "--hedge")
    with process(Plan(script=(None,) * 100, shares={"hang": 0.02}, latency=0.05)) as url:
        done = run.run(url)
        told = counts(url)
    assert done.status == 0, done.stderr
    assert done.seconds < 200  # without them, a hang takes 300
    sent = re.search(r"--hedge sent (\d+) requests a second time", done.stderr)
    assert sent and told["troubles"]["hang"] >= 1
    assert unlawful(run, told, flown=int(sent[1])) == []
    assert run.bytes() == clean(tmp_path)


LABELS = """\
version: 1
name: judged
prompt: "-"
labels:
- name: queue
  method: score
  classes: [billing, bug, how-to]
  prompt: "Which queue takes this ticket?\\n\\n{{ text }}"
"""


@pytest.mark.slow
def test_labels_under_every_fault_are_those_of_a_clean_run(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(LABELS)
    tickets = [f'{{"text": "The light flickers, and order {number} was charged twice."}}\n' for number in range(12)]
    (tmp_path / "rows.jsonl").write_text("".join(tickets))
    made = []
    with serving(Plan(model="tiny")) as server:
        for name, plan in (("clean", server.plan), ("faults", Plan(model="tiny", shares=MIXED))):
            server.plan = plan
            words = ["label", tmp_path / "rows.jsonl", "--template", tmp_path / "t.yaml", "-m", "tiny"]
            words += ["--endpoint", server.url, "-o", tmp_path / f"{name}.jsonl", "--timeout", "2"]
            command = [sys.executable, "-m", "vsgen", *map(str, words)]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            made.append((tmp_path / f"{name}.jsonl").read_bytes())
        assert server.counts.troubles.total() > 2
    assert made[0] == made[1] and made[0].count(b"\n") == 12


@pytest.mark.slow
def test_a_client_that_is_killed_again_and_again_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """``make attacks`` has ten kills."""
    kills, together, rng = 3, 16, Random(0)
    run = Run(tmp_path / "run", 400, "--concurrency", together, "--timeout", 2)
    with process(Plan(shares={"500": 0.05, "garbage": 0.05}, latency=0.05)) as url:
        for kill in range(kills):
            child, before = run.begun(url, *(["--resume"] if kill else [])), run.calls()
            while child.poll() is None and run.calls() < before + rng.randint(10, 100):
                time.sleep(0.002)
            child.kill()
            assert ended(child, 0.0).status == 128 + signal.SIGKILL
        done = run.run(url, "--resume")
        told = counts(url)
    assert done.status == 0, done.stderr
    assert unlawful(run, told, flown=kills * together) == []
    assert run.bytes() == clean(tmp_path, 400)


@pytest.mark.slow
def test_a_full_disk_loses_nothing_and_the_command_in_the_message_goes_on(tmp_path: Path) -> None:
    """A file-size limit stands in for the disk: the kernel refuses the same write in the same way."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    run = Run(tmp_path / "run", ROWS)
    with process(Plan(latency=0.02)) as url:
        full = run.run(url, prepare=limit)
        assert full.status == 4 and "free some space, then run:\n" in full.stderr and "Traceback" not in full.stderr
        assert 20 < run.calls() < ROWS
        resumed = again(full.stderr, "then run:\n")
        told = counts(url)
    assert resumed.returncode == 0
    assert unlawful(run, told, flown=64) == []
    assert run.bytes() == clean(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answered", "sent"),
    [(0, signal.SIGTERM), (40, signal.SIGINT)],
    ids=["at the first request", "later"],
)
def test_a_signal_ends_a_run_whose_server_hangs_at_once(answered: int, sent: signal.Signals, tmp_path: Path) -> None:
    run = Run(tmp_path, ROWS)
    with serving(Plan(script=(None,) * answered, shares={"hang": 1.0})) as server:
        child = run.begun(server.url)
        wait_until(lambda: server.counts.troubles["hang"] > 0)
        child.send_signal(sent)
        stopped = ended(child, time.perf_counter())
        assert stopped.status == 128 + sent and "Traceback" not in stopped.stderr
        assert stopped.seconds < 30  # the requests would hang for 300
        server.plan = Plan()
        resumed = again(stopped.stderr, "To go on:\n")
        told = server.counts.told()
    assert resumed.returncode == 0, resumed.stderr
    assert unlawful(run, told, flown=64) == []


@pytest.mark.slow
def test_a_key_that_expires_ends_the_run_which_goes_on_with_another(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("sk-first-0123456789")
    run = Run(tmp_path / "run", ROWS, "--api-key-file", key)
    with serving(Plan(expires=100, latency=0.02)) as server:
        stopped = run.run(server.url)
        assert stopped.status == 3 and "HTTP 401 (It went wrong): the key is missing or not accepted" in stopped.stderr
        assert "sk-first" not in stopped.stderr and 80 <= run.calls() <= 100
        server.plan = Plan(key="sk-second-0123456789")
        key.write_text("sk-second-0123456789")
        resumed = again(stopped.stderr, "To go on:\n")
        told = server.counts.told()
    assert resumed.returncode == 0, resumed.stderr
    assert unlawful(run, told, flown=64) == []


def wait_until(what: Callable[[], bool]) -> None:
    """Wait for something that is sure to come."""
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def again(stderr: str, after: str) -> subprocess.CompletedProcess[str]:
    """Run the command that stands at the end of a message."""
    words = shlex.split(stderr.rpartition(after)[2])
    return subprocess.run(words, check=False, capture_output=True, text=True)
