"""Attacks on keys: whatever a server, a template or the environment does, a key goes to its own server alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Vsgen
from tests.endpoint.command import TEMPLATE
from tests.endpoint.plan import Plan, Trouble
from tests.endpoint.server import Server, serving

SECRET = 'sk-very/secret"indeed'
BEARER = f"Bearer {SECRET}"
JUDGED = """\
version: 1
name: judged
prompt: "Say something about {{ text }}."
output: {field: reply}
dedup: false
sampling: {method: direct, k: 1, max_tokens: 64}
labels:
- name: mood
  method: votes
  replies: 1
  classes: [good, bad]
  prompt: "Is it good? {{ reply }}"
  model: judge
  endpoint: URL
"""


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VSGEN_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "VSGEN_ENDPOINT", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a template, rows and a key."""
    (tmp_path / "t.yaml").write_text(TEMPLATE)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"text": f"day {i}"}) + "\n" for i in range(8)))
    (tmp_path / "key").write_text(f"{SECRET}\n")
    return tmp_path


def run(files: Path, server: Server, *more: object, template: str = "t.yaml") -> list[object]:
    kept = ["-o", files / "out.jsonl", "--rejects", files / "rejects.jsonl", "--summary", files / "summary.json"]
    return ["run", files / template, files / "rows.jsonl", "--endpoint", server.url, "-m", "echo", *kept, *more]


def seen(files: Path, *said: str) -> bytes:
    """All that anyone can read after a command, but for the key's own file."""
    names = [path for path in files.iterdir() if path.is_file() and path.name != "key"]
    return b"".join([*(path.read_bytes() for path in names), *(text.encode() for text in said)])


def hidden(text: bytes) -> bool:
    return not any(form.encode() in text for form in (SECRET, SECRET.replace('"', '\\"'), SECRET[3:10]))


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        ("echo-key", 0),
        ("401", 3),
        ("400", 0),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in (("500", 0), ("429", 0), ("404", 3))),
    ],
)
def test_a_key_that_a_server_repeats_in_whatever_it_says_is_in_nothing_that_is_left(
    vsgen: Vsgen, files: Path, trouble: Trouble, status: int
) -> None:
    plan = Plan(script=(*(None for _ in range(8)), trouble), words=f"Incorrect API key {SECRET}")
    with serving(plan) as server:
        log = ["--log-json"] if status == 0 else []
        done = vsgen(*run(files, server, "--api-key-file", files / "key", "--on-error", "skip", *log))
    assert (done.exit_code, set(server.counts.keys)) == (status, {BEARER}), done.output
    assert server.counts.troubles[trouble] == 1
    assert hidden(seen(files, done.output)) and (status == 0 or "Incorrect API key [key]" in done.output)


@pytest.mark.slow
def test_a_key_is_not_in_what_doctor_shows(vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSGEN_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://user:{SECRET[:6]}zz@localhost/v1")
    with serving(Plan(words=SECRET, script=("400",))) as server:
        for words in ((), ("--json",), ("--endpoint", server.url, "-m", "echo")):
            shown = vsgen("doctor", *words).output
            assert hidden(shown.encode()) and SECRET[:6] not in shown


@pytest.mark.slow
def test_a_bug_shows_no_key(files: Path) -> None:
    """A traceback of Python's own, even with the values of variables, has none."""
    script = (
        "import sys, traceback, vsgen.backends.endpoint.transport as transport\n"
        "def failing(*_): raise RuntimeError('a bug')\n"
        "transport.Transport.pump = failing\n"
        "sys.excepthook = lambda *e: print(''.join(traceback.TracebackException(*e, capture_locals=True).format()))\n"
        "from vsgen.__main__ import main; main(sys.argv[1:])\n"
    )
    with serving(Plan()) as server:
        words = map(str, run(files, server, "--api-key-file", files / "key"))
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-c", script, *words], capture_output=True, text=True, check=False
        )
    assert done.returncode == 3 and "a bug" in done.stderr
    assert hidden(seen(files, done.stdout, done.stderr))


def test_a_redirect_to_another_server_carries_no_key_and_is_refused(vsgen: Vsgen, files: Path) -> None:
    with serving(Plan()) as other:
        plan = Plan(shares={"redirect": 1.0}, elsewhere=f"{other.url}/chat/completions")
        with serving(plan) as server:
            done = vsgen(*run(files, server, "--api-key-file", files / "key"))
    assert done.exit_code == 3 and "redirects to another place are not followed" in done.output
    assert (server.counts.keys, other.counts.requests) == ({BEARER: 1}, 0)


