"""One draw's way, moved by hand: what is asked, what is kept, and where each candidate ends."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from vsgen.backends.table import TableModel
from vsgen.dedup.index import Index
from vsgen.dedup.settings import Dedup
from vsgen.errors import CallError, InputError, TemplateError
from vsgen.flow import play
from vsgen.flows.draw import Outcome, Pipeline, Quota
from vsgen.sampling.settings import Power, Sampling
from vsgen.template.load import load_template
from vsgen.template.schema import Template
from vsgen.values import (
    Answer,
    Call,
    Completion,
    Decide,
    Decided,
    Decision,
    Directed,
    Embed,
    Generate,
    Models,
    Prompt,
    Record,
    Refused,
    Reply,
    Row,
    Score,
    Scores,
    SoftLabel,
    Taught,
    Teach,
    Unlabelled,
    Vector,
    Verified,
    Verify,
)

TEMPLATE = """\
version: 1
name: tickets
prompt: Write a ticket about a {{ product }}.
variables: {product: [kettle]}
output: {field: text, max_chars: 20}
filter: {text: {reject: "(?i)sorry"}}
sampling: {method: vs, k: 4, p_min: 0.05}
labels:
  - {name: queue, classes: [billing, bug], prompt: "Which queue? {{ text }}"}
"""


@pytest.fixture
def template(tmp_path: Path) -> Template:
    path = tmp_path / "tickets.yaml"
    path.write_text(TEMPLATE)
    return load_template(str(path))


class Played:
    """Moves a draw with a model that says `reply`, and an embedder that knows the texts by their first letter."""

    def __init__(self, reply: str) -> None:
        self.reply = reply
        self.asked: list[Call] = []

    def __call__(self, pipeline: Pipeline, number: int = 0, row: Row | None = None) -> Outcome:
        return play(pipeline.draw(row or Row(0), number), lambda calls: [self._answer(call) for call in calls])

    def _answer(self, call: Call) -> Reply:
        self.asked.append(call)
        match call:
            case Generate():
                return Completion(self.reply, (1, 2, 3))
            case Score():
                return Scores((-1.0, -2.0))
            case Decide():
                return Decided(tuple(Decision((0.5, 0.5)) for _ in call.questions))
            case Embed():
                vector = np.zeros(26, "<f2")
                vector[ord(call.text[0].lower()) - ord("a")] = 1
                return Vector(vector.tobytes())
            case Verify():
                return Verified("sad" not in call.row, "too sad")
            case Teach():
                return Taught((7,), (1, 2), (-1.0, -0.5), 1, struct.pack("<2I", 1, 2), struct.pack("<2f", -1.0, -0.5))
            case Directed():
                return self._answer(call.call)


def reply(*items: tuple[str, float | None]) -> str:
    return json.dumps({"responses": [{"text": text, "probability": p} for text, p in items]})


def soft(record: Record, name: str) -> SoftLabel:
    label = record.labels[name]
    assert isinstance(label, SoftLabel)
    return label


def pipeline(template: Template, **changes: object) -> Pipeline:
    settings = {"seed": 0, "models": Models("m"), "index": Index(Dedup(threshold=0.9)), "quota": Quota(None)} | changes
    return Pipeline(template, **settings)  # type: ignore[arg-type]


def test_every_candidate_ends_as_a_record_or_as_a_reject_with_its_reason(template: Template) -> None:
    said = reply(("apple", 0.4), ("Apple!", 0.1), ("avocado", 0.1), ("x" * 30, 0.1), ("sorry", 0.1), ("bean", 0.01))
    outcome = Played(said)(pipeline(template))
    assert [record.fields for record in outcome.records] == [{"text": "apple"}]
    found = [(one.record.fields["text"], one.reason, one.twin, one.similarity) for one in outcome.rejected]
    assert found == [
        ("Apple!", "duplicate", "tickets/000000.0", 1.0),
        ("avocado", "duplicate", "tickets/000000.0", 1.0),
        ("x" * 30, "schema", None, None),
        ("sorry", "filter", None, None),
        ("bean", "filter", None, None),
    ]
    assert [one.detail for one in outcome.rejected[:2]] == ["exact", "semantic"]


def test_weights_of_records_and_rejects_sum_to_one_and_repeats_give_theirs_to_the_twin(template: Template) -> None:
    outcome = Played(reply(("apple", 0.4), ("avocado", 0.2), ("bean", 0.2)))(pipeline(template))
    assert {record.fields["text"]: record.probability for record in outcome.records} == pytest.approx(
        {"apple": 0.75, "bean": 0.25}
    )
    assert [one.record.probability for one in outcome.rejected] == [0.0]
    assert [record.meta["merged"] for record in outcome.records] == [2, 1]


def test_a_repeat_of_an_earlier_draw_keeps_its_own_weight(template: Template) -> None:
    line = pipeline(template)
    Played(reply(("apple", 0.5)))(line, 0)
    later = Played(reply(("apricot", 0.5), ("bean", 0.5)))(line, 1)
    assert [(one.twin, one.record.probability) for one in later.rejected] == [("tickets/000000.0", 0.5)]
    assert [record.id for record in later.records] == ["tickets/000001.1"]


def test_a_text_that_equals_a_kept_one_is_not_embedded_again(template: Template) -> None:
    line = pipeline(template)
    Played(reply(("apple", 0.5)))(line, 0)
    played = Played(reply(("apple", 0.5), ("bean", 0.5), ("bean", 0.1)))
    played(line, 1)
    assert [call.text for call in played.asked if isinstance(call, Embed)] == ["bean"]


def test_only_kept_candidates_are_labelled_and_labels_are_probabilities(template: Template) -> None:
    played = Played(reply(("apple", 0.5), ("avocado", 0.2), ("bean", 0.2)))
    outcome = played(pipeline(template))
    asked = [call for call in played.asked if isinstance(call, Score)]
    assert [call.prompt.messages[-1].content.split("\n")[0] for call in asked] == [
        "Which queue? apple",
        "Which queue? bean",
    ]
    for record in outcome.records:
        assert soft(record, "queue").probs == pytest.approx({"billing": 0.731059, "bug": 0.268941}, abs=1e-6)


def test_an_unreadable_reply_is_a_reject_that_keeps_it(template: Template) -> None:
    outcome = Played("I would rather not.")(pipeline(template))
    (lost,) = outcome.rejected
    assert (lost.reason, lost.record.probability, lost.raw) == ("malformed", 1.0, "I would rather not.")
    assert (outcome.calls, outcome.tokens) == (1, 3)


@pytest.mark.parametrize("weights", ["stated", "uniform", "model"])
def test_an_answer_that_is_not_whole_is_a_reject_with_its_share(template: Template, weights: str) -> None:
    said = reply(("apple", 0.4), ("bean", 0.1), ("corn", 0.5)).replace('bean"', "bean")
    changed = template.model_copy(update={"weights": weights})
    outcome = Played(said)(pipeline(changed))
    (lost,) = outcome.rejected
    assert (lost.reason, lost.raw) == ("malformed", '{"text": "bean, "probability": 0.1}')
    assert (lost.record.fields, lost.record.meta["verbalized"]) == ({}, 0.1)
    assert lost.record.probability == pytest.approx(0.1)
    assert sum(one.probability for one in outcome.records) == pytest.approx(0.9)
    assert outcome.candidates == len(outcome.records) + len(outcome.rejected) == 3


def test_nothing_is_kept_beyond_the_quota(template: Template) -> None:
    outcome = Played(reply(("apple", 0.5), ("bean", 0.2), ("corn", 0.2)))(pipeline(template, quota=Quota(2)))
    assert len(outcome.records) == 2
    assert [(one.record.fields["text"], one.reason) for one in outcome.rejected] == [("corn", "surplus")]


def test_without_dedup_repeats_are_kept_and_nothing_is_embedded(template: Template) -> None:
    played = Played(reply(("apple", 0.5), ("apple", 0.5)))
    assert len(played(pipeline(template, index=None)).records) == 2
    assert not any(isinstance(call, Embed) for call in played.asked)


def test_a_rows_fields_are_variables_and_win_over_drawn_ones(template: Template) -> None:
    played = Played(reply(("apple", 1.0)))
    outcome = played(pipeline(template), row=Row(7, {"product": "zeppelin"}, "rows.jsonl:9"))
    call = played.asked[0]
    assert isinstance(call, Generate)
    instruction, task = call.prompt.messages
    assert instruction.content.startswith("Give 4 different answers")
    assert task.content == "Write a ticket about a zeppelin."
    assert outcome.records[0].meta["variables"] == {"product": "zeppelin"}
    assert outcome.records[0].meta["row"] == 7


def test_a_row_without_a_needed_variable_stops_or_is_skipped(template: Template, tmp_path: Path) -> None:
    path = tmp_path / "bare.yaml"
    path.write_text(TEMPLATE.replace("variables: {product: [kettle]}\n", ""))
    bare = load_template(str(path))
    with pytest.raises(InputError, match=r"rows\.jsonl:4: .*'product'"):
        Played("")(pipeline(bare), row=Row(3, {"other": 1}, "rows.jsonl:4"))
    with pytest.raises(TemplateError, match="'product'"):
        Played("")(pipeline(bare))
    outcome = Played("")(pipeline(bare, skip_bad_rows=True), row=Row(3, {"other": 1}, "rows.jsonl:4"))
    assert outcome.skipped is not None
    assert "'product'" in outcome.skipped


def test_seeds_depend_on_the_draw_and_not_on_how_replies_are_processed(template: Template, tmp_path: Path) -> None:
    path = tmp_path / "changed.yaml"
    path.write_text(TEMPLATE.replace("max_chars: 20", "max_chars: 20").replace("p_min: 0.05", "p_min: 0.2"))
    changed = load_template(str(path))
    first, second, other = Played(""), Played(""), Played("")
    first(pipeline(template), 3)
    second(pipeline(changed), 3)
    other(pipeline(template), 4)
    assert template.digest != changed.digest
    assert first.asked[0] == second.asked[0]
    assert first.asked[0] != other.asked[0]


VOTING = """\
version: 1
name: sums
prompt: What is {{ a }} + 1?
variables: {a: [4]}
output: {answer: 'is (\\d+)', correct: answer|int == a + 1}
sampling: {method: direct, k: 4}
dedup: false
"""


def test_answers_are_judged_and_voted_on(tmp_path: Path) -> None:
    path = tmp_path / "sums.yaml"
    path.write_text(VOTING)
    replies = iter(["It is 5.", "It is 6.", "", "It is 5, is 5."])
    pipeline = Pipeline(load_template(str(path)), seed=0, models=Models("m"), index=None, quota=Quota(None))
    draw = pipeline.draw(Row(0), 0)
    outcome = play(draw, lambda calls: [Completion(next(replies), (1, 2), -1.5, -1.0) for _ in calls])
    assert [(one.meta["answer"], one.meta["correct"]) for one in outcome.records] == [
        ("5", True),
        ("6", False),
        ("5", True),
    ]
    for record in outcome.records:
        assert soft(record, "answer").probs == pytest.approx({"5": 2 / 3, "6": 1 / 3})
        assert soft(record, "answer").label_mass == pytest.approx(0.75)
    assert (outcome.calls, outcome.tokens) == (4, 8)
    assert [one.reason for one in outcome.rejected] == ["malformed"]


def test_an_answer_that_cannot_be_judged_ends_no_run(tmp_path: Path) -> None:
    path = tmp_path / "sums.yaml"
    path.write_text(VOTING.replace("answer|int == a + 1", "a % (answer|int) == 0"))
    pipeline = Pipeline(load_template(str(path)), seed=0, models=Models("m"), index=None, quota=Quota(None))
    replies = [Completion(text, (1,)) for text in ("It is 0.", "It is 2.", "It is 3.", "It is 0.")]
    outcome = play(pipeline.draw(Row(0), 0), lambda _: replies)
    assert [one.meta["correct"] for one in outcome.records] == [None, True, False, None]
    (note,) = set(outcome.notes)
    assert "output.correct" in note
    assert "meta.correct is null there" in note


NO = Refused("refused", "the provider's filter refused it")
TOO_LONG = Refused("too-long", "9 tokens and room for 5", tokens=9, context=5)


def partly(line: Pipeline, *refusals: Refused | None, row: Row | None = None) -> Outcome:
    """Moves a draw whose first calls of a language model get these refusals; the others are answered."""
    left, model = iter(refusals), Played("apple")

    def answer(call: Call) -> Answer:
        return (next(left, None) if isinstance(call, Generate) else None) or model._answer(call)

    return play(line.draw(row or Row(0), 0), lambda calls: [answer(call) for call in calls])


@pytest.mark.parametrize("skip", [False, True])
def test_a_refused_reply_is_a_reject_and_the_paid_ones_are_kept(template: Template, skip: bool) -> None:
    sampling = template.sampling.model_copy(update={"method": "direct", "k": 3})
    line = pipeline(template.model_copy(update={"sampling": sampling}), skip_bad_rows=skip)
    outcome = partly(line, None, NO)
    assert [(one.id, one.fields["text"]) for one in outcome.records] == [("tickets/000000.0", "apple")]
    found = [(one.record.id, one.reason, one.detail, one.raw) for one in outcome.rejected]
    assert found == [
        ("tickets/000000.1", "duplicate", "exact", None),
        ("tickets/000000.2", "refused", NO.problem, None),
    ]
    assert (outcome.candidates, outcome.calls, len(outcome.replies)) == (3, 2, 2)
    shares = [one.probability for one in outcome.records] + [one.record.probability for one in outcome.rejected]
    assert shares == pytest.approx([2 / 3, 0, 1 / 3])


@pytest.mark.parametrize("why", [NO, TOO_LONG])
def test_a_draw_without_any_reply_is_only_rejects_or_an_error(template: Template, why: Refused) -> None:
    outcome = partly(pipeline(template, skip_bad_rows=True), why)
    assert [(one.reason, one.detail, one.record.probability) for one in outcome.rejected] == [
        ("refused", why.problem, 1.0)
    ]
    assert (outcome.candidates, outcome.records, outcome.replies, outcome.skipped) == (1, (), (), None)
    with pytest.raises(CallError, match=why.problem):
        partly(pipeline(template), why)


def test_a_row_for_which_no_reply_comes_is_named_or_skipped_or_only_rejects(template: Template) -> None:
    row = Row(3, {"product": "lamp"}, "rows.jsonl:4")
    for why in (NO, TOO_LONG):
        with pytest.raises(
            InputError, match=rf"rows\.jsonl:4: {why.problem}; run and label skip it with --on-error skip"
        ):
            partly(pipeline(template), why, row=row)
    assert partly(pipeline(template, skip_bad_rows=True), TOO_LONG, row=row).skipped
    outcome = partly(pipeline(template, skip_bad_rows=True), NO, row=row)
    assert ([one.reason for one in outcome.rejected], outcome.skipped) == (["refused"], None)


def refusing(pipeline: Pipeline, played: Played, kind: type[Call], word: str, row: Row | None = None) -> Outcome:
    """Moves a draw whose calls of one kind that hold a word are too long for the model."""

    def answer(call: Call) -> Answer:
        if isinstance(call, kind) and word in str(call):
            return Refused("too-long", "9 tokens and room for 5", tokens=9, context=5)
        return played._answer(call)

    return play(pipeline.draw(row or Row(0), 0), lambda calls: [answer(call) for call in calls])


@pytest.mark.parametrize("skip", [False, True])
def test_what_is_too_long_to_label_ends_no_run_and_the_others_are_labelled(template: Template, skip: bool) -> None:
    played = Played(reply(("apple", 0.5), ("bean", 0.25)))
    outcome = refusing(pipeline(template, skip_bad_rows=skip), played, Score, "bean")
    assert soft(outcome.records[0], "queue").probs == pytest.approx({"billing": 0.731059, "bug": 0.268941}, abs=1e-6)
    lost = outcome.records[1].labels["queue"]
    assert isinstance(lost, Unlabelled) and lost.problem == "9 tokens and room for 5"


def test_classes_that_the_input_row_lists_wrongly_are_its_own_fault_before_anything_is_asked(
    template: Template, tmp_path: Path
) -> None:
    path = tmp_path / "listed.yaml"
    path.write_text(TEMPLATE.replace("classes: [billing, bug]", "choices: queues"))
    made, row = load_template(str(path)), Row(3, {"queues": ["one"]}, "rows.jsonl:4")
    played = Played(reply(("apple", 0.5)))
    with pytest.raises(
        InputError, match=r"rows\.jsonl:4: label queue: field 'queues' .*; run and label skip it with --on-error skip"
    ):
        played(pipeline(made), row=row)
    assert not played.asked
    (record,) = played(pipeline(made, skip_bad_rows=True), row=row).records
    assert isinstance(record.labels["queue"], Unlabelled)


def test_every_kept_answer_is_taught_as_the_reply_to_the_plain_task(template: Template) -> None:
    played = Played(reply(("apple", 0.5), ("bean", 0.25)))
    outcome = played(pipeline(template, teach_top=3))
    asked = [call for call in played.asked if isinstance(call, Teach)]
    task = next(call for call in played.asked if isinstance(call, Generate)).prompt.messages[-1].content
    assert [(call.answer, call.top) for call in asked] == [("apple", 3), ("bean", 3)]
    assert all(task.startswith(call.prompt.messages[-1].content) for call in asked)
    for record, call in zip(outcome.records, asked, strict=True):
        assert record.lesson is not None
        assert record.lesson.messages == (
            *call.prompt.messages,
            type(call.prompt.messages[0])("assistant", call.answer),
        )


def test_an_answer_too_long_to_teach_goes_without_and_says_so(template: Template) -> None:
    played = Played(reply(("apple", 0.5), ("bean", 0.25)))
    outcome = refusing(pipeline(template, teach_top=3), played, Teach, "bean")
    assert [record.lesson is None for record in outcome.records] == [False, True]
    assert [record.meta.get("flags") for record in outcome.records] == [None, ["untaught"]]
    assert outcome.records[1].meta["untaught"] == "9 tokens and room for 5"


def keeping(template: Template, tmp_path: Path, *lines: str) -> Template:
    path = tmp_path / "keeping.yaml"
    path.write_text(TEMPLATE + "\n".join(["keep:", *(f"- {line}" for line in lines), ""]))
    return load_template(str(path))


def test_a_twin_is_always_a_kept_row_and_refused_answers_are_not_embedded(template: Template, tmp_path: Path) -> None:
    made = keeping(template, tmp_path, "verbalized >= 0.3")
    played = Played(reply(("apple", 0.2), ("avocado", 0.4), ("Avocado!", 0.3)))
    outcome = played(pipeline(made))
    assert [(one.id, one.fields["text"], one.meta["merged"]) for one in outcome.records] == [
        ("tickets/000000.1", "avocado", 2)
    ]
    assert [(one.reason, one.twin, one.clause) for one in outcome.rejected] == [
        ("keep", None, "verbalized >= 0.3"),
        ("duplicate", "tickets/000000.1", None),
    ]
    assert "apple" not in [call.text for call in played.asked if isinstance(call, Embed)]
    total = [one.probability for one in outcome.records] + [one.record.probability for one in outcome.rejected]
    assert sum(total) == pytest.approx(1)


def test_labels_that_keep_reads_stand_in_the_rejects_and_are_made_once(template: Template, tmp_path: Path) -> None:
    made = keeping(template, tmp_path, "labels.queue.probs.bug > 0.9 or text == 'apple'")
    played = Played(reply(("apple", 0.5), ("bean", 0.25)))
    outcome = played(pipeline(made))
    assert [record.fields["text"] for record in outcome.records] == ["apple"]
    assert soft(outcome.rejected[0].record, "queue").probs == pytest.approx(
        {"billing": 0.731059, "bug": 0.268941}, 1e-5
    )
    assert len([call for call in played.asked if isinstance(call, Score)]) == 2
    assert [(one.seen, one.held) for one in outcome.tried] == [(2, 1)]


def test_a_label_that_could_not_be_made_is_why_an_answer_is_refused(template: Template, tmp_path: Path) -> None:
    made = keeping(template, tmp_path, "labels.queue.probs.bug > 0.1")
    played = Played(reply(("apple", 0.5), ("bean", 0.25)))
    outcome = refusing(pipeline(made), played, Score, "bean")
    assert [record.fields["text"] for record in outcome.records] == ["apple"]
    (lost,) = outcome.rejected
    assert (lost.reason, lost.clause) == ("keep", "labels.queue.probs.bug > 0.1")
    assert lost.detail.startswith("cannot be evaluated: ") and lost.detail.endswith(
        "label queue: 9 tokens and room for 5"
    )


def test_only_what_is_kept_counts_for_the_quota(template: Template, tmp_path: Path) -> None:
    made = keeping(template, tmp_path, "text != 'apple'")
    outcome = Played(reply(("apple", 0.5), ("bean", 0.25), ("corn", 0.25)))(pipeline(made, quota=Quota(1)))
    assert [record.fields["text"] for record in outcome.records] == ["bean"]
    assert [one.reason for one in outcome.rejected] == ["keep", "surplus"]


def test_two_equal_replies_of_power_sampling_become_one_row_with_both_shares(template: Template) -> None:
    even = TableModel.of("ab", {(): (0.5, 0.5, 0)}, length=9)
    sampling = Sampling(method="power", k=5, max_tokens=4, power=Power(engine="smc", particles=4))
    line = pipeline(template.model_copy(update={"sampling": sampling, "labels": ()}))
    embedder = Played("")

    def answer(calls: Sequence[Call]) -> list[Answer]:
        return [even.generate([call])[0] if isinstance(call, Generate) else embedder._answer(call) for call in calls]

    outcome = play(line.draw(Row(0), 0), answer)
    kept = {str(one.fields["text"]): (one.probability, one.meta["merged"]) for one in outcome.records}
    assert sorted(kept) == ["a", "b"]
    assert all(5 * probability == pytest.approx(count) for probability, count in kept.values())
    assert [one.reason for one in outcome.rejected] == ["duplicate"] * 3
    shares = [one.probability for one in outcome.records] + [one.record.probability for one in outcome.rejected]
    assert math.fsum(shares) == pytest.approx(1)
    assert {one.meta["power_share"] for one in outcome.records} == {0.5}
    assert outcome.calls == 5  # sweeps


def test_an_answer_that_repeats_the_plain_text_is_an_echo_and_one_that_is_cut_has_the_logp_of_its_reply(
    template: Template,
) -> None:
    sampling = Sampling(method="direct", k=2)
    changes = {"sampling": sampling, "labels": (), "chat": False, "logp": True, "prompt": "A queue of kettles"}
    line, embedder = pipeline(template.model_copy(update=changes)), Played("")

    def answer(calls: Sequence[Call]) -> list[Answer]:
        asked = [call for call in calls if isinstance(call, Generate)]
        assert {call.prompt for call in asked} <= {Prompt(prefill="A queue of kettles")}
        said = [Completion("a queue of kettles", (1,), -1.0), Completion("boiled over", (2,), -3.0, stopped=False)]
        return list(said) if asked else [embedder._answer(call) for call in calls]

    outcome = play(line.draw(Row(0), 0), answer)
    assert [(one.fields["text"], one.meta["logp"]) for one in outcome.records] == [("boiled over", -3.0)]
    assert [(one.reason, one.detail) for one in outcome.rejected] == [
        ("placeholder", "text: repeats the request: 'a queue of kettles'")
    ]
