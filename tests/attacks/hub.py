"""A hub on the loopback that has nothing and writes down who asks; and a cache with the embedded model under an id."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from vsgen.tiny import WEIGHTS

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """The hub, and what ran against it."""

    def __init__(self, address: str, home: Path) -> None:
        self.asked: list[str] = []
        """Requests, each as its method and path."""
        self.address = address
        self._env = {
            **os.environ,
            "HF_ENDPOINT": address,
            "HF_HOME": str(home),
            "NO_PROXY": "127.0.0.1",
            "OMP_NUM_THREADS": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "VSGEN_MODEL", "VSGEN_ALLOW_MODEL"):
            self._env.pop(name, None)
        self._home = home

    def run(self, *words: object, stdin: str = "", **others: str) -> subprocess.CompletedProcess[str]:
        """Run ``vsgen`` where this is the hub."""
        command = [sys.executable, "-m", "vsgen", *map(str, words)]
        env = {**self._env, **others}
        return subprocess.run(command, input=stdin, capture_output=True, text=True, env=env, timeout=300, check=False)

    def cache(self, repo: str, *, whole: bool = True) -> None:
        """Put the embedded model into the cache under an id; if not `whole`, without its weights."""
        place = self._home / "hub" / f"models--{repo.replace('/', '--')}"
        snapshot = place / "snapshots" / COMMIT
        snapshot.mkdir(parents=True)
        (place / "refs").mkdir()
        (place / "refs" / "main").write_text(COMMIT)
        for file in WEIGHTS.iterdir():
            if file.is_file() and (whole or file.suffix != ".safetensors"):
                (snapshot / file.name).symlink_to(file)


@contextmanager
def hub(home: Path) -> Iterator[Hub]:
    """A hub for the commands of one test, whose cache lies in `home`."""

    class Handler(BaseHTTPRequestHandler):
        def _refused(self) -> None:
            made.asked.append(f"{self.command} {self.path}")
            self.send_error(404)

        do_GET = do_HEAD = do_POST = _refused

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Hub(f"http://127.0.0.1:{server.server_address[1]}", home)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
