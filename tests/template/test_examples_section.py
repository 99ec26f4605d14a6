"""What a template may say about examples, formats, prefill and models of different sizes, and its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsgen.errors import TemplateError
from vsgen.template.examples import Size
from vsgen.template.load import load_template
from vsgen.template.schema import Template, json_schema

BASE = "version: 1\nname: fruit\nprompt: Name a {{ kind }} fruit.\nvariables: {kind: [red, sour]}\n"


def load(tmp_path: Path, text: str, *overrides: str, size: Size | None = None) -> Template:
    path = tmp_path / "fruit.yaml"
    path.write_text(BASE + text)
    return load_template(str(path), overrides, size)


def test_an_example_is_an_answer_with_what_led_to_it(tmp_path: Path) -> None:
    text = "examples:\n- {text: plum, probability: 1, reasoning: it is in season, kind: sour}\n- {text: lime}\n"
    first, second = load(tmp_path, text).examples
    assert first == {"text": "plum", "probability": 1, "reasoning": "it is in season", "kind": "sour"}
    assert second == {"text": "lime"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "examples:\n- {text: plum}\n- {text: plum, colour: red}",
            ":7: examples.1.colour: 'colour' is neither a field of the output nor a variable of the prompt",
        ),
        (
            "examples:\n- {text: plum, kinds: red}",
            ":6: examples.0.kinds: 'kinds' is neither a field of the output nor a variable of the prompt; "
            "did you mean 'kind'?",
        ),
        ("examples:\n- {kind: red}", ":6: examples.0: does not fit the output: "),
        ("examples:\n- {text: 3}", ":6: examples.0: does not fit the output: "),
        ("examples:\n- {text: plum}\noutput: {min_chars: 9}", ":6: examples.0: does not fit the output: "),
        ("examples:\n- {text: plum}\nchoices: [lime]", ":6: examples.0: does not fit the output: "),
        (
            "examples:\n- {text: plum}\n- text: lime\n  probability: 1.5",
            ":8: examples.1.probability: must be a number above 0 and at most 1, got 1.5",
        ),
        ("examples:\n- {text: plum, probability: 0}", ":6: examples.0.probability: must be a number above 0"),
        ("examples:\n- {text: plum, probability: .nan}", ":6: examples.0.probability: must be a number above 0"),
        ("examples:\n- {text: plum, probability: true}", ":6: examples.0.probability: must be a number above 0"),
        ("examples:\n- {text: plum, reasoning: 3}", ":6: examples.0.reasoning: must be text, got 3"),
        ("examples: {text: plum}", ":5: examples: must be a list, got "),
        ("examples:\n- plum", ":6: examples.0: must be a mapping"),
        ("sampling: {demonstrate: -1}", ":5: sampling.demonstrate: must be an integer, auto or off, got '-1'"),
        ("sampling: {demonstrate: true}", ":5: sampling.demonstrate: must be an integer, auto or off"),
        ("sampling: {demonstrate: some}", ":5: sampling.demonstrate: must be an integer, auto or off, got 'some'"),
        ("sampling: {format: xml}", ":5: sampling.format: must be 'json' or 'lines', got 'xml'"),
        (
            "sampling: {format: lines, method: direct}",
            ":5: sampling.format: lines are for sequence, vs, vs-multi, not direct",
        ),
        ("sampling: {format: lines, method: vs-cot}", ":5: sampling.format: lines are for"),
        (
            "sampling: {format: lines}\n"
            "output: {schema: {type: object, properties: {a: {type: string}, b: {type: string}}}}",
            ":5: sampling.format: lines hold one field an answer; use json for several",
        ),
        ("prefill: ''", ":5: prefill: "),
        ("prices: {input: 1, output: 2, cache: 1}", ":5: prices: unknown key 'cache'; did you mean 'cached'?"),
        ("prices: {input: 1, output: 2, x: 1}", ":5: prices: unknown key 'x'; there are: input, output, cached"),
        ("recommended: {smal: {sampling.k: 3}}", ":5: recommended: unknown key 'smal'; did you mean 'small'?"),
        ("recommended:\n  small:\n    unsuited:", ":7: recommended.small.unsuited: must be text, got None"),
        ("recommended:\n  small:\n    unsuited: 3", ":7: recommended.small.unsuited: must be text, got 3"),
        ("recommended:\n  small:\n    sampling.kk: 3", ":7: sampling: unknown key 'kk'"),
        ("recommended:\n  small:\n    sampling.k: 3\n    sampling.k2: 4", ":8: sampling: unknown key 'k2'"),
        ("recommended:\n  large:\n    sampling.k: 0", ":7: sampling.k: must be >= 1, got 0"),
        ("recommended:\n  large:\n    sampling..k: 5", ":7: recommended: 'sampling..k' is not a key"),
        ("recommended:\n  large:\n    sampling.method: direct\n    sampling.p_max: 0.1", ":8: sampling.p_max: needs a"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_line(tmp_path: Path, text: str, told: str) -> None:
    for size in (None, "large" if "large" in text else "small"):
        with pytest.raises(TemplateError) as caught:
            load(tmp_path, text, size=size)
        assert told in str(caught.value)
        assert str(caught.value).count("\n") == 0


def test_a_bad_recommendation_is_a_mistake_whatever_the_model_and_the_flags(tmp_path: Path) -> None:
    text = "recommended:\n  small:\n    sampling.k: 0\n"
    with pytest.raises(TemplateError, match=r":7: sampling\.k: must be >= 1, got 0"):
        load(tmp_path, text)
    with pytest.raises(TemplateError, match=r":7: sampling\.k: must be >= 1, got 0"):
        load(tmp_path, text, "sampling.k=3")


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("Name it.\n  A {{ knd }} fruit.", ":5: prompt: no variable 'knd'; did you mean 'kind'?"),
        ("Name it.\n  A { kind } fruit.", ":5: prompt: does not use {{ kind }}, but the examples have values of it"),
        ("Name\n  a fruit.", ":4: prompt: does not use {{ kind }}, but the examples have values of it"),
    ],
)
@pytest.mark.parametrize("small", [True, False])
def test_a_variable_that_the_prompt_misspells_is_one_problem_of_the_prompt(
    tmp_path: Path, prompt: str, told: str, small: bool
) -> None:
    examples = "examples: [{text: plum, kind: sour}, {text: lime, kind: sour}]"
    path = tmp_path / "fruit.yaml"
    head = f"version: 1\nname: fruit\nprompt: |\n  {prompt}\nvariables: {{kind: [red, sour]}}\n"
    path.write_text(head + (f"recommended:\n  small:\n    {examples}\n" if small else examples))
    with pytest.raises(TemplateError) as caught:
        load_template(str(path))
    assert told in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_a_variable_that_the_prompt_needs_only_if_it_is_defined_may_stand_in_an_example(tmp_path: Path) -> None:
    path = tmp_path / "fruit.yaml"
    path.write_text(
        "version: 1\nname: fruit\nprompt: 'Name a {% if kind is defined %}{{ kind }} {% endif %}fruit.'\n"
        "examples: [{text: plum, kind: sour}]\n"
    )
    assert load_template(str(path)).examples[0]["kind"] == "sour"


@pytest.mark.parametrize("word", ["off", "false", "0", "'off'"])
def test_demonstrate_off_is_none(tmp_path: Path, word: str) -> None:
    assert load(tmp_path, f"sampling: {{demonstrate: {word}}}\n").sampling.demonstrate == 0
    assert load(tmp_path, "", "sampling.demonstrate=off").sampling.demonstrate == 0
    assert load(tmp_path, "").sampling.demonstrate == "auto"


RECOMMENDED = """\
sampling: {k: 8, temperature: 0.9}
recommended:
  small: {sampling.method: direct, sampling.k: 3}
  large: {sampling.k: 20, dedup: false}
