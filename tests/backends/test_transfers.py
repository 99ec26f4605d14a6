"""The bytes of a download are known while they come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import huggingface_hub
import pytest

from vsgen.backends.transfers import Transfer, counted, transfer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SIZE = 300_000
WAIT = 20.0
"""Seconds within which a machine, however busy, sends half a file."""


@contextmanager
def hub(half: Event) -> Iterator[str]:
    """The address of a hub that has one file in one repository, and sends its second half once `half` is set."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._headers(SIZE)

        def do_GET(self) -> None:
            if self.path.startswith("/api/"):
                body = {"id": "org/model", "sha": COMMIT, "siblings": [{"rfilename": "model.bin", "size": SIZE}]}
                tree = [{"type": "file", "path": "model.bin", "size": SIZE, "oid": "0" * 40}]
                listed = json.dumps(tree if "/tree/" in self.path else body).encode()
                self._headers(len(listed))
                self.wfile.write(listed)
                return
            self._headers(SIZE)
            self.wfile.write(b"x" * (SIZE // 2))
            half.wait(WAIT)
            self.wfile.write(b"x" * (SIZE // 2))

        def _headers(self, size: int) -> None:
            self.send_response(200)
            for name, value in {"ETag": '"1"', "X-Repo-Commit": COMMIT, "Content-Length": str(size)}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("whole", [False, True])
def test_half_a_download_is_half_of_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool) -> None:
    """Of one file, as transformers fetches weights, and of a repository, as embedders come."""
    monkeypatch.setattr("vsgen.backends.transfers._CHUNK", 1000)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    half, seen = Event(), set[Transfer | None]()

    def fetch(address: str) -> None:
        with counted() as bar:
            if whole:
                huggingface_hub.snapshot_download("org/model", endpoint=address, cache_dir=tmp_path, tqdm_class=bar)
            else:
                huggingface_hub.hf_hub_download(
                    "org/model", "model.bin", endpoint=address, cache_dir=tmp_path, tqdm_class=bar
                )

    with hub(half) as address:
        thread = Thread(target=fetch, args=(address,))
        thread.start()
        while thread.is_alive() and Transfer(SIZE // 2, SIZE) not in seen:
            seen.add(transfer())
        half.set()
        thread.join(WAIT)
    assert Transfer(SIZE // 2, SIZE) in seen
    assert transfer() is None
    assert [path.stat().st_size for path in tmp_path.rglob("model.bin")] == [SIZE]
