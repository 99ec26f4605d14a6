"""From Python vsgen gives what the command line writes, and leaves nothing open."""

from __future__ import annotations

import gc
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

import vsgen
from tests.endpoint.plan import Plan
from tests.endpoint.server import serving
from vsgen import Record, Rows, SoftLabel, Unlabelled, VsgenError, generate, label
from vsgen.backends.table import TableModel
from vsgen.cli.app import app
from vsgen.errors import EndpointError, InputError, ModelError, OptionError, TemplateError, TooLongError
from vsgen.tiny.oracle import Oracle
from vsgen.values import Completion, Generate

LETTERS = {
    "version": 1,
    "name": "letters",
    "prompt": "Say letters at {{ place }}.",
    "sampling": {"method": "direct", "k": 2},
    "dedup": False,
}
TABLE = TableModel.random(1)
MOOD = {"name": "mood", "classes": ["a", "b"]}


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert threads() == []


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("vsgen")]


def command(*words: object) -> None:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.stderr


def written(lines: Iterable[Mapping[str, object]]) -> bytes:
    return b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)


def places(number: int | None = None) -> Iterator[dict[str, object]]:
    for place in count() if number is None else range(number):
        yield {"place": place}


def places_and(wrong: object) -> Iterator[dict[str, object]]:
    yield from places(1)
    yield wrong  # type: ignore[misc]


class Counting:
    """A table that counts the replies that it is asked for."""

    def __init__(self) -> None:
        self.name = TABLE.name
        self.score = TABLE.score
        self.asked = 0

    def generate(self, calls: Sequence[Generate]) -> Sequence[Completion]:
        self.asked += len(calls)
        return TABLE.generate(calls)


def test_rows_are_those_that_the_command_writes_byte_for_byte(tmp_path: Path) -> None:
    output, rejects = tmp_path / "out.jsonl", tmp_path / "rejects.jsonl"
    settings = ("--set", "keep=labels.category.margin > 0.5", "--set", "sampling.k=4")
    command("run", "support-tickets", "-n", 6, "--seed", 3, "-m", "tiny", *settings, "-o", output, "--rejects", rejects)
    changed = {"keep": "labels.category.margin > 0.5", "sampling.k": 4}
    rows = generate("support-tickets", num=6, seed=3, model="tiny", settings=changed)
    assert written(rows.lines()) == output.read_bytes()
    assert written(rows.rejected) == rejects.read_bytes() != b""


def test_mappings_are_rows_as_the_lines_of_a_file_are(tmp_path: Path) -> None:
    given, output = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows: list[Mapping[str, object]] = [
        {"product": "espresso machine", "tags": ("a", 1.5, None)},
        {"product": "headphones", "tags": ()},
    ]
    given.write_bytes(written(rows))
    command("run", "support-tickets", given, "-m", "tiny", "--no-dedup", "-o", output)
    for source in (rows, given):
        made = generate("support-tickets", source, model="tiny", settings={"dedup": False})
        assert written(made.lines()) == output.read_bytes()


def test_a_question_may_hold_any_character() -> None:
    (row,) = label([{"text": "abc"}], {**MOOD, "prompt": "How is it? \N{SLICE OF PIZZA}"}, model=TABLE)
    assert isinstance(row.labels["mood"], SoftLabel)


def test_labels_are_those_that_the_command_writes_byte_for_byte(tmp_path: Path) -> None:
    given, output = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows = [{"text": "It broke.", "n": 1}, {"text": "How do I reset it?", "n": 2}]
    given.write_bytes(written(rows))
    command("label", given, "--template", "support-tickets", "-m", "tiny", "-o", output)
    assert written(label(rows, "support-tickets", model="tiny").lines()) == output.read_bytes()


def test_records_are_typed_and_every_candidate_is_a_record_or_a_reject() -> None:
    with generate("support-tickets", num=5, model="tiny", settings={"keep": "labels.category.margin > 0.9"}) as rows:
        records = list(rows)
    assert all(isinstance(record, Record) for record in records)
    for record in records:
        category = record.labels["category"]
        assert isinstance(category, SoftLabel)
        assert category.margin > 0.9
        assert str(record.fields["text"])
        assert 0 < record.probability <= 1
    assert rows.counts.candidates == len(records) + len(rows.rejected)
    assert {reject["reason"] for reject in rows.rejected} >= {"keep"}
    assert rows.summary["rows"] == len(records) == 5


