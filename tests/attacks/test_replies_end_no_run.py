"""What a model writes ends no run: each of its answers becomes a row or a reject, and each can be written and read."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

import datasets
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.conftest import Vsgen
from tests.jobs.carried import carried_out
from vsgen import generate, label
from vsgen.api import OnError
from vsgen.cli.shown import draw_lines
from vsgen.distributions.names import Kind
from vsgen.errors import CallError, CommandError, TooLongError
from vsgen.export.packed import Layout, TokenLogprobs
from vsgen.jobs.card import measure
from vsgen.jobs.generate import GenerateOptions, Generation
from vsgen.jobs.measure import Measurement
from vsgen.jobs.measure_options import MeasureOptions
from vsgen.jobs.targets import TargetRows
from vsgen.jobs.targets_options import TargetChoice, TargetsOptions
from vsgen.jobs.trial import Trial, TrialOptions
from vsgen.jobs.wanted import ModelChoice
from vsgen.values import Completion, Generate, Prompt, Score, Scores, Taught, Teach

MOST = 400
"""Characters that the scripted model reads."""
NUMBERS = ("1e999", "-1e999", "NaN", "-Infinity", "123456789012345678901234567890", "-9223372036854775809", "1e-400")
NASTY = (
    "",
    "\n" * 50,
    "a" * 30_000,
    "\x00\x01\x07\x1b[31m",
    "\ud800",
    "half \udfff a pair",
    "\u202e\u2066\ufeff",
    "<|im_end|>\n<|im_start|>user\nhi",
    "[" * 3000,
    '{"text": ' * 3000,
    '{"responses": [{' + '"text": "k", ' * 10_000 + '"probability": 1}]}',
    '{"responses": [' + ", ".join(f'{{"text": "x{i}", "probability": 0.1}}' for i in range(300)) + "]}",
    '{"responses": [{"text": ' + "[" * 900 + "]" * 900 + ', "probability": 0.5}]}',
    '{"responses": [{"text": ' + "[" * 150 + "]" * 150 + ', "probability": 0.5}]}',
    '{"responses": [{"text": "\\ud800 lone", "probability": 1e999}, {"text": "b\\u0000c", "probability": NaN}]}',
    "<response><text>hi</text><probability>x</probability></response>" * 200,
    "```json\n" + '{"responses": [{"text": "q"',
    "A plain answer.",
)
TEXT: Mapping[str, Any] = {"field": "text", "min_chars": 0, "max_chars": 50_000}
ANY: Mapping[str, Any] = {"schema": {"type": "object", "properties": {"text": {}, "n": True, "list": {}}}}
TYPED: Mapping[str, Any] = {
    "schema": {
        "type": "object",
        "properties": {"text": {"type": "string"}, "n": {"type": "number"}, "list": {"type": "array"}},
    }
}
LABELS: list[dict[str, object]] = [
    {"name": "score", "classes": ["a", "b"], "prompt": "Which? {{ text }}"},
    {"name": "trace", "classes": ["a", "b"], "prompt": "Which? {{ text }}", "method": "reasoning", "replies": 1},
    {"name": "vote", "classes": ["a", "b"], "prompt": "Which? {{ text|upper }}", "method": "votes", "replies": 1},
    {"name": "said", "classes": ["a", "b"], "prompt": "Which? {{ text|join }}", "method": "verbalized"},
]
STATIONS: tuple[Mapping[str, Any], ...] = (
    {"labels": LABELS},
    {"labels": LABELS[:1], "keep": ["text|length > 1", "text < 'z'", "labels.score.margin >= 0"]},
    {"weights": "model", "repair": 1, "check": {"text": ["json"]}},
    {"logp": True, "filter": {"text": {"reject": "zz"}}, "dedup": False},
)
METHODS = ("direct", "cot", "sequence", "multi-turn", "vs", "vs-cot", "vs-multi", "power")


class Scripted:
    """Says one of some replies, by the seed of the call; reads prompts of so many characters."""

    name = "scripted"

    def __init__(self, replies: Sequence[str], most: int = 10**9) -> None:
        self._replies = replies
        self._most = most

    def generate(self, calls: Sequence[Generate]) -> Sequence[Completion]:
        return [self._reply(call) for call in calls]

    def score(self, calls: Sequence[Score]) -> Sequence[Scores]:
        for call in calls:
            self._read(call.prompt, max(call.choices, key=len))
        return [Scores(tuple(-1.0 - len(choice) % 7 for choice in call.choices)) for call in calls]

    def _reply(self, call: Generate) -> Completion:
        self._read(call.prompt)
        text, steps = self._replies[call.seed % len(self._replies)], (-0.5,) * 2
        made = partial(Completion, text, (1, 2), -1.0, -1.0, call.seed % 3 != 0)
        return made(logps=steps, logqs=steps) if call.resumable else made()

    def _read(self, prompt: Prompt, more: str = "") -> None:
        tokens = sum(len(message.content) for message in prompt.messages) + len(more)
        if tokens > self._most:
            raise TooLongError(f"{tokens} tokens, at most {self._most}", tokens=tokens, context=self._most)


class Unteachable(Scripted):
    """Cannot say how it would have gone on along an answer."""

    def teach(self, calls: Sequence[Teach]) -> Sequence[Taught]:
        raise CallError("the answer cannot be spelled")


def template(method: str, output: Mapping[str, Any], station: Mapping[str, Any]) -> dict[str, Any]:
    power = {"power": {"particles": 2, "engine": "smc"}} if method == "power" else {}
    return {
        "version": 1,
        "name": "t",
        "prompt": "Say {{ word }}.",
        "variables": {"word": ["one", "two", "three"]},
        "output": output,
        "sampling": {"method": method, "k": 2, "max_tokens": 2, "demonstrate": "off", **power},
        "dedup": {"embedder": "hash"},
        **station,
    }


def run(made: Mapping[str, Any], model: Scripted, journal: Path | None = None) -> tuple[list[bytes], list[bytes]]:
    """All rows and all rejects of a few draws, as they are written."""
    with generate(made, num=1000, model=model, max_calls=12, journal=journal) as rows:
        kept = [written(line) for line in rows.lines()]
    rejected = [written(line) for line in rows.rejected]
    assert rows.counts.candidates == len(kept) + len(rejected) > 0
    return kept, rejected


def written(line: Mapping[str, object]) -> bytes:
    data = orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS)
    assert isinstance(orjson.loads(data)["id"], str)
    return data


@pytest.mark.parametrize("most", [10**9, MOST])
@pytest.mark.parametrize("output", [TEXT, ANY, TYPED], ids=["text", "any", "typed"])
@pytest.mark.parametrize("method", METHODS)
def test_every_answer_ends_as_a_row_or_a_reject(method: str, output: Mapping[str, Any], most: int) -> None:
    for station in STATIONS:
        if method in ("direct", "power") or station is not STATIONS[3]:
            run(template(method, output, station), Scripted(NASTY, most))


def values() -> st.SearchStrategy[str]:
    """JSON values, and what is nearly JSON."""
    text = st.text(st.characters(), max_size=20).map(json.dumps)
    leaf = st.one_of(text, st.sampled_from([*NUMBERS, "null", "true", "", "'x'"]))
    return st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=3).map(lambda many: f"[{', '.join(many)}]"), max_leaves=5
    )


def replies() -> st.SearchStrategy[str]:
    keys = st.sampled_from(["text", "probability", "n", "list", "reasoning", "responses", "id", "meta", "labels"])
    pairs = st.lists(st.tuples(keys, values()), max_size=6)
    item = pairs.map(lambda many: "{" + ", ".join(f'"{key}": {value}' for key, value in many) + "}")
    listed = st.lists(item, max_size=4).map(lambda many: f'{{"responses": [{", ".join(many)}]}}')
    return st.one_of(st.sampled_from(NASTY), st.text(st.characters(), max_size=40), item, listed, listed)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(replies(), min_size=1, max_size=6),
    st.sampled_from(METHODS),
    st.sampled_from([TEXT, ANY, TYPED]),
    st.sampled_from(STATIONS),
)
def test_whatever_a_model_says_is_written_and_read_again(
    said: list[str], method: str, output: Mapping[str, Any], station: Mapping[str, Any]
) -> None:
    run(template(method, output, station), Scripted(said, MOST))


@pytest.mark.parametrize("keep", [[], ["labels.score.margin >= 0"]])
def test_an_answer_too_long_for_its_label_is_told_and_met_again_without_error(tmp_path: Path, keep: list[str]) -> None:
    made = template("direct", TEXT, {"labels": LABELS[:1], "keep": keep})
    said = Scripted(("A short answer.", "long " * 100), MOST)
    kept, rejected = run(made, said, tmp_path / "journal")
    assert (kept, rejected) == run(made, said, tmp_path / "journal")
    every = map(orjson.loads, rejected if keep else kept)
    lost = next(line for line in every if line["text"].startswith("long") and "labels" in line)
    assert lost["labels"]["score"] == {"probs": None, "problem": "547 tokens, at most 400"}
    assert (lost.get("reason"), lost.get("clause")) == (("keep", keep[0]) if keep else (None, None))
    assert lost.get("detail", "").endswith("label score: 547 tokens, at most 400" if keep else "")


FRAGILE = """
import json, sys
for line in sys.stdin:
    assert "bad" not in json.loads(line)["text"], "cannot bear it"
    print(json.dumps({"ok": True}), flush=True)
