"""The embedded model in vLLM says what it says in this process: by every means that vLLM has, and in whole commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.servers.asking import answers, asked, found, replies, scores
from tests.servers.conftest import Vsgen, rows
from tests.servers.serve import VLLM, vllm
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.completions import Completions
from vsgen.backends.endpoint.messages import Messages
from vsgen.backends.endpoint.wire import Abilities, Wire
from vsgen.backends.open import open_model
from vsgen.ports import LanguageModel
from vsgen.tiny import WEIGHTS
from vsgen.values import Generate, Prompt, Score

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(not VLLM.exists(), reason="make test-vllm installs vLLM"),
]
NEAR = 1e-3
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY = asked("Name a random day of the week.")
CITY = asked("Name a random city.")
CAN = Abilities(
    "tight", pattern=True, logprobs=True, top_logprobs=20, prompt_logprobs=True, seed=True, prefill=True, top_k=True
)
LIST = {
    "type": "object",
    "properties": {
        "responses": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "text": {"type": "string", "minLength": 1, "maxLength": 30},
                    "probability": {"type": "number"},
                },
                "required": ["text", "probability"],
                "additionalProperties": False,
            },
            "minItems": 3,
            "maxItems": 3,
        }
    },
    "required": ["responses"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("vllm") / "log"
    with vllm(WEIGHTS, "tiny", log) as served:
        yield served


@pytest.fixture(scope="module")
def tiny() -> LanguageModel:
    return open_model("tiny")


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (Chat(), replace(CAN, tokens=True, listed=20)),
        (Completions(), replace(CAN, tokens=True, listed=20, top_logprobs=0)),
        (Messages(), Abilities("full", top_k=True)),
    ],
)
def test_what_vllm_can_is_found(url: str, wire: Wire, expected: Abilities) -> None:
    shown = found(url, "tiny", wire)
    assert shown.problem is None
    assert replace(shown.can, context=None) == expected


@pytest.mark.parametrize("can", [CAN, replace(CAN, prompt_logprobs=False)], ids=["prompts", "steps"])
def test_whole_choices_have_the_probabilities_that_they_have_in_this_process(
    url: str, tiny: LanguageModel, can: Abilities
) -> None:
    calls = [Score(DAY, DAYS), Score(asked("Name a random colour.", "Blue"), ("", "green"))][: 2 if can == CAN else 1]
    for answer, truth in zip(scores(answers(url, "tiny", Chat(), calls, can)), tiny.score(calls), strict=True):
        assert answer.logp == pytest.approx(truth.logp, abs=NEAR) and not answer.upper


def test_bounds_hold_the_probabilities_of_this_process(url: str, tiny: LanguageModel) -> None:
    call = Score(DAY, (*DAYS, "Someday"))
    for can in (replace(CAN, prompt_logprobs=False), replace(CAN, prompt_logprobs=False, prefill=False)):
        (answer,) = scores(answers(url, "tiny", Chat(), [call], can))
        for lower, logp, upper in zip(answer.lower, tiny.score([call])[0].logp, answer.upper, strict=True):
            assert lower - NEAR <= logp <= upper + NEAR


def test_the_likeliest_reply_is_the_same(url: str, tiny: LanguageModel) -> None:
    asks = [DAY, CITY, asked("Write a short support ticket from a customer about a desk lamp. Tone: angry.")]
    calls = [Generate(prompt, 1, temperature=0.0, max_tokens=60) for prompt in asks]
    theirs, ours = replies(answers(url, "tiny", Chat(), calls, CAN)), tiny.generate(calls)
    assert [one.text for one in theirs] == [one.text for one in ours]
    assert [one.count for one in theirs] == [len(one.tokens) for one in ours]


def test_the_likeliest_tokens_are_the_same_with_their_probabilities(url: str, tiny: LanguageModel) -> None:
    calls = [Generate(Prompt(prefill=f"Q: Name a {one}.\nA:"), 1, 0.0, max_tokens=12) for one in ("city", "fruit")]
    theirs = replies(answers(url, "tiny", Completions(), calls, replace(CAN, tokens=True)))
    for one, here in zip(theirs, tiny.generate(calls), strict=True):
        assert one.tokens == here.tokens
        assert one.logp == pytest.approx(here.logp, abs=NEAR)


def test_replies_are_held_to_a_schema(url: str) -> None:
    calls = [Generate(CITY, seed, max_tokens=200, schema=json.dumps(LIST)) for seed in range(8)]
    for one in replies(answers(url, "tiny", Chat(), calls, CAN)):
        Draft202012Validator(LIST).validate(json.loads(one.text))


def run(vsgen: Vsgen, template: str, *words: object) -> None:
    done = vsgen("run", template, "-m", "tiny", *words)
    assert done.exit_code == 0, done.output


def test_a_run_labels_as_in_this_process_and_resumes_without_the_server(vsgen: Vsgen, url: str, tmp_path: Path) -> None:
    out, texts = tmp_path / "out.jsonl", tmp_path / "texts.jsonl"
    words = ["-n", 12, "-o", out, "--endpoint", url]
    run(vsgen, "support-tickets", *words)
    made = rows(out)
    assert len(made) == 12
    texts.write_text("".join(json.dumps({"text": row["text"]}) + "\n" for row in made))
    here = vsgen("label", texts, "--template", "support-tickets", "-m", "tiny")
    for row, line in zip(made, here.stdout.splitlines(), strict=True):
        theirs, ours = row["labels"]["category"], json.loads(line)["labels"]["category"]
        assert theirs["probs"] == pytest.approx(ours["probs"], abs=NEAR)
        assert theirs["label_mass"] == pytest.approx(ours["label_mass"], abs=NEAR)
    written = out.read_bytes()
    out.rename(f"{out}.part")
    run(vsgen, "support-tickets", *words, "--resume")
    assert out.read_bytes() == written


@pytest.mark.parametrize("method", ["votes", "verbalized"])
def test_labels_by_other_ways_are_distributions(vsgen: Vsgen, url: str, tmp_path: Path, method: str) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text(json.dumps({"text": "I was charged twice for my desk lamp."}))
    words = ["--name", "queue", "--classes", "billing,bug,how-to", "--method", method]
    done = vsgen("label", texts, *words, "--endpoint", url, "-m", "tiny")
    assert done.exit_code == 0, done.output
    assert sum(json.loads(done.stdout)["labels"]["queue"]["probs"].values()) == pytest.approx(1, abs=1e-5)


def test_decisions_are_refused_as_vllm_refuses_them_for_this_model(vsgen: Vsgen, url: str, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text(json.dumps({"text": "I was charged twice for my desk lamp."}))
    words = ["--name", "queue", "--classes", "billing,bug,how-to", "--method", "decisions"]
    done = vsgen("label", texts, *words, "--endpoint", url, "-m", "tiny")
    assert done.exit_code == 2 and "501" in done.output


def test_power_sampling_states_the_probabilities_of_this_process(
    vsgen: Vsgen, url: str, tiny: LanguageModel, tmp_path: Path
) -> None:
    run(vsgen, "jokes", "--method", "power", "-n", 3, "-o", tmp_path / "out.jsonl", "--endpoint", url)
    made = rows(tmp_path / "out.jsonl")
    assert made and all(row["meta"]["basis"] == "power" for row in made)
    for row in made:
        prompt = asked(f"Tell a short joke about a {row['meta']['variables']['animal']}.")
        (truth,) = tiny.score([Score(prompt, (row["text"],))])[0].logp
        assert row["meta"]["logp"] == pytest.approx(truth, abs=NEAR) or not row["meta"]["ended"]


def test_doctor_names_what_vllm_can(vsgen: Vsgen, url: str) -> None:
    done = vsgen("doctor", "--endpoint", url, "-m", "tiny")
    assert done.exit_code == 0
    assert "exact, by prompt_logprobs" in done.output and "status 501" in done.output


@pytest.mark.parametrize("wire", ["completions", "messages"])
def test_rows_come_over_the_other_apis_too(vsgen: Vsgen, url: str, tmp_path: Path, wire: str) -> None:
    out = tmp_path / "out.jsonl"
    run(vsgen, "random-item", "-n", 5, "-o", out, "--endpoint", url, "--wire", wire)
    assert len(rows(out)) == 5