def test_a_row_comes_as_a_value_or_as_a_line_and_never_twice() -> None:
    whole = [record.id for record in generate(LETTERS, places(3), model=TABLE)]
    rows = generate(LETTERS, places(3), model=TABLE)
    first, second = next(rows), next(rows.lines())
    assert [first.id, second["id"], *(record.id for record in rows)] == whole
    json.dumps(second)


def test_a_labelled_row_has_its_own_fields_beside_its_labels() -> None:
    (row,) = label([{"note": "abc", "n": 3}], MOOD, on="note", model=TABLE)
    assert row.fields == {"note": "abc", "n": 3}
    mood = row.labels["mood"]
    assert isinstance(mood, SoftLabel)
    assert sum(mood.probs.values()) == pytest.approx(1)
    assert mood.probs[mood.most_likely] == max(mood.probs.values())


def test_the_journal_is_asked_before_the_model(tmp_path: Path) -> None:
    journal, model = tmp_path / "letters.journal", Counting()
    first = written(generate(LETTERS, places(4), model=model, journal=journal).lines())
    assert model.asked == 8
    assert written(generate(LETTERS, places(4), model=model, journal=journal).lines()) == first
    assert model.asked == 8
    assert written(generate(LETTERS, places(5), model=model, journal=journal).lines()).startswith(first)
    assert model.asked == 10


def test_what_was_asked_before_an_early_end_is_not_asked_again(tmp_path: Path) -> None:
    journal, model = tmp_path / "letters.journal", Counting()
    whole = written(generate(LETTERS, places(40), model=TABLE).lines())
    with generate(LETTERS, places(40), model=model, journal=journal) as rows:
        next(rows)
    before = model.asked
    again = generate(LETTERS, places(40), model=model, journal=journal)
    assert written(again.lines()) == whole
    assert again.counts.paid["generate"] < 80
    assert model.asked - before == again.counts.paid["generate"]


def test_an_object_is_a_model_and_is_named_in_the_rows() -> None:
    (first, *_) = generate("random-day", num=3, model=Oracle(), settings={"dedup": False})
    assert first.meta["model"] == "oracle"


def closed(rows: Rows[Record]) -> None:
    next(rows)
    rows.close()


def left_by_a_context(rows: Rows[Record]) -> None:
    with rows:
        next(rows)


def broken_off(rows: Rows[Record]) -> None:
    with rows:
        for _ in rows:
            break


def failed_by_its_reader(rows: Rows[Record]) -> None:
    with pytest.raises(ZeroDivisionError), rows:
        for _ in rows:
            raise ZeroDivisionError


@pytest.mark.parametrize("ending", [closed, left_by_a_context, broken_off, failed_by_its_reader])
def test_rows_that_end_early_leave_no_thread(ending: Callable[[Rows[Record]], None]) -> None:
    rows = generate(LETTERS, places(), model=TABLE)
    ending(rows)
    assert threads() == []
    assert list(rows) == []


def test_a_loop_that_breaks_closes_rows_that_nobody_holds() -> None:
    gc.disable()
    try:
        for _ in generate(LETTERS, places(), model=TABLE):
            assert threads() != []
            break
        assert threads() == []
        for _ in generate(LETTERS, places(), model=TABLE).lines():
            break
        assert threads() == []
    finally:
        gc.enable()


def test_rows_of_a_file_leave_no_reader_behind(tmp_path: Path) -> None:
    given = tmp_path / "rows.jsonl"
    given.write_bytes(written(places(300_000)))
    with generate(LETTERS, given, model=TABLE) as rows:
        next(rows)
        assert "vsgen rows" in threads()
    assert threads() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, InputError])
def test_what_rows_raise_ends_the_run_and_leaves_no_thread(error: type[BaseException]) -> None:
    def failing() -> Iterator[dict[str, object]]:
        yield from places(3)
        raise error("no more")

    rows = generate(LETTERS, failing(), model=TABLE)
    with pytest.raises(error, match="no more"):
        list(rows)
    assert error is KeyboardInterrupt or rows.counts.units == 3  # what is under way is finished first
    assert threads() == []


def test_what_a_model_raises_is_an_error_of_vsgen() -> None:
    class Failing(Counting):
        def generate(self, calls: Sequence[Generate]) -> Sequence[Completion]:
            raise ZeroDivisionError("a fault in it")

    with pytest.raises(ModelError, match="ZeroDivisionError: a fault in it"):
        list(generate(LETTERS, places(1), model=Failing()))