"""


def test_each_size_has_its_settings_over_those_of_the_template(tmp_path: Path) -> None:
    small, large, plain = (load(tmp_path, RECOMMENDED, size=size) for size in ("small", "large", None))
    found = [(one.sampling.method, one.sampling.k, one.sampling.temperature, bool(one.dedup), one.fitted)
             for one in (small, large, plain)]  # fmt: skip
    assert found == [
        ("direct", 3, 0.9, True, "small"),
        ("vs", 20, 0.9, False, "large"),
        ("vs", 8, 0.9, True, None),
    ]
    assert len({small.digest, large.digest, plain.digest}) == 3


def test_flags_win_over_what_is_recommended(tmp_path: Path) -> None:
    template = load(tmp_path, RECOMMENDED, "sampling.k=7", size="small")
    assert (template.sampling.method, template.sampling.k, template.fitted) == ("direct", 7, "small")


def test_a_text_in_place_of_settings_says_why_none_will_do(tmp_path: Path) -> None:
    template = load(tmp_path, "recommended: {small: they cannot count}\n", size="small")
    assert template.recommended.unsuited("small") == "they cannot count"
    assert template.recommended.unsuited("large") is None
    assert template.fitted is None
    assert template.sampling.k == load(tmp_path, "").sampling.k


def test_settings_may_stand_beside_why_they_do_not_suffice(tmp_path: Path) -> None:
    text = "recommended: {small: {sampling.k: 3, unsuited: one in four is wrong}}\n"
    template = load(tmp_path, text, size="small")
    assert (template.sampling.k, template.fitted) == (3, "small")
    assert template.recommended.unsuited("small") == "one in four is wrong"
    alone = load(tmp_path, "recommended: {small: {unsuited: they cannot count}}\n", size="small")
    assert (alone.recommended.unsuited("small"), alone.fitted) == ("they cannot count", None)


def test_editors_know_the_new_keys() -> None:
    schema = json_schema()
    assert {"examples", "prefill", "recommended"} <= schema["properties"].keys()
    sampling = schema["$defs"]["Sampling"]["properties"]
    assert sampling["format"]["enum"] == ["json", "lines"]
    assert {"enum": ["auto", "off", False]} in sampling["demonstrate"]["anyOf"]
    assert all(schema["properties"][key]["description"] for key in ("examples", "recommended"))
