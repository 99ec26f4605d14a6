"""``vsgen targets``: what it writes, and what it refuses."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.values import Message, Prompt

if TYPE_CHECKING:
    from typer.testing import Result

    from tests.cli.conftest import Vsgen

DAYS = """\
version: 1
name: days
prompt: Name a {{ kind }} day.
system: Be brief.
variables: {kind: [random, nice]}
choices: {Monday: 3, Sunday: 1}
output: {field: text}
"""


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def days(tmp_path: Path) -> Path:
    path = tmp_path / "days.yaml"
    path.write_text(DAYS)
    return path


def test_rows_of_the_paper_hold_the_prompt_and_the_whole_distribution(vsgen: Vsgen) -> None:
    (row,) = rows(vsgen("targets", "--family", "binomial", "--split", "unseen", "-n", 1))
    assert list(row) == ["id", "split", "family", "params", "messages", "values", "probs", "grid", "scipy"]
    assert (row["id"], row["split"], row["params"]) == ("binomial/n=25.0,p=0.25", "unseen", {"n": 25.0, "p": 0.25})
    assert row["values"] == [str(k) for k in range(26)]
    assert row["probs"] == pytest.approx([math.comb(25, k) * 0.25**k * 0.75 ** (25 - k) for k in range(26)], abs=1e-12)
    (message,) = row["messages"]
    assert message["role"] == "user" and "a Binomial distribution with parameters n=25.0, p=0.25." in message["content"]
    assert row["scipy"] == {"name": "binom", "args": {"n": 25.0, "p": 0.25}}


def test_splits_and_families_have_the_papers_sizes(vsgen: Vsgen) -> None:
    small = ("--max-bins", 4, "--decimals", 1)
    for split, count in {"train": 1988, "unseen": 591, "heldout": 92}.items():
        found = rows(vsgen("targets", "--split", split, *small))
        assert len(found) == count and {row["split"] for row in found} == {split}
    chosen = rows(vsgen("targets", "--selected", *small))
    assert Counter(row["split"] for row in chosen) == {"unseen": 24, "heldout": 18}
    both = rows(vsgen("targets", "--family", "gamma, chi", "--split", "all", *small))
    assert Counter(row["family"] for row in both) == {"gamma": 121 + 36, "chi": 9}


def test_grids_are_as_fine_as_was_asked(vsgen: Vsgen) -> None:
    asked = ("targets", "--family", "cauchy", "-n", 1)
    (default,), (quantile,) = rows(vsgen(*asked)), rows(vsgen(*asked, "--grid", "quantile", "--decimals", 2))
    assert len(default["values"]) == 1001 and max(default["probs"]) > 0.15
    assert default["grid"] == {
        "kind": "linear",
        "decimals": 5,
        "max_bins": 1001,
        "q_lo": 0.001,
        "q_hi": 0.999,
        "tails": "edge",
    }
    assert max(quantile["probs"]) < 0.02 and quantile["grid"] == {"kind": "quantile", "decimals": 2, "max_bins": 1001}
    assert all(len(value.partition(".")[2]) == 2 for value in quantile["values"])


def test_hard_rows_are_chats_with_drawn_answers(vsgen: Vsgen) -> None:
    found = rows(vsgen("targets", "--kind", "hard", "--family", "beta", "-n", 2))
    assert len(found) == 2 * 16 and len({row["id"] for row in found}) == 32
    assert list(found[0]) == ["id", "split", "family", "params", "messages"]
    assert {tuple(message["role"] for message in row["messages"]) for row in found} == {("user", "assistant")}
    assert all(0 <= float(row["messages"][1]["content"]) <= 1 for row in found)
    again = rows(vsgen("targets", "--kind", "hard", "--family", "beta", "-n", 1, "--samples", 20))
    assert again[:16] == found[:16]
    assert rows(vsgen("targets", "--kind", "hard", "--family", "beta", "-n", 2, "--seed", 1)) != found


def test_a_soft_rows_trie_multiplies_to_the_values_probabilities(vsgen: Vsgen) -> None:
    asked = ("targets", "--family", "gaussian,skellam", "--split", "unseen", "--max-bins", 60)
    soft = rows(vsgen(*asked, "--kind", "soft", "--tokenizer", "tiny"))
    tiny = open_tokenizer("tiny")
    assert len(soft) == 72
    for row, known in zip(soft[::9], rows(vsgen(*asked))[::9], strict=True):
        assert row["id"] == known["id"] and (row["tokenizer"], row["end"]) == ("tiny", tiny.end)
        trie = row["trie"]
        logps: dict[int, float] = {0: 0.0}
        spelled: dict[int, tuple[int, ...]] = {0: ()}
        for node in range(1, len(trie["parents"])):
            parent = trie["parents"][node]
            assert parent < node
            logps[node] = logps[parent] + math.log(trie["probs"][node])
            spelled[node] = (*spelled[parent], trie["tokens"][node])
        leaves = {spelled[node]: math.exp(logps[node]) for node in spelled if spelled[node][-1:] == (tiny.end,)}
        prompt = Prompt(tuple(Message(**message) for message in known["messages"]))
        ids, answers = tiny.spell(prompt, known["values"])
        assert row["prompt_ids"] == list(ids)
        truth = {(*tokens, tiny.end): p for tokens, p in zip(answers, known["probs"], strict=True)}
        assert leaves == pytest.approx(truth, abs=1e-12)


def test_soft_paths_are_rows_for_distillkit(vsgen: Vsgen) -> None:
    asked = ("targets", "--kind", "soft", "--tokenizer", "tiny", "--family", "poisson", "--split", "heldout")
    found = rows(vsgen(*asked, "-n", 2, "--paths", 3))
    assert [row["id"][-3:] for row in found] == ["#00", "#01", "#02"] * 2
    for row in found:
        ids, tops, values = row["input_ids"], np.array(row["token_ids"]), np.array(row["top_values"])
        assert len(ids) == len(tops) == len(values) and ids[-1] == row["end"]
        said = [at for at in range(len(ids)) if values[at].max() > -1e8]
        for at in said:
            assert np.exp(values[at]).sum() == pytest.approx(1, abs=1e-4)
            assert ids[at + 1] in tops[at][values[at] > -1e8]


def test_the_same_command_writes_the_same_bytes(vsgen: Vsgen, tmp_path: Path) -> None:
    asked = ("targets", "--family", "gumbel", "-n", 3, "--kind", "soft", "--tokenizer", "tiny", "--paths", 2)
    one, two = vsgen(*asked), vsgen(*asked)
    assert one.stdout == two.stdout != ""
    ended = vsgen(*asked, "-o", tmp_path / "out.jsonl")
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert (tmp_path / "out.jsonl").read_text() == one.stdout
    assert ended.stderr.startswith("vsgen: 6 rows in ") and "3 prompts · 6 candidates = 6 kept" in ended.stderr


def test_choices_are_targets_of_every_different_prompt(vsgen: Vsgen, days: Path) -> None:
    found = rows(vsgen("targets", days))
    assert [row["params"] for row in found] == [{"kind": "random"}, {"kind": "nice"}]
    assert [row["id"] for row in found] == ["days/000000", "days/000001"]
    for row in found:
        assert list(row) == ["id", "family", "params", "messages", "values", "probs"]
        assert (row["family"], row["values"], row["probs"]) == ("days", ["Monday", "Sunday"], [0.75, 0.25])
    assert found[1]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Name a nice day."},
    ]


def test_input_rows_take_the_place_of_variables(vsgen: Vsgen, days: Path) -> None:
    given = '{"kind": "wet"}\n{"kind": "dry", "other": 1}\n{"kind": "wet"}\n'
    found = rows(vsgen("targets", days, "-", stdin=given))
    assert [row["params"] for row in found] == [{"kind": "wet"}, {"kind": "dry"}]


def test_choices_that_are_written_alike_are_one_and_numbers_are_written_as_json(vsgen: Vsgen, days: Path) -> None:
    days.write_text(DAYS.replace("{Monday: 3, Sunday: 1}", '[1, "1", 2.5, true]'))
    found = rows(vsgen("targets", days, "-n", 1))
    assert (found[0]["values"], found[0]["probs"]) == (["1", "2.5", "true"], [0.5, 0.25, 0.25])


def written(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def line(draw: int, number: int, text: str, probability: float | None, template: str = "days@x") -> dict[str, Any]:
    meta = {"template": template, "basis": "verbalized", "variables": {"kind": "nice"}}
    return {"id": f"days/{draw:06d}.{number}", "text": text, "probability": probability, "meta": meta}


def test_what_a_run_wrote_becomes_the_mean_of_its_draws(vsgen: Vsgen, days: Path, tmp_path: Path) -> None:
    source = written(
        tmp_path / "rows.jsonl",
        line(0, 0, "Friday", 0.5),
        line(0, 1, "Monday", 0.5),
        line(1, 0, "Friday", 1.0),
        {**line(2, 0, "Monday", 1.0), "meta": {**line(2, 0, "", 1.0)["meta"], "variables": {"kind": "random"}}},
    )
    ended = vsgen("targets", days, "--from", source)
    found = rows(ended)
    assert [row["messages"][1]["content"] for row in found] == ["Name a nice day.", "Name a random day."]
    assert (found[0]["values"], found[0]["probs"]) == (["Friday", "Monday"], [0.75, 0.25])
    assert found[0]["from"] == {"rows": 3, "draws": 2}
    assert "rows.jsonl:1: was made with days@x, and this is days@" in ended.stderr
    assert "flattens" not in ended.stderr


def test_rows_of_a_real_run_become_targets_without_a_word(vsgen: Vsgen, tmp_path: Path) -> None:
    made = tmp_path / "made.jsonl"
    assert vsgen("run", "random-item", "-n", 30, "--no-dedup", "-o", made, "-q").exit_code == 0
    ended = vsgen(
        "targets", "random-item", "--from", made, "--set", "dedup=false", "--kind", "soft", "--tokenizer", "tiny"
    )
    assert ended.stderr.splitlines()[0].startswith("vsgen: ") and " rows in " in ended.stderr.splitlines()[0]
    kinds = {json.loads(text)["meta"]["variables"]["thing"] for text in made.read_text().splitlines()}
    found = rows(ended)
    assert {row["params"]["thing"] for row in found} == kinds
    assert all(row["trie"]["probs"][0] == 1 for row in found)


def test_rows_that_lost_their_draws_repeats_are_told_of(vsgen: Vsgen, days: Path, tmp_path: Path) -> None:
    source = written(tmp_path / "rows.jsonl", line(0, 0, "Friday", 1.0), line(1, 1, "Monday", 0.5))
    ended = vsgen("targets", days, "--from", source)
    assert rows(ended)[0]["probs"] == pytest.approx([2 / 3, 1 / 3])
    assert "holds at most 75% of its 2 draws' probability; " in ended.stderr and "--no-dedup" in ended.stderr


def test_draws_that_left_no_row_at_all_are_told_of(vsgen: Vsgen, days: Path, tmp_path: Path) -> None:
    source = written(tmp_path / "rows.jsonl", line(1, 0, "Friday", 1.0), line(3, 0, "Monday", 1.0))
    ended = vsgen("targets", days, "--from", source)
    assert rows(ended)[0]["from"] == {"rows": 2, "draws": 2}
    assert "holds at most 50% of its 4 draws' probability, 2 of which left no row; " in ended.stderr


def test_another_field_can_hold_the_answer(vsgen: Vsgen, tmp_path: Path) -> None:
    template = tmp_path / "two.yaml"
    schema = "{type: object, properties: {name: {type: string}, age: {type: integer}}}"
    template.write_text(f"version: 1\nname: two\nprompt: Invent one.\noutput: {{schema: {schema}}}\n")
    meta = {"template": "two@x", "basis": "verbalized", "variables": {}}
    source = written(
        tmp_path / "rows.jsonl",
        *({"id": f"two/0.{i}", "name": "Bo", "age": i, "probability": 0.5, "meta": meta} for i in (3, 4)),
    )
    assert rows(vsgen("targets", template, "--from", source))[0]["values"] == ["Bo"]
    assert rows(vsgen("targets", template, "--from", source, "--on", "age"))[0]["values"] == ["3", "4"]
    assert (
        "--on: 'size' is not an output field of" in vsgen("targets", template, "--from", source, "--on", "size").stderr
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "x", "probability": 0.5}, "rows.jsonl:1: meta.variables: missing"),
        (line(0, 0, "x", None), "rows.jsonl:1: probability: must be a number from 0 to 1, got null"),
        (line(0, 0, "x", 1.5), "probability: must be a number from 0 to 1, got 1.5"),
        ({k: v for k, v in line(0, 0, "x", 1).items() if k != "text"}, "rows.jsonl:1: text: missing; choose the field"),
        ({k: v for k, v in line(0, 0, "x", 1).items() if k != "probability"}, "got nothing; vsgen does not invent one"),
        (line(0, 0, "x", 0.0), "the weights must have a finite sum above 0"),
        ({**line(0, 0, "x", 1), "meta": {"variables": {}}}, "missing variable 'kind'"),
    ],
)
def test_a_row_that_is_no_use_is_named(
    vsgen: Vsgen, days: Path, tmp_path: Path, row: dict[str, Any], said: str
) -> None:
    ended = vsgen("targets", days, "--from", written(tmp_path / "rows.jsonl", row))
    assert ended.exit_code == 2 and ended.stdout == ""
    assert said in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--family", "gausian"), "--family: no family named 'gausian'; did you mean 'gaussian'?"),
        (("--family", "poisson"), "--family: poisson has no prompts in split train; it has some in --split heldout"),
        (("--family", "beta,weibull", "-n", 1), "--family: weibull has no prompts in split train"),
        (
            ("--family", "poisson,beta", "--split", "heldout"),
            "--family: beta has no prompts in split heldout; it has some in --split train and --split unseen",
        ),
        (("--kind", "soft"), "--kind soft: needs --tokenizer"),
        (("--tokenizer", "tiny"), "--tokenizer: is for --kind soft"),
        (("--paths", 3, "--kind", "hard"), "--paths: is for --kind soft"),
        (("--samples", 3), "--samples: is for --kind hard; soft rows have --paths"),
        (("--trust-remote-code",), "--trust-remote-code: is for --kind soft"),
        (("--decimals", 12), "--decimals: must be from 0 to 8, got 12"),
        (("--max-bins", 1), "--max-bins: must be from 2 to"),
        (("--from", "x.jsonl"), "--from: needs the TEMPLATE"),
        (("--set", "num=3"), "--set: needs the TEMPLATE"),
        (("--on", "text"), "--on: names the answer's field of --from ROWS"),
        (("--selected", "--split", "train"), "--selected: chooses among the unseen and heldout prompts"),
        (("DAYS", "--family", "beta"), "--family: is for the paper's families; leave out TEMPLATE or this option"),
        (("DAYS", "--decimals", 0), "--decimals: is for the paper's families"),
        (("DAYS", "rows.jsonl", "--from", "x.jsonl"), "INPUT: cannot be combined with --from"),
        (("DAYS", "--from", "/no/rows.jsonl"), "/no/rows.jsonl: no such file"),
        (("random-item",), "random-item.yaml: choices: missing"),
        (("no-such",), "no template named 'no-such'"),
        (("DAYS", "-o", "DAYS"), "is named twice; input, output"),
        (("-o", "."), ".: is a directory; name a file in it"),
        (("-o", ""), "-o: is empty; give a file's name"),
        (("--output=",), "--output: is empty"),
        (("--overwrite",), "--overwrite needs -o FILE"),
    ],
)
def test_flags_that_do_not_go_together_are_one_message(
    vsgen: Vsgen, days: Path, words: tuple[object, ...], said: str
) -> None:
    ended = vsgen("targets", *(str(days) if word == "DAYS" else word for word in words))
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert said in ended.stderr and len(ended.stderr.splitlines()) == 1


def test_too_many_prompts_are_refused(vsgen: Vsgen, days: Path) -> None:
    many = ", ".join(map(str, range(101)))
    days.write_text(
        DAYS.replace("{{ kind }}", "{{ kind }} {{ a }}").replace("[random, nice]", f"[{many}], a: [{many}]")
    )
    assert "make 10,201 prompts, more than 10,000" in vsgen("targets", days).stderr


def test_a_missing_tokenizer_ends_with_the_models_status_and_writes_nothing(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    ended = vsgen("targets", "--kind", "soft", "--tokenizer", tmp_path, "-o", out)
    assert ended.exit_code == 3 and "cannot be opened as a tokenizer" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_written_anew_only_when_told_so(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("precious")
    asked = ("targets", "--family", "beta", "-n", 1, "-o", out)
    refused = vsgen(*asked)
    assert refused.exit_code == 2 and "exists; --overwrite replaces it" in refused.stderr
    assert out.read_text() == "precious"
    assert vsgen(*asked, "--overwrite", "-q").stderr == ""
    assert json.loads(out.read_text())["family"] == "beta"


def test_making_rows_leaves_no_journal_and_heeds_nothing_that_an_interrupted_one_left(
    vsgen: Vsgen, tmp_path: Path
) -> None:
    (tmp_path / "out.jsonl.part").write_text("half a ro")
    ended = vsgen("targets", "--family", "beta", "-n", 1, "-o", tmp_path / "out.jsonl")
    assert (ended.exit_code, [path.name for path in tmp_path.iterdir()]) == (0, ["out.jsonl"])


def test_a_reader_that_has_seen_enough_ends_it_quietly() -> None:
    words = [sys.executable, "-m", "vsgen", "targets", "-q"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_rows_of_values_need_no_model_library() -> None:
    code = "import sys\nfrom vsgen.cli.app import app\n"
    code += "try:\n    app(['targets', '-n', '1', '-q'])\nexcept SystemExit:\n    pass\n"
    code += "assert not {'torch', 'transformers'} & sys.modules.keys()"
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False).returncode == 0
