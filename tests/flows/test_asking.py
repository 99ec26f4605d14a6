"""How a model is asked depends on what it is, on the template and on the draw; nothing else."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from vsgen.flows.asking import SMALL, Asker, settings_of, size_of, unsuited
from vsgen.sampling.exchanges import BRIEF, FULL
from vsgen.template.load import load_template
from vsgen.template.render import Renderer
from vsgen.template.schema import Template
from vsgen.values import ModelFacts, Prompt

LITTLE = ModelFacts(135_000_000, 49_152, 2048, "float32", "cpu", True, True)
LIMIT = ModelFacts(SMALL, 49_152, 2048, "float32", "cpu", True, True)
BIG = ModelFacts(7_000_000_000, 128_000, 8192, "bfloat16", "cuda", True, True)
BASE = ModelFacts(7_000_000_000, 128_000, 8192, "bfloat16", "cuda", False, False)
TINY = ModelFacts(1_000_000, 1000, 512, "float32", "cpu", True, True, embedded=True)
DAY = "version: 1\nname: days\nprompt: Name a day.\n"
FRUIT = """\
version: 1
name: fruit
prompt: Name a {{ kind }} fruit.
system: Be brief.
variables: {kind: [red, sour]}
examples:
  - {kind: red, text: apple, probability: 0.4}
  - {kind: red, text: cherry, probability: 0.2}
  - {kind: sour, text: lemon, probability: 0.5}
  - {kind: sour, text: lime, probability: 0.3}
  - {text: quince}