def test_two_runs_at_once_do_not_disturb_each_other() -> None:
    alone = written(generate(LETTERS, places(6), model=TABLE).lines())
    first, second = (generate(LETTERS, places(6), model=TABLE, seed=seed) for seed in (0, 1))
    pairs = list(zip(first.lines(), second.lines(), strict=True))
    assert written(line for line, _ in pairs) == alone
    assert written(line for _, line in pairs) == written(generate(LETTERS, places(6), model=TABLE, seed=1).lines())


def test_one_run_can_feed_another() -> None:
    texts = [record.fields["text"] for record in generate(LETTERS, places(5), model=TABLE)]
    made = ({"text": record.fields["text"]} for record in generate(LETTERS, places(5), model=TABLE))
    assert [row.fields["text"] for row in label(made, MOOD, model=TABLE)] == texts


def test_rows_of_an_endless_slow_iterator_come_out_while_it_goes_on() -> None:
    taken: list[int] = []

    def slow() -> Iterator[dict[str, object]]:
        for number, row in enumerate(places()):
            time.sleep(0.02)
            taken.append(number)
            yield row

    with generate(LETTERS, slow(), model=TABLE) as rows:
        next(rows)
        assert len(taken) <= 10  # and not as many as an engine starts at once


def test_a_row_may_be_changed_once_it_was_given() -> None:
    def reused() -> Iterator[dict[str, object]]:
        row: dict[str, object] = {}
        for text in "abc":
            row["text"] = text
            yield row

    assert [row.fields["text"] for row in label(reused(), MOOD, model=TABLE)] == ["a", "b", "c"]


def test_rows_that_are_no_use_are_skipped_and_told(caplog: pytest.LogCaptureFixture) -> None:
    mixed = [7, {"place": object()}, {"other": 1}, {"place": 3}]
    with caplog.at_level(logging.WARNING, "vsgen"):
        rows = generate(LETTERS, mixed, model=TABLE, on_error="skip")  # type: ignore[arg-type]
        assert {record.meta["row"] for record in rows} == {3}
    assert rows.counts.skipped == 3
    assert [f"rows[{n}]" in caplog.text for n in range(4)] == [True, True, True, False]


def test_a_label_that_cannot_be_made_is_no_guess() -> None:
    with pytest.raises(VsgenError, match="too long"):
        list(label([{"text": "abc"}], MOOD, model=Refusing()))
    (row,) = label([{"text": "abc"}], MOOD, model=Refusing(), on_error="skip")
    assert isinstance(row.labels["mood"], Unlabelled)