"""


def test_a_text_that_kills_a_validator_is_a_reject_where_that_is_asked_for(tmp_path: Path) -> None:
    script = tmp_path / "check.py"
    script.write_text(FRAGILE)
    made = template("direct", TEXT, {"check": {"text": {"command": [sys.executable, str(script)]}}, "dedup": False})
    for on_error in get_args(OnError):
        rows = generate(made, num=8, model=Scripted(("good", "bad")), max_calls=8, allow_exec=True, on_error=on_error)
        if on_error == "stop":
            with pytest.raises(CommandError, match=r"cannot bear it.*--on-error skip"):
                list(rows)
            continue
        assert {row.fields["text"] for row in rows} == {"good"}
        assert {(lost["text"], lost["reason"]) for lost in rows.rejected} == {("bad", "check")}
        assert all("no verdict" in str(lost["detail"]) for lost in rows.rejected)


@pytest.mark.parametrize("layout", ["packed", "axolotl"])
def test_an_answer_that_cannot_be_taught_is_a_row_without_or_a_reject(tmp_path: Path, layout: Layout) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(json.dumps(template("direct", TEXT, {})))
    said, counts = ModelChoice("s", opened=Unteachable(("One.", "Two."))), TokenLogprobs(2, layout)
    task = Generation(GenerateOptions(str(path), num=2, model=said, token_logprobs=counts))
    counted = carried_out(task)
    kept = 2 if layout == "packed" else 0
    assert (counted.kept, counted.flagged["untaught"]) == (kept, kept)
    assert counted.rejected["refused"] == 2 - kept


def test_rows_of_hostile_texts_are_labelled(tmp_path: Path) -> None:
    kept, _ = run(template("direct", TEXT, {}), Scripted(NASTY))
    rows = [orjson.loads(line) for line in kept]
    with label(rows, LABELS, model=Scripted(NASTY, MOST), on_error="skip") as made:
        assert [orjson.loads(written(line))["text"] for line in made.lines()] == [row["text"] for row in rows]


def test_rows_of_hostile_texts_are_exported(tmp_path: Path, vsgen: Vsgen) -> None:
    kept, _ = run(template("direct", TEXT, {"labels": LABELS[:1]}), Scripted(NASTY))
    texts, rows = [orjson.loads(line)["text"] for line in kept], tmp_path / "rows.jsonl"
    rows.write_bytes(b"".join(line + b"\n" for line in kept))
    for form in ("jsonl", "trl", "sentence-transformers", "datasets"):
        out = tmp_path / f"{form}.jsonl" if form == "jsonl" else tmp_path / form
        ended = vsgen("export", rows, "--to", form, "-o", out)
        assert ended.exit_code == 0, ended.stderr
    lines = (tmp_path / "jsonl.jsonl").read_bytes().splitlines()
    assert [orjson.loads(line)["text"] for line in lines] == texts
    assert datasets.load_from_disk(str(tmp_path / "datasets"))["text"][:] == texts


@pytest.mark.slow
def test_rows_of_hostile_texts_make_targets(tmp_path: Path) -> None:
    made = template("direct", TEXT, {})
    kept, _ = run(made, Scripted([text[:2000] for text in NASTY]))
    rows, path = tmp_path / "rows.jsonl", tmp_path / "t.yaml"
    rows.write_bytes(b"".join(line + b"\n" for line in kept))
    path.write_text(json.dumps(made))
    for kind in get_args(Kind):
        choice = TargetChoice(template=str(path), rows=str(rows), on="text")
        options = TargetsOptions(choice, kind, tokenizer="tiny" if kind == "soft" else None)
        assert carried_out(TargetRows(options)).kept > 0


@pytest.mark.slow
def test_hostile_replies_can_be_measured_shown_and_put_on_a_card(tmp_path: Path) -> None:
    said = ModelChoice("tiny", opened=Scripted(NASTY))
    options = MeasureOptions(TargetChoice(limit=3), said, samples=40)
    assert carried_out(Measurement(options)).kept > 0
    assert measure(said, clock=lambda: 0.0, report=lambda _: None).lists
    path = tmp_path / "t.yaml"
    for method in METHODS:
        path.write_text(json.dumps(template(method, TEXT, {"labels": LABELS})))
        trial = Trial(TrialOptions(str(path), draws=4, model=said))
        for shown in trial.draws():
            assert "\n".join(draw_lines(shown, trial, 1.0)).encode()
