"""Commands whose calls are made by file: they write what a command over HTTP writes, round after round."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import Vsgen
from tests.endpoint.batch_service import Spoil, answered, lossy, requests, shuffled
from tests.endpoint.plan import Plan
from tests.endpoint.server import Server, serving


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    with serving(Plan(model="tiny")) as server:
        yield server


@pytest.fixture(scope="module")
def echo() -> Iterator[Server]:
    with serving(Plan()) as server:
        yield server


def abilities(journal: Path) -> str:
    """What a run over HTTP has found out, as the user would state it."""
    notes = [json.loads(line) for line in journal.read_bytes().splitlines() if line.startswith(b'{"kind":"note"')]
    (can,) = [one["value"]["can"] for one in notes if one["name"].startswith("abilities of ")]
    return ",".join(f"{name}={json.dumps(value).strip(chr(34))}" for name, value in can.items() if value is not None)


def by_rounds(
    vsgen: Vsgen, words: Sequence[object], server: Server, folder: Path, spoil: Callable[[int], Spoil]
) -> int:
    """Run a command until it is done, as its own words say to go on; returns how many rounds it took."""
    asked, before, ingest = server.counts.requests, set(folder.iterdir()), list[object]()
    for number in range(1, 30):
        done = vsgen(*words, *(["--resume", *ingest] if number > 1 else []), "--emit-batch", folder / "calls.jsonl")
        assert server.counts.requests == asked, "a round has sent something"
        if done.exit_code == 0:
            return number
        assert done.exit_code == 1, done.stderr
        new = [one for one in folder.glob("calls*.jsonl") if one not in before]
        assert new, done.stderr
        assert "--resume --ingest-batch RESULTS" in done.stderr
        outs = [answered(one, server.url, folder / f"{one.stem}.out", spoil(number)) for one in new]
        ingest = [word for out in outs for word in ("--ingest-batch", out)]
        before.update(new)
        asked = server.counts.requests
    raise AssertionError("it never ends")


def both(
    vsgen: Vsgen, words: Sequence[object], server: Server, folder: Path, spoil: Callable[[int], Spoil]
) -> tuple[int, bytes, bytes]:
    """A command over HTTP and by rounds: the rounds, and what each has written."""
    where = ["--endpoint", server.url, "-m", "tiny"]
    over, by = folder / "http.jsonl", folder / "batch.jsonl"
    assert vsgen(*words, *where, "-o", over).exit_code == 0
    can = abilities(over.with_name("http.jsonl.journal"))
    rounds = by_rounds(vsgen, [*words, *where, "-o", by, "--abilities", can], server, folder, spoil)
    return rounds, over.read_bytes(), by.read_bytes()


@pytest.mark.slow
def test_a_run_by_rounds_writes_what_a_run_over_http_writes(vsgen: Vsgen, served: Server, tmp_path: Path) -> None:
    rounds, over, by = both(vsgen, ["run", "support-tickets", "-n", 4], served, tmp_path, shuffled)
    assert by == over
    assert rounds >= 3  # draws, then the steps of their labels


@pytest.mark.slow
def test_bytes_are_the_same_though_results_are_lost_doubled_and_bad(
    vsgen: Vsgen, served: Server, tmp_path: Path
) -> None:
    rounds, over, by = both(vsgen, ["run", "support-tickets", "-n", 4], served, tmp_path, lossy)
    assert by == over
    assert rounds > 3


def label_words(folder: Path) -> list[object]:
    rows = folder / "texts.jsonl"
    rows.write_text("".join(json.dumps({"text": f"My light {n} is broken."}) + "\n" for n in range(5)))
    return ["label", rows, "--name", "queue", "--classes", "billing,bug", "--method", "votes", "--set", "replies=2"]


def test_rounds_write_what_http_writes_where_any_text_will_do(vsgen: Vsgen, echo: Server, tmp_path: Path) -> None:
    template = tmp_path / "any.yaml"
    template.write_text("version: 1\nname: any\nprompt: Say anything.\nsampling: {method: direct}\ndedup: false\n")
    rounds, over, by = both(vsgen, ["run", template, "-n", 8], echo, tmp_path, shuffled)
    assert (rounds, by) == (2, over)
    assert over.count(b"reply to") == 8


@pytest.mark.slow
def test_a_form_that_is_chosen_by_rounds_is_the_one_over_http(vsgen: Vsgen, served: Server, tmp_path: Path) -> None:
    shown = tmp_path / "shown.jsonl"
    shown.write_text('{"text": "I was charged twice.", "queue": "billing"}\n{"text": "It broke.", "queue": "bug"}\n')
    words = [*label_words(tmp_path)[:6], "--examples", shown]
    rounds, over, by = both(vsgen, words, served, tmp_path, shuffled)
    assert by == over
    assert rounds >= 2 and over.count(b'"examples":2') == 5


@pytest.mark.slow
def test_labels_by_rounds_are_those_over_http(vsgen: Vsgen, served: Server, tmp_path: Path) -> None:
    _, over, by = both(vsgen, label_words(tmp_path), served, tmp_path, shuffled)
    assert by == over


def test_a_round_that_was_killed_and_one_that_is_repeated_lose_nothing(
    vsgen: Vsgen, echo: Server, tmp_path: Path
) -> None:
    words = [*label_words(tmp_path), "--endpoint", echo.url, "-m", "tiny", "-o", tmp_path / "out.jsonl"]
    emit = ["--emit-batch", tmp_path / "calls.jsonl"]
    assert vsgen(*words, *emit).exit_code == 1
    calls = list(requests(tmp_path / "calls.jsonl"))
    out = answered(tmp_path / "calls.jsonl", echo.url, tmp_path / "out", lambda results: results[:3])
    journal = tmp_path / "out.jsonl.journal"
    before = journal.read_bytes()
    ingest = ["--resume", "--ingest-batch", out]
    assert vsgen(*words, *emit, *ingest).exit_code == 1
    after = list(requests(tmp_path / "calls.2.jsonl"))
    assert {name for name, _, _ in after} < {name for name, _, _ in calls}
    journal.write_bytes(before + journal.read_bytes()[len(before) :][:-40])  # a kill in the middle of a line
    (tmp_path / "calls.2.jsonl").unlink()
    done = vsgen(*words, *emit, *ingest)
    assert done.exit_code == 1
    assert list(requests(tmp_path / "calls.2.jsonl")) == after
    assert "no open call" in done.stderr  # those whose replies were in the journal already


@pytest.mark.slow
def test_what_is_left_can_be_asked_over_http(vsgen: Vsgen, served: Server, tmp_path: Path) -> None:
    words = [*label_words(tmp_path), "--endpoint", served.url, "-m", "tiny", "-o", tmp_path / "out.jsonl"]
    assert vsgen(*words, "--emit-batch", tmp_path / "calls.jsonl").exit_code == 1
    out = answered(tmp_path / "calls.jsonl", served.url, tmp_path / "out", lambda results: results[:3])
    asked = sum(served.counts.served.values())
    done = vsgen(*words, "--resume", "--ingest-batch", out)
    assert done.exit_code == 0, done.stderr
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 5
    assert "3 calls answered" in done.stderr
    assert sum(served.counts.served.values()) > asked


def test_the_next_command_is_printed_as_it_is_to_be_typed(vsgen: Vsgen, tmp_path: Path) -> None:
    words = [*label_words(tmp_path), "--endpoint", "http://127.0.0.1:1", "-m", "m", "-o", tmp_path / "out.jsonl"]
    done = vsgen(*words, "--overwrite", "--emit-batch", tmp_path / "calls.jsonl")
    *_, told, command = done.stderr.strip().splitlines()
    assert f"written to {tmp_path}/calls.jsonl (m@127.0.0.1:1, /v1/chat/completions)" in told
    typed = shlex.split(command)
    assert typed[typed.index("label") :] == [
        *["label", "--resume", "--ingest-batch", "RESULTS", *map(str, words[1:])],
        *["--emit-batch", f"{tmp_path}/calls.jsonl"],
    ]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (["--emit-batch", "calls"], "needs -o FILE"),
        (["-o", "out", "--emit-batch", "out"], "named twice"),
        (["-o", "out", "--emit-batch", "-"], "--emit-batch -: requests go to a file"),
        (["-o", "out", "--emit-batch", "taken"], "taken: exists; name another --emit-batch, or --overwrite"),
        (["-o", "out", "--ingest-batch", "nowhere"], "nowhere: cannot be read"),
        (["-o", "out", "--ingest-batch", "taken"], "taken: is empty"),
        (["-o", "out", "--abilities", "vllm"], "needs --emit-batch"),
        (["-o", "out", "--emit-batch", "calls", "--abilities", "vlm"], "no ability named 'vlm'"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    vsgen: Vsgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: list[str], problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").touch()
    done = vsgen(*label_words(tmp_path), "--endpoint", "http://127.0.0.1:1", "-m", "m", *more)
    assert (done.exit_code, problem in " ".join(done.stderr.split())) == (2, True), done.stderr
    assert not (tmp_path / "out").exists()


def test_a_model_in_this_process_writes_no_batch(vsgen: Vsgen, tmp_path: Path) -> None:
    done = vsgen(*label_words(tmp_path), "-m", "tiny", "-o", tmp_path / "out", "--emit-batch", tmp_path / "calls")
    assert done.exit_code == 2
    assert "none of the models is behind a URL" in done.stderr


def test_a_provider_needs_no_key_where_nothing_is_sent(
    vsgen: Vsgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "VSGEN_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    words = [*label_words(tmp_path), "-m", "claude", "--endpoint", "https://api.anthropic.com", "-o", tmp_path / "out"]
    done = vsgen(*words, "--emit-batch", tmp_path / "calls.json")
    assert done.exit_code == 1, done.stderr
    assert "the least is assumed" in done.stderr
    assert len(list(requests(tmp_path / "calls.json"))) == 10


def test_other_abilities_than_in_the_first_round_are_refused(vsgen: Vsgen, tmp_path: Path) -> None:
    words = [*label_words(tmp_path), "-m", "m", "--endpoint", "http://127.0.0.1:1", "-o", tmp_path / "out"]
    words += ["--emit-batch", tmp_path / "calls.jsonl"]
    assert vsgen(*words, "--abilities", "seed").exit_code == 1
    assert vsgen(*words, "--resume").exit_code == 1
    done = vsgen(*words, "--resume", "--abilities", "vllm")
    assert done.exit_code == 2
    assert "the first round" in done.stderr


def test_abilities_of_a_command_that_wrote_no_file_bind_no_later_one(vsgen: Vsgen, tmp_path: Path) -> None:
    words = ["run", "support-tickets", "-m", "x", "--endpoint", "http://127.0.0.1:9", "-n", 2, "-o", tmp_path / "out"]
    emit = ["--emit-batch", tmp_path / "calls.jsonl"]
    refused = vsgen(*words, *emit)
    assert refused.exit_code == 2 and "say so with --abilities" in refused.stderr
    assert vsgen(*words, *emit, "--abilities", "vllm").exit_code == 1
    other = vsgen(*words, *emit, "--resume", "--abilities", "openai")
    assert other.exit_code == 2 and "was written with others" in other.stderr