"""


def load(tmp_path: Path, text: str, *overrides: str) -> Template:
    path = tmp_path / "asked.yaml"
    path.write_text(text)
    return load_template(str(path), overrides)


def ask(template: Template, facts: ModelFacts | None, number: int = 0, seed: int = 0, **values: object) -> Prompt:
    render = Renderer(template)
    return Asker(template, render, facts, seed=seed).ask(render.prompt(values), values, number)


def exchanges(prompt: Prompt) -> list[tuple[str, str]]:
    """The requests and replies before the task."""
    turns = [message.content for message in prompt.messages if message.role != "system"][:-1]
    return list(zip(turns[::2], turns[1::2], strict=True))


def test_up_to_3_billion_parameters_is_small_and_what_is_not_known_is_large() -> None:
    sizes = [size_of(facts) for facts in (LITTLE, LIMIT, BIG, BASE, None, TINY)]
    assert sizes == ["small", "small", "large", "large", "large", None]


@pytest.mark.parametrize(
    ("facts", "wanted", "count"),
    [
        *((LITTLE, "auto", 1), (LIMIT, "auto", 1), (BIG, "auto", 0), (BASE, "auto", 1), (None, "auto", 0)),
        *((TINY, "auto", 0), (LITTLE, "off", 0), (LITTLE, "0", 0), (BASE, "off", 0), (BIG, "2", 2), (None, "1", 1)),
        *((TINY, "3", 3), (LITTLE, "4", 4)),
    ],
)
def test_auto_shows_an_exchange_to_those_that_need_one(
    tmp_path: Path, facts: ModelFacts | None, wanted: str, count: int
) -> None:
    template = load(tmp_path, f"{DAY}choices: [Monday, Sunday]\n", f"sampling.demonstrate={wanted}")
    shown = exchanges(ask(template, facts))
    assert len(shown) == count
    assert {request for request, _ in shown} <= {one.request for one in BRIEF}


def test_power_is_not_shown_exchanges_unless_they_are_asked_for(tmp_path: Path) -> None:
    assert not exchanges(ask(load(tmp_path, DAY, "sampling.method=power"), LITTLE))
    assert exchanges(ask(load(tmp_path, DAY, "sampling.method=power", "sampling.demonstrate=1"), LITTLE))


def test_our_own_exchanges_are_of_the_answers_length(tmp_path: Path) -> None:
    full = {one.request for one in FULL}
    assert {request for request, _ in exchanges(ask(load(tmp_path, DAY), LITTLE))} <= full
    short = load(tmp_path, DAY + "output: {max_chars: 20}\n")
    assert not {request for request, _ in exchanges(ask(short, LITTLE))} & full


@pytest.mark.parametrize(
    "properties",
    ["{question: {type: string}, answer: {type: string}}", "{stars: {type: integer}}"],
)
def test_fields_whose_meaning_our_exchanges_cannot_have_are_asked_for_without(tmp_path: Path, properties: str) -> None:
    output = f"output: {{schema: {{type: object, properties: {properties}}}}}\n"
    assert not exchanges(ask(load(tmp_path, DAY + output), LITTLE))
    assert settings_of(load(tmp_path, DAY + output), LITTLE).key is None


def test_examples_serve_several_fields(tmp_path: Path) -> None:
    text = (
        DAY
        + "output: {schema: {type: object, properties: {question: {type: string}, stars: {type: integer}}}}\n"
        + "examples: [{question: Why?, stars: 3}]\n"
    )
    for method in ("vs", "direct", "sequence"):
        ((request, reply),) = exchanges(ask(load(tmp_path, text, f"sampling.method={method}"), None))
        assert request == "Name a day."
        whole = json.loads(reply)
        (one,) = whole["responses"] if method != "direct" else [whole]
        assert {"question": "Why?", "stars": 3}.items() <= one.items()


def test_only_lists_after_our_own_exchanges_have_the_neutral_key(tmp_path: Path) -> None:
    day = DAY + "output: {field: day}\n"
    assert settings_of(load(tmp_path, day), LITTLE).key == "text"
    assert settings_of(load(tmp_path, day), BIG).key is None
    assert settings_of(load(tmp_path, day, "sampling.method=cot"), LITTLE).key is None
    assert settings_of(load(tmp_path, day + "examples: [{day: Monday}]\n"), LITTLE).key is None


def test_examples_are_grouped_by_their_request_in_lists(tmp_path: Path) -> None:
    template = load(tmp_path, FRUIT, "sampling.demonstrate=9", "sampling.method=vs")
    shown = dict(exchanges(ask(template, BIG, kind="red")))
    assert set(shown) == {"Name a red fruit.", "Name a sour fruit."}
    listed = {request: json.loads(reply)["responses"] for request, reply in shown.items()}
    assert {one["text"] for one in listed["Name a sour fruit."]} == {"lemon", "lime"}
    assert {one["text"] for one in listed["Name a red fruit."]} == {"apple", "cherry", "quince"}  # quince: the draw's
    stated = {one["text"]: one["probability"] for one in listed["Name a sour fruit."]}
    assert stated == {"lemon": 0.5, "lime": 0.3}


def test_an_example_without_a_variable_has_the_draws_value(tmp_path: Path) -> None:
    template = load(tmp_path, FRUIT, "sampling.demonstrate=9", "sampling.method=direct")
    assert ("Name a sour fruit.", "quince") in exchanges(ask(template, BIG, kind="sour"))
    assert ("Name a red fruit.", "quince") in exchanges(ask(template, BIG, kind="red"))


@pytest.mark.parametrize(("method", "count"), [("vs", 1), ("direct", 3), ("multi-turn", 3)])
def test_auto_shows_examples_to_every_model(tmp_path: Path, method: str, count: int) -> None:
    template = load(tmp_path, FRUIT, f"sampling.method={method}")
    for facts in (LITTLE, BIG, None, TINY):
        assert len(exchanges(ask(template, facts, kind="red"))) == count
    assert not exchanges(ask(load(tmp_path, FRUIT, "sampling.demonstrate=off"), LITTLE, kind="red"))


def test_each_draw_shows_a_subset_of_its_own_and_the_same_one_again(tmp_path: Path) -> None:
    template = load(tmp_path, FRUIT, "sampling.method=direct", "sampling.demonstrate=1")
    first = [ask(template, BIG, number, kind="red") for number in range(60)]
    assert [ask(template, BIG, number, kind="red") for number in range(60)] == first
    counts = Counter(exchanges(prompt)[0][1] for prompt in first)
    assert set(counts) == {"apple", "cherry", "lemon", "lime", "quince"}
    assert max(counts.values()) < 30
    assert first != [ask(template, BIG, number, seed=1, kind="red") for number in range(60)]


def test_our_own_exchanges_differ_between_draws(tmp_path: Path) -> None:
    template = load(tmp_path, f"{DAY}choices: [Monday, Sunday]\n")
    asked = [ask(template, LITTLE, number) for number in range(30)]
    assert len(set(asked)) > 3
    assert asked == [ask(template, LITTLE, number) for number in range(30)]


def test_the_system_message_comes_before_the_exchanges_and_the_task_after_them(tmp_path: Path) -> None:
    prompt = ask(load(tmp_path, FRUIT), LITTLE, kind="red")
    assert [message.role for message in prompt.messages] == ["system", "user", "assistant", "user"]
    assert (prompt.messages[0].content, prompt.messages[-1].content) == ("Be brief.", "Name a red fruit.")


def test_a_rendered_prefill_begins_the_reply_and_every_exchange(tmp_path: Path) -> None:
    text = FRUIT + "prefill: 'A {{ kind }} one:'\nsampling: {method: direct, demonstrate: 2}\n"
    prompt = ask(load(tmp_path, text), LITTLE, kind="sour")
    assert prompt.prefill == "A sour one:"
    assert all(reply.startswith("A sour one:") for _, reply in exchanges(prompt))


def test_a_template_says_which_sizes_it_cannot_serve(tmp_path: Path) -> None:
    template = load(tmp_path, f"{DAY}recommended: {{small: 'they repeat Monday', large: {{sampling.k: 9}}}}\n")
    said = unsuited(template, LITTLE)
    assert said is not None and said.endswith("small models are not suited to this template: they repeat Monday")
    assert [unsuited(template, facts) for facts in (BIG, None, TINY)] == [None] * 3


@pytest.mark.parametrize("facts", [LITTLE, BIG, BASE, None])
@pytest.mark.parametrize("method", ["direct", "power"])
def test_plain_text_is_continued_as_it_stands_whatever_the_model(
    tmp_path: Path, facts: ModelFacts | None, method: str
) -> None:
    template = load(tmp_path, DAY + "chat: false\n", f"sampling.method={method}")
    assert ask(template, facts) == Prompt(prefill="Name a day.")