@pytest.mark.parametrize(
    "more", [(), ("--allow-endpoint", "URL")], ids=["on this machine", "allowed by the user as well"]
)
def test_a_judge_at_another_server_gets_no_key_of_the_first(
    vsgen: Vsgen, files: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    monkeypatch.setenv("VSGEN_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-provider")
    with serving(Plan()) as server, serving(Plan(text="good")) as judge:
        (files / "judged.yaml").write_text(JUDGED.replace("URL", judge.url))
        given = [judge.url if word == "URL" else word for word in more]
        done = vsgen(*run(files, server, *given, template="judged.yaml"))
    assert done.exit_code == 0, done.output
    assert set(server.counts.keys) == {BEARER} and set(judge.counts.keys) == {""}


def test_a_judge_at_the_server_of_the_run_gets_its_key(vsgen: Vsgen, files: Path) -> None:
    (files / "judged.yaml").write_text(JUDGED.replace("URL", "run"))
    with serving(Plan(text="good")) as server:
        done = vsgen(*run(files, server, "--api-key-file", files / "key", template="judged.yaml"))
    assert done.exit_code == 0, done.output
    assert set(server.counts.keys) == {BEARER}


def test_a_server_that_only_a_template_names_gets_no_key(
    vsgen: Vsgen, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSGEN_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    with serving(Plan()) as server:
        (files / "t.yaml").write_text(f"{TEMPLATE}model: echo\nendpoint: {server.url}\n")
        done = vsgen("run", files / "t.yaml", files / "rows.jsonl")
    assert done.exit_code == 0, done.output
    assert set(server.counts.keys) == {""}


def test_a_flag_goes_before_the_server_that_a_template_names(vsgen: Vsgen, files: Path) -> None:
    with serving(Plan()) as server, serving(Plan()) as named:
        (files / "t.yaml").write_text(f"{TEMPLATE}model: echo\nendpoint: {named.url}\n")
        done = vsgen(*run(files, server, "--api-key-file", files / "key"))
    assert done.exit_code == 0, done.output
    assert (named.counts.requests, set(server.counts.keys)) == (0, {BEARER})


def test_neither_a_proxy_nor_a_password_is_taken_from_the_environment(
    vsgen: Vsgen, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = files / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password a-secret-of-mine\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with serving(Plan()) as proxy, serving(Plan()) as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        done = vsgen(*run(files, server))
    assert done.exit_code == 0, done.output
    assert (proxy.counts.requests, set(server.counts.keys)) == (0, {""})


class _Guarded(BaseHTTPRequestHandler):
    """A proxy that wants another password."""

    def _refuse(self) -> None:
        self.send_response(407)
        self.send_header("content-length", "0")
        self.end_headers()

    do_CONNECT = do_POST = _refuse

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def proxied() -> Iterator[int]:
    proxy = HTTPServer(("127.0.0.1", 0), _Guarded)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    yield proxy.server_port
    proxy.shutdown()
    proxy.server_close()
    thread.join()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_password_of_a_proxy_is_in_no_message(vsgen: Vsgen, files: Path, scheme: str) -> None:
    with proxied() as port:
        words = ["--endpoint", f"{scheme}://models.test/v1", "-m", "echo", "--proxy"]
        done = vsgen("run", files / "t.yaml", files / "rows.jsonl", *words, f"http://me:a-secret@127.0.0.1:{port}")
    assert done.exit_code == 3
    assert "HTTP 407" in done.output and "a-secret" not in done.output


@pytest.mark.parametrize(
    "words",
    [
        ("--api-key", SECRET),
        (f"--api-key={SECRET}",),
        ("--endpoint", f"http://models.test/v1?key={SECRET}"),
        ("--endpoint", f"http://me:{SECRET}@models.test/v1"),
        ("--allow-endpoint", f"http://{SECRET}@models.test/v1"),
    ],
)
def test_a_key_on_the_command_line_is_refused_and_not_repeated(
    vsgen: Vsgen, files: Path, words: tuple[str, ...]
) -> None:
    done = vsgen("run", files / "t.yaml", files / "rows.jsonl", "-m", "echo", *words)
    assert done.exit_code == 2 and hidden(done.output.encode())


@pytest.mark.slow
@pytest.mark.parametrize("option", [True, False], ids=["an option names the server", "a variable does"])
def test_the_command_that_goes_on_holds_no_key(files: Path, option: bool) -> None:
    with serving(Plan(expires=8)) as server:
        other = f"http://me:{SECRET}@models.test/v1"
        environment = {"VSGEN_API_KEY": SECRET, "OPENAI_BASE_URL": other if option else server.url}
        words = [str(word) for word in run(files, server) if option or word not in {"--endpoint", server.url}]
        done = subprocess.run(
            [sys.executable, "-m", "vsgen", *words],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
        )
    assert done.returncode == 3 and "To go on:\n" in done.stderr, done.stderr
    assert hidden(seen(files, done.stderr))
    assert (f"OPENAI_BASE_URL={server.url}" in done.stderr) == (not option)
