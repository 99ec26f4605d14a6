"""The command line as a process of its own, which asks our server in another; and what became of every row."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

from tests.endpoint.server import digest

TEMPLATE: Final = """\
version: 1
name: echoed
prompt: "Say something about {{ text }}."
output: {field: reply}
dedup: false
sampling: {method: direct, k: 1, max_tokens: 64}
"""
_SEEDS: Final = 1 << 31
_PLACE: Final = re.compile(rb"127\.0\.0\.1:\d+")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    status: int
    stderr: str
    seconds: float


@dataclass
class Held:
    """What is in the files of a run, once it is over."""

    rows: list[dict[str, Any]]
    rejects: list[dict[str, Any]]
    keys: Counter[str]
    """Of the calls in the journal."""
    replies: dict[str, dict[str, Any]]
    """What the journal holds, by the digest of what was asked, as the server makes it."""
    summary: Mapping[str, Any]

    @property
    def accounted(self) -> Counter[int]:
        """How often each input row ended as a row or as a reject."""
        rejected = [one["row"] if "row" in one else one["meta"]["row"] for one in self.rejects]
        return Counter([row["meta"]["row"] for row in self.rows] + rejected)

    def excess(self, served: Mapping[str, int]) -> int:
        """Usable replies that the server made beyond those in the journal, apart from its examination."""
        return sum(served.get(name, 0) for name in self.replies) - len(self.replies)


class Run:
    """``vsgen run`` over numbered rows, in a folder of its own."""

    def __init__(self, folder: Path, rows: int, *words: object, template: str = TEMPLATE, **environment: str) -> None:
        """Prepare it.

        Args:
            folder: Where its files go; made here.
            rows: Of the input.
            words: Further options.
            template: Its template.
            environment: Further variables.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.count = folder, rows
        self.template, self.rows, self.out = folder / "t.yaml", folder / "rows.jsonl", folder / "out.jsonl"
        self.template.write_text(template)
        self.rows.write_text("".join(json.dumps({"text": f"number {each}"}) + "\n" for each in range(rows)))
        self._words, self._environment = words, environment

    def words(self, url: str, *more: object) -> list[str]:
        """The command line, after ``vsgen``."""
        files = ["-o", self.out, "--rejects", self.folder / "rejects.jsonl", "--summary", self.folder / "summary.json"]
        place = ["--endpoint", url, "-m", "echo", "--on-error", "skip", "--progress", "none"]
        return [str(word) for word in ("run", self.template, self.rows, *place, *files, *self._words, *more)]

    def begun(self, url: str, *more: object, prepare: Callable[[], object] | None = None) -> subprocess.Popen[str]:
        """Start it."""

        def ready() -> None:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
            if prepare is not None:
                prepare()

        return subprocess.Popen(
            [sys.executable, "-m", "vsgen", *self.words(url, *more)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", **self._environment},
            preexec_fn=ready,
        )

    def run(self, url: str, *more: object, prepare: Callable[[], object] | None = None) -> Ended:
        """Run it to its end."""
        begun = time.perf_counter()
        child = self.begun(url, *more, prepare=prepare)
        return ended(child, begun)

    @property
    def journal(self) -> Path:
        """Where its calls are."""
        return self.out.with_name("out.jsonl.journal")

    def calls(self) -> int:
        """Calls in the journal so far."""
        return self.journal.read_bytes().count(b'{"key":') if self.journal.exists() else 0

    def held(self) -> Held:
        """What it left."""
        calls = [one for one in _lines(self.journal) if "key" in one]
        summary = self.folder / "summary.json"
        return Held(
            _lines(self.out),
            _lines(self.folder / "rejects.jsonl"),
            Counter(one["key"] for one in calls),
            {_digest(one["call"]): one["reply"] for one in calls if one["kind"] == "generate"},
            json.loads(summary.read_text()) if summary.exists() else {},
        )

    def bytes(self) -> bytes:
        """The rows, without the port of the server."""
        return _PLACE.sub(b"HOST", self.out.read_bytes())


def ended(child: subprocess.Popen[str], begun: float) -> Ended:
    """Wait for a command."""
    _, said = child.communicate(timeout=600)
    code = child.returncode
    return Ended(128 - code if code < 0 else code, said, time.perf_counter() - begun)


def counts(url: str) -> dict[str, Any]:
    """What the server has counted; see `tests.endpoint.server.Counts`."""
    with urlopen(url.removesuffix("v1") + "counts") as read:
        told: dict[str, Any] = json.load(read)
    return told


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def _digest(call: Mapping[str, Any]) -> str:
    return digest({"messages": call["prompt"]["messages"], "seed": call["seed"] % _SEEDS})


def unlawful(run: Run, told: Mapping[str, Any], *, flown: int = 0) -> list[str]:
    """What of a finished run breaks a law; nothing, if all is well.

    Args:
        run: The run.
        told: What its server has counted.
        flown: Replies that may have been lost on their way: what was in flight when the client or a request was ended.
    """
    held, served = run.held(), told["served"]
    laws = {
        "every input is accounted for once": held.accounted == Counter(range(run.count)),
        "candidates = records + rejects": held.summary["candidates"] == len(held.rows) + len(held.rejects),
        "no row twice": len({row["id"] for row in held.rows}) == len(held.rows),
        "a journaled reply is not asked again": all(count == 1 for count in held.keys.values()),
        "a row is what the server said": sorted(row["reply"] for row in held.rows) == sorted(_texts(held)),
        "a reply is of its own request": all(_own(name, reply) for name, reply in held.replies.items()),
        "the server counts no more than the journal and what was lost": 0 <= held.excess(served) <= flown,
        "nothing but the part that is whole is there": not list(run.folder.glob("*.part")),
    }
    return [law for law, holds in laws.items() if not holds]


def _texts(held: Held) -> list[str]:
    return [reply["text"] for reply in held.replies.values()]


def _own(name: str, reply: Mapping[str, Any]) -> bool:
    """Whether a reply is the server's to this request, whole, or cut and marked as that."""
    whole = f"reply to {name}"
    return reply["text"] == whole if reply["stopped"] else bool(reply["text"]) and whole.startswith(reply["text"])
