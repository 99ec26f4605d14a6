"""Real servers on a loopback port, one at a time: each computes on all cores, so they run at low priority."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

VLLM = Path("build/vllm/bin/python")
"""Where `make test-vllm` installs vLLM, in an environment of its own."""
LLAMA = Path("build/llama/make/bin/llama-server")
"""What `make test-llama` builds."""
_QUIET = {
    "OMP_NUM_THREADS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
}
_UP = 300.0
"""Seconds within which a server must be there."""
_DOWN = 30.0


@contextmanager
def vllm(model: Path, name: str, log: Path, *options: str) -> Iterator[str]:
    """vLLM's server of OpenAI's API, in float32.

    Args:
        model: A folder.
        name: Names the model on the wire.
        log: Where the server writes.
        options: More of its options.

    Yields:
        Its URL.
    """
    command = [*_module("api_server", model, name), *options]
    with _served(command, log, _QUIET) as url:
        yield url


def run_batch(model: Path, name: str, asked: Path, results: Path, log: Path) -> None:
    """Have vLLM answer a file of requests.

    Args:
        model: A folder.
        name: Names the model in the requests.
        asked: The requests.
        results: Where the results go.
        log: Where vLLM writes.
    """
    command = ["nice", "-n", "10", *_module("run_batch", model, name), "-i", str(asked), "-o", str(results)]
    with log.open("wb") as out:
        subprocess.run(command, stdout=out, stderr=out, env={**os.environ, **_QUIET}, check=True, timeout=2 * _UP)


def _module(module: str, model: Path, name: str) -> list[str]:
    """A command of vLLM on this model."""
    # the script `vllm` looks for the metadata of a distribution of that name, and this one is called vllm-cpu
    served = ["--model", str(model), "--served-model-name", name]
    # a request with a seed whose prompt is read in parts ends the CPU build: "CPU Generator does not use offset"
    whole = ["--no-enable-chunked-prefill", "--max-num-batched-tokens", "4096"]
    limits = ["--dtype", "float32", "--max-model-len", "1024", "--enforce-eager"]
    return [str(VLLM), "-m", f"vllm.entrypoints.openai.{module}", *served, *whole, *limits]


@contextmanager
def llama(model: Path, log: Path, *options: str) -> Iterator[str]:
    """llama.cpp's server.

    Args:
        model: A GGUF file.
        log: Where the server writes.
        options: More of its options.

    Yields:
        Its URL.
    """
    limits = ["--threads", "1", "--parallel", "4", "--ctx-size", "4096", *options]
    with _served([str(LLAMA), "--model", str(model), *limits], log, {}) as url:
        yield url


@contextmanager
def _served(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Iterator[str]:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    words = ["nice", "-n", "10", *command, "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            words, stdout=out, stderr=out, env={**os.environ, **environment}, start_new_session=True
        )
    try:
        _await(url, process, log)
        yield url
    finally:
        _end(process)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _UP
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise RuntimeError(f"no server came up; its last words:\n{log.read_text(errors='replace')[-3000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server and the processes that it has started."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_DOWN)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
