"""A hub that is out of reach is one error at once; one that answers, with whatever, is no obstacle."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from huggingface_hub import constants

from vsgen.backends.hf import load
from vsgen.backends.open import open_model
from vsgen.backends.reach import check_reachable
from vsgen.errors import ModelError


@pytest.fixture(autouse=True)
def _no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


def test_a_hub_out_of_reach_is_named_before_a_library_tries_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def tried(*_: Any, **__: Any) -> None:
        pytest.fail("a library asked for a file")

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(load._HF.AutoConfig, "from_pretrained", tried)
    with pytest.raises(ModelError, match=r"^owner/missing: .* http://127\.0\.0\.1:9 cannot be reached .*check the"):
        open_model("owner/missing")


def test_a_hub_that_answers_with_an_error_is_left_to_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:  # answers 501 to everything
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        check_reachable("owner/missing")
        server.shutdown()


def test_an_environment_that_forbids_downloads_is_named_and_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=r"^owner/missing: is not on this machine, and HF_HUB_OFFLINE=1 forbids"):
        open_model("owner/missing")
