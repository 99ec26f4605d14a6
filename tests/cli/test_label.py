"""``vsgen label`` with the embedded model: what comes out."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.tickets import CATEGORY, CLASSES, LABEL, QUEUE, lines, probs, tickets, tiny, write

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen


@pytest.fixture(autouse=True)
def _opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsgen.jobs.desk.open_model", lambda *_, **__: tiny())


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write(tmp_path / "rows.jsonl", tickets(12))


# --- what comes out


def test_as_a_filter_it_adds_labels_to_rows_and_leaves_the_rest_as_it_is(vsgen: Vsgen) -> None:
    given = [{**row, "score": 1.5, "tags": ["x", None], "meta": {"from": "crm"}} for row in tickets(30)]
    ended = vsgen("label", "-", *CATEGORY, stdin="\n".join(map(json.dumps, given)))
    assert ended.exit_code == 0, ended.stderr
    found = lines(ended.stdout)
    near = 0
    for row, before in zip(found, given, strict=True):
        assert {key: row[key] for key in before if key != "meta"} == {k: v for k, v in before.items() if k != "meta"}
        assert list(row)[-2:] == ["labels", "meta"]
        assert list(probs(row)) == list(CLASSES)
        assert math.fsum(probs(row).values()) == pytest.approx(1, abs=1e-5)
        assert 0.9 < row["labels"]["category"]["label_mass"] <= 1
        assert row["meta"]["from"] == "crm"
        made = row["meta"]["labelled"]["category"]
        assert (made["method"], made["seed"], made["model"].split("@")[0]) == ("score", 0, "tiny")
        near += sum(map(abs, (p - q for p, q in zip(probs(row).values(), before["truth"], strict=True)))) / 2 < 0.2
    assert near >= 27
    assert "30 input rows = 30 kept" in ended.stderr


def test_the_templates_labels_are_those_of_the_same_flags(vsgen: Vsgen, rows: Path) -> None:
    by_flags = lines(vsgen("label", rows, *CATEGORY, "--no-meta").stdout)
    by_template = lines(vsgen("label", rows, "--template", "support-tickets", "--no-meta").stdout)
    assert by_flags == by_template
    assert "meta" not in by_flags[0]


def test_several_labels_stand_side_by_side_and_further_ones_join_them(vsgen: Vsgen, rows: Path, tmp_path: Path) -> None:
    both = vsgen("label", rows, *CATEGORY, "--name", "tone", "--classes", '["a, or b", "c"]', "--prompt", "Tone?")
    assert both.exit_code == 0, both.stderr
    first = tmp_path / "first.jsonl"
    assert vsgen("label", rows, *CATEGORY, "-o", first, "-q").stderr == ""
    then = vsgen("label", first, "--name", "tone", "--classes", '["a, or b", "c"]', "--prompt", "Tone?", "-m", "tiny")
    assert lines(then.stdout) == lines(both.stdout)
    assert list(lines(then.stdout)[0]["labels"]) == ["category", "tone"]
    assert list(probs(lines(then.stdout)[0], "tone")) == ["a, or b", "c"]
    again = vsgen("label", first, *CATEGORY)
    assert again.exit_code == 2
    assert f"{first}:1: has a label 'category' already" in again.stderr


def test_rows_that_vsgen_run_made_bring_their_variables(vsgen: Vsgen, tmp_path: Path) -> None:
    template = tmp_path / "t.yaml"
    template.write_text(
        "version: 1\nname: t\nprompt: Name {{ thing }}.\nlabels:\n"
        '  - {name: fits, classes: ["yes", "no"], prompt: "Is {{ text }} {{ thing }}?"}\n'
    )
    row = {"id": "t/0", "text": "red", "meta": {"variables": {"thing": "a colour"}, "seed": 3}}
    ended = vsgen("label", write(tmp_path / "made.jsonl", [row]), "--template", template, "-m", "tiny")
    assert ended.exit_code == 0, ended.stderr
    (found,) = lines(ended.stdout)
    assert found["meta"]["variables"] == {"thing": "a colour"}
    bare = vsgen("label", write(tmp_path / "bare.jsonl", [{"text": "red"}]), "--template", template, "-m", "tiny")
    assert bare.exit_code == 2
    assert "bare.jsonl:1: label fits: the prompt needs a field 'thing'" in bare.stderr


@pytest.mark.parametrize(("meta", "flags"), [("mine", ()), ("mine", ("--no-meta",)), ({"a": 1}, ("--no-meta",))])
def test_a_rows_own_meta_is_never_lost(vsgen: Vsgen, meta: object, flags: tuple[str, ...]) -> None:
    ended = vsgen("label", "-", *CATEGORY, *flags, stdin=json.dumps({"text": "My lamp broke.", "meta": meta}))
    assert lines(ended.stdout)[0]["meta"] == meta


def test_the_order_of_the_flags_classes_is_kept_and_averaged_orders_do_not_depend_on_it(
    vsgen: Vsgen, rows: Path
) -> None:
    one, other = (
        lines(
            vsgen(
                "label", rows, "--name", "category", "--classes", classes, "--permutations", "all", "-m", "tiny"
            ).stdout
        )
        for classes in ("billing,bug,how-to", "how-to, billing, bug")
    )
    for a, b in zip(one, other, strict=True):
        assert list(probs(b)) == ["how-to", "billing", "bug"]
        assert probs(a) == pytest.approx(probs(b), abs=1e-5)
        assert a["labels"]["category"]["orders"] == 3
        assert a["labels"]["category"]["disagreement"] >= 0


def test_each_method_is_at_hand_and_the_seed_makes_it_the_same(vsgen: Vsgen, rows: Path) -> None:
    few = write(rows.with_name("few.jsonl"), tickets(3))
    for method in ("reasoning", "votes", "verbalized"):
        flags = ("--method", method, "--set", "replies=3", "--set", "max_tokens=24", "--no-meta")
        first, again, other = (
            vsgen("label", few, *CATEGORY, *flags, "--seed", seed, "--batch", batch)
            for seed, batch in ((1, 8), (1, 2), (2, 8))
        )
        assert first.exit_code == 0, first.stderr
        assert first.stdout == again.stdout
        assert all(
            row["labels"]["category"].get("problem") or math.fsum(probs(row).values()) for row in lines(other.stdout)
        )
        if method == "reasoning":
            assert first.stdout != other.stdout
            assert {row["labels"]["category"]["traces"] for row in lines(first.stdout)} == {3}


def test_choices_of_each_row_and_letters(vsgen: Vsgen, tmp_path: Path) -> None:
    quiz = [{"text": "2 + 2?", "options": [3, 4, 5]}, {"text": "Red?", "options": ["yes", "no"]}]
    path = write(tmp_path / "quiz.jsonl", quiz)
    for flags in ((), ("--set", "verbalizer=letters", "--permutations", "all")):
        ended = vsgen(
            "label", path, "--name", "right", "--choices", "options", "--prompt", "{{ text }}", "-m", "tiny", *flags
        )
        assert ended.exit_code == 0, ended.stderr
        assert [list(probs(row, "right")) for row in lines(ended.stdout)] == [["3", "4", "5"], ["yes", "no"]]


@pytest.mark.parametrize("text", ["", " \t"])
def test_a_blank_text_is_not_labelled_as_if_it_said_something(vsgen: Vsgen, text: str) -> None:
    given = json.dumps({"text": text}) + '\n{"text": "Hello."}\n'
    ended = vsgen("label", "-", *CATEGORY, stdin=given)
    assert ended.exit_code == 2
    assert "<stdin>:1: field 'text' is blank; give a text" in ended.stderr
    ended = vsgen("label", "-", *CATEGORY, "--on-error", "skip", stdin=given)
    assert [row["text"] for row in lines(ended.stdout)] == ["Hello."]


def test_a_row_without_the_field_is_reported_before_a_model_is_opened(vsgen: Vsgen, rows: Path) -> None:
    flags = ("--name", "x", "--classes", "a,b", "--on", "body", "-m", "nobody/has-this-model")
    ended = vsgen("label", rows, *flags)
    assert ended.exit_code == 2
    assert "no field 'body' to label" in ended.stderr
    ended = vsgen("label", rows, *flags[:4], "--prompt", "Which? {{ txt }}", "-m", "nobody/has-this-model")
    assert "label x: the prompt needs a field 'txt'; the row's fields are: " in ended.stderr


# --- priors, calibration, selection


def test_gold_rows_fit_a_scaling_and_tell_how_good_labels_are(vsgen: Vsgen, rows: Path, tmp_path: Path) -> None:
    gold, plot = write(tmp_path / "gold.jsonl", tickets(60, seed=1)), tmp_path / "plot.png"
    raw = lines(vsgen("label", rows, *CATEGORY).stdout)
    ended = vsgen("label", rows, *CATEGORY, "--calibrate", gold, "--plot", plot)
    assert ended.exit_code == 0, ended.stderr
    assert plot.read_bytes().startswith(b"\x89PNG\r\n")
    assert "category: 60 known" in ended.stderr
    assert "after, held out" in ended.stderr
    assert "  skill " in ended.stderr
    assert "log loss, nats" in ended.stderr
    assert "from 60 known classes" in ended.stderr
    power = float(ended.stderr.partition("category: power ")[2].split()[0])
    for row, before in zip(lines(ended.stdout), raw, strict=True):
        label = row["labels"]["category"]
        assert label["raw"] == probs(before)
        assert label["power"] == pytest.approx(power, abs=1e-2)
        scaled = {name: p ** label["power"] * math.exp(label["bias"][name]) for name, p in probs(before).items()}
        total = math.fsum(scaled.values())
        assert probs(row) == pytest.approx({name: p / total for name, p in scaled.items()}, abs=1e-4)


def test_sets_hold_the_classes_that_cannot_be_ruled_out(vsgen: Vsgen, rows: Path, tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.jsonl", tickets(30, seed=1))
    ended = vsgen("label", rows, *CATEGORY, "--calibrate", gold, "--sets", "0.9")
    assert ended.exit_code == 0, ended.stderr
    assert "category: sets at 0.9 hold " in ended.stderr
    for row in lines(ended.stdout):
        likeliest = max(probs(row), key=probs(row).__getitem__)
        assert likeliest in row["labels"]["category"]["set"]
    few = write(tmp_path / "few.jsonl", tickets(9, seed=1))
    ended = vsgen("label", rows, *CATEGORY, "--calibrate", few, "--sets", "0.9")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "--sets 0.9: needs at least 10 rows of known class, got 9" in ended.stderr


def test_labels_are_compared_with_the_true_class_in_a_field_of_their_rows(vsgen: Vsgen, tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", tickets(20))
    plain = vsgen("label", path, *CATEGORY)
    ended = vsgen("label", path, *CATEGORY, "--gold", "category")
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout == plain.stdout
    right = sum(max(probs(row), key=probs(row).__getitem__) == row["category"] for row in lines(ended.stdout))
    assert f"accuracy                  {right / 20:.4f}" in ended.stderr
    assert "true class (lines) and likeliest class (columns):" in ended.stderr
    ended = vsgen("label", path, *CATEGORY, "--gold", "categry", "--on-error", "skip")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "has a field 'categry'; the fields are: id, text, category, truth; did you mean 'category'?" in ended.stderr


def test_labels_are_not_compared_on_the_rows_that_they_are_calibrated_on(vsgen: Vsgen, tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", tickets(20))
    ended = vsgen("label", path, *CATEGORY, "--calibrate", path, "--gold", "category")
    assert ended.exit_code == 0, ended.stderr
    assert "category: 20 of 20 rows are also in GOLD (--calibrate), and" in ended.stderr
    assert "true class (lines)" not in ended.stderr


def test_gold_rows_that_are_null_or_cannot_be_labeled_are_left_out_and_counted(vsgen: Vsgen, tmp_path: Path) -> None:
    good = [{"text": row["text"], "category": row["category"]} for row in tickets(6)]
    odd = [{"text": "What is it?", "category": None}, {"text": "word " * 2500, "category": "bug"}]
    gold, path = write(tmp_path / "gold.jsonl", [*good, *odd]), write(tmp_path / "in.jsonl", tickets(2))
    ended = vsgen("label", path, *CATEGORY, "--calibrate", gold)
    assert ended.exit_code == 0, ended.stderr
    assert len(lines(ended.stdout)) == 2
    assert "category: 6 known" in ended.stderr
    assert "  gold rows left out: 1 with null in 'category', 1 of 7 that could not be labeled (" in ended.stderr
    for rows, why in ((odd[:1], "is null in every row"), (odd, "so with all 1 gold rows")):
        ended = vsgen("label", path, *CATEGORY, "--calibrate", write(gold, rows))
        assert (ended.exit_code, ended.stdout) == (2, "")
        assert why in ended.stderr


def test_gold_rows_may_have_several_classes_and_be_the_input_itself(vsgen: Vsgen, tmp_path: Path) -> None:
    given = [{"text": row["text"], "tags": [row["category"]] if i % 3 else []} for i, row in enumerate(tickets(9))]
    path = write(tmp_path / "gold.jsonl", given)
    flags = ("--name", "tags", "--classes", "billing,bug", "--kind", "multi", "-m", "tiny")
    ended = vsgen("label", path, *flags, "--calibrate", path)
    if any("how-to" in row["tags"] for row in given):
        assert ended.exit_code == 2
        assert "'how-to' is not one of the label's classes (billing, bug)" in ended.stderr
    ended = vsgen("label", path, *flags[:3], "billing,bug,how-to", *flags[4:], "--calibrate", path)
    assert ended.exit_code == 0, ended.stderr
    assert "tags: 9 rows, 27 yes-or-no answers" in ended.stderr
    assert "from 9 known rows" in ended.stderr
    assert len(lines(ended.stdout)) == 9


def test_a_selection_keeps_the_rows_that_are_least_sure_and_the_rest_are_rejects(vsgen: Vsgen, tmp_path: Path) -> None:
    path, rejects = write(tmp_path / "in.jsonl", tickets(20)), tmp_path / "rejects.jsonl"
    everything = lines(vsgen("label", path, *CATEGORY).stdout)
    ended = vsgen("label", path, *CATEGORY, "--select", "borderline:0.25", "--rejects", rejects)
    assert ended.exit_code == 0, ended.stderr
    kept, left = lines(ended.stdout), lines(rejects.read_text())
    assert (len(kept), len(left)) == (5, 15)
    assert {row.pop("reason") for row in left} == {"filter"}
    assert {row.pop("detail") for row in left} == {"not among the selected share"}
    assert sorted([*kept, *left], key=lambda row: int(row["id"][1:])) == everything
    assert [row["id"] for row in kept] == sorted((row["id"] for row in kept), key=lambda name: int(name[1:]))
    least = min(row["labels"]["category"]["entropy"] for row in kept)
    assert all(row["labels"]["category"]["entropy"] <= least for row in left)
    assert "20 input rows = 5 kept + 15 filter" in ended.stderr


def test_a_selection_by_what_no_label_has_says_which_ones_have_it(vsgen: Vsgen, rows: Path) -> None:
    ended = vsgen("label", rows, *CATEGORY, "--select", "disagreement:0.5")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "--select disagreement: label category comes from one model and one order, so no row has" in ended.stderr
    ended = vsgen("label", rows, *CATEGORY, "--select", "disagreement:0.5", "--permutations", "all")
    assert len(lines(ended.stdout)) == 6


def test_a_histogram_counts_every_row(vsgen: Vsgen, rows: Path) -> None:
    ended = vsgen("label", rows, *CATEGORY, "--histogram")
    title, *bars = ended.stderr.partition("  normalized entropy of category, 12 rows")[2].splitlines()
    assert "0: certain" in title
    assert sum(int(bar.split("#")[0].split()[-1]) for bar in bars if "#" in bar) == 12


def test_a_prior_over_the_batch_is_divided_out_of_every_row(vsgen: Vsgen, tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", tickets(15))
    raw = [probs(row) for row in lines(vsgen("label", path, *CATEGORY).stdout)]
    mean = {name: math.fsum(one[name] for one in raw) / 15 for name in CLASSES}
    ended = vsgen("label", path, *CATEGORY, "--prior", "batch")
    assert ended.exit_code == 0, ended.stderr
    for row, before in zip(lines(ended.stdout), raw, strict=True):
        weights = {name: p / mean[name] for name, p in before.items()}
        total = math.fsum(weights.values())
        assert probs(row) == pytest.approx({name: w / total for name, w in weights.items()}, abs=1e-4)
        assert row["labels"]["category"]["raw"] == before


def test_a_skewed_batch_is_warned_of(vsgen: Vsgen, tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", [row for row in tickets(40) if row["truth"][1] > 0.9])
    ended = vsgen("label", path, *CATEGORY, "--prior", "batch")
    assert ended.exit_code == 0
    assert "vsgen: label category: the mean prediction is uneven (bug 0." in ended.stderr


# --- templates


def template(tmp_path: Path, **changes: object) -> Path:
    keys = {key: value for key, value in {**LABEL, **changes}.items() if value is not None}
    path = tmp_path / "tickets.yaml"
    path.write_text(f"version: 1\nname: tickets\nprompt: Write a ticket.\nlabels:\n  - {json.dumps(keys)}\n")
    return path


def test_a_prior_over_all_rows_is_not_for_run(vsgen: Vsgen, tmp_path: Path) -> None:
    ended = vsgen("run", template(tmp_path, prior="batch"), "-n", 2)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "label category: prior batch needs all rows" in ended.stderr
    assert "'vsgen label'" in ended.stderr


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "Reply with exactly one of these: billing, bug, how-to."),
        ({"method": "reasoning"}, "The possible answers are: billing, bug, how-to."),
        ({"method": "votes"}, "Then write a last line of the form 'Answer: '"),
        ({"method": "verbalized"}, "How probable is it that each of these is the right answer: billing, bug, how-to?"),
        ({"kind": "multi"}, "Does this apply: billing?\n\nReply with exactly one of these: yes, no."),
        ({"verbalizer": "letters"}, "A. billing\nB. bug\nC. how-to"),
        ({"classes": None, "choices": "text"}, "Reply with exactly one of these: …, ……."),
    ],
    ids=["score", "reasoning", "votes", "verbalized", "multi", "letters", "choices"],
)
def test_check_shows_what_each_method_asks(
    vsgen: Vsgen, tmp_path: Path, changes: dict[str, object], shown: str
) -> None:
    ended = vsgen("check", template(tmp_path, **changes))
    assert ended.exit_code == 0, ended.stderr
    assert QUEUE in ended.stdout
    assert shown in ended.stdout


def test_check_shows_the_choices_of_a_row(vsgen: Vsgen, tmp_path: Path) -> None:
    path = template(tmp_path, classes=None, choices="options")
    good = vsgen("check", path, write(tmp_path / "rows.jsonl", [{"options": ["x", "y"]}]))
    assert "Reply with exactly one of these: x, y." in good.stdout
    bad = vsgen("check", path)
    assert bad.exit_code == 2
    assert "label category: missing variable 'options'" in bad.stderr