class Refusing(Counting):
    """Can score nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.score = self.refuse

    def refuse(self, calls: object) -> tuple[()]:
        raise TooLongError("too long", tokens=9, context=8)


WRONG: list[tuple[type[VsgenError], str, Callable[[], object]]] = [
    (TemplateError, "no template named 'nope'", lambda: generate("nope", num=1)),
    (TemplateError, "unknown key 'promt'", lambda: generate({**LETTERS, "promt": "x"}, places(1))),
    (TemplateError, "template: prompt: must be", lambda: generate({**LETTERS, "prompt": object()}, places(1))),
    (TemplateError, "template: give", lambda: generate(None, num=1)),  # type: ignore[arg-type]
    (OptionError, "how many rows", lambda: generate({**LETTERS, "prompt": "Say."}, model=TABLE)),
    (OptionError, "template: name a model: -m ID", lambda: generate(LETTERS, places(1))),
    (OptionError, "labels: name a model: -m ID", lambda: label([{"text": "a"}], MOOD)),
    (TemplateError, "unknown key 'kk'", lambda: generate(LETTERS, places(1), settings={"sampling.kk": 1})),
    (OptionError, "settings", lambda: generate(LETTERS, places(1), settings={"num": object()})),
    (OptionError, "num: must be", lambda: generate(LETTERS, places(1), num=0)),
    (OptionError, "max_calls: must be", lambda: generate(LETTERS, places(1), max_calls=-1)),
    (OptionError, "seed: must be", lambda: generate(LETTERS, places(1), seed=-1)),
    (OptionError, "on_error: must be", lambda: generate(LETTERS, places(1), on_error="go")),  # type: ignore[arg-type]
    (OptionError, "model: give", lambda: generate(LETTERS, places(1), model=3)),  # type: ignore[arg-type]
    (InputError, "rows: give", lambda: generate(LETTERS, 3)),  # type: ignore[arg-type]
    (InputError, "rows: give", lambda: generate(LETTERS, {"place": 1})),  # type: ignore[dict-item]
    (InputError, "rows: has no rows", lambda: list(generate(LETTERS, [], model=TABLE))),
    (InputError, r"rows\[1\]", lambda: list(generate(LETTERS, places_and(2), model=TABLE))),
    (OptionError, "labels: give", lambda: label([{"text": "a"}], [])),
    (TemplateError, "labels.0.classes", lambda: label([{"text": "a"}], {"name": "mood", "classes": ["a"]})),
    (OptionError, "has no 'labels:'", lambda: label([{"text": "a"}], "random-day")),
    (InputError, "no field 'text'", lambda: list(label([{"a": 1}], MOOD, model=TABLE))),
]


@pytest.mark.parametrize(("error", "words", "wrong"), WRONG)
def test_what_is_wrong_is_one_typed_error(error: type[VsgenError], words: str, wrong: Callable[[], object]) -> None:
    with pytest.raises(error, match=words):
        wrong()


def test_a_journal_serves_one_run_at_a_time(tmp_path: Path) -> None:
    journal = tmp_path / "letters.journal"
    with generate(LETTERS, places(), model=TABLE, journal=journal) as rows:
        next(rows)
        with pytest.raises(VsgenError, match=r"letters\.journal"):
            next(generate(LETTERS, places(), model=TABLE, journal=journal))
    next(generate(LETTERS, places(), model=TABLE, journal=journal))


def test_importing_vsgen_imports_nothing_heavy_and_shows_what_there_is() -> None:
    heavy = ("numpy", "pydantic", "torch", "vsgen.api")
    probe = f"import sys, vsgen; dir(vsgen); print(*({set(heavy)!r} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout == "\n"
    assert set(vsgen.__all__) == set(dir(vsgen))
    assert all(hasattr(vsgen, name) for name in vsgen.__all__)
    with pytest.raises(AttributeError, match="no attribute 'draw'"):
        vsgen.draw  # noqa: B018


def test_a_server_is_named_by_its_url_and_nothing_is_open_when_it_fails() -> None:
    rows = [{"place": f"hill {number}"} for number in range(9)]
    one = {**LETTERS, "sampling": {"method": "direct", "k": 1}}
    with serving(Plan()) as server:
        made = list(generate(one, rows=rows, model="echo", endpoint=server.url))
        assert [row.meta["model"] for row in made] == [f"echo@{server.url[7:-3]}"] * 9
        server.plan = Plan(key="another")
        with pytest.raises(EndpointError, match="the key is missing or not accepted"):
            list(generate(one, rows=rows, model="echo", endpoint=server.url))
    with pytest.raises(OptionError, match="endpoint: give a URL"):
        generate(one, rows=rows, model="echo", endpoint=8000)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="wire: must be chat, completions or messages, got 'chats'"):
        vsgen.endpoint("http://localhost:8000", wire="chats")  # type: ignore[arg-type]


def test_a_server_is_treated_as_the_arguments_say() -> None:
    rows = [{"place": f"hill {number}"} for number in range(9)]
    one = {**LETTERS, "sampling": {"method": "direct", "k": 1}}
    for concurrency in (1, 4):
        with serving(Plan(latency=0.02)) as server:
            place = vsgen.endpoint(server.url, concurrency=concurrency, timeout=30)
            assert len(list(generate(one, rows=rows, model="echo", endpoint=place))) == 9
            assert server.counts.together == 1 if concurrency == 1 else 1 < server.counts.together <= concurrency


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"concurrency": 0}, "concurrency: must be an integer >= 1"),
        ({"rpm": 0.5}, "rpm: must be an integer >= 1"),
        ({"tpm": -1}, "tpm: must be an integer >= 1"),
        ({"timeout": 0}, "timeout: must be a number of seconds >= 1"),
        ({"timeout": float("nan")}, "timeout: must be a number of seconds >= 1"),
        ({"proxy": "localhost"}, "proxy: not the URL of an HTTP proxy"),
    ],
)
def test_a_limit_that_is_none_is_named(wrong: dict[str, object], problem: str) -> None:
    with pytest.raises(OptionError, match=problem):
        vsgen.endpoint("http://localhost:8000/v1", **wrong)  # type: ignore[arg-type]
