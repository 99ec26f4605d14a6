"""A chat template that comes with a model lays out as transformers would, and cannot hang or fill the memory."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from jinja2 import TemplateError
from transformers import AutoTokenizer

from tests.backends.chat.kinds import KINDS
from vsgen.backends.hf.tokenizer import HfTokenizer
from vsgen.backends.open import open_model
from vsgen.errors import ModelError
from vsgen.tiny import WEIGHTS
from vsgen.values import Generate, Message, Prompt

HF: Any = AutoTokenizer
TURNS: Final = (
    {"role": "system", "content": "Be kind.\n"},
    {"role": "user", "content": "Is {{ x }} <b> & 'c'?"},
    {"role": "assistant", "content": "<think>Hm.</think> No."},
    {"role": "user", "content": "  And é?"},
)
GROW: Final = "{% set ns = namespace(x='xxxxxxxxxx', y=[1]) %}{% for i in range(100) %}"
LONG: Final = "{% set x = 'a' * 1000000 %}"
HOSTILE: Final[Mapping[str, str]] = {
    "loops in loops": 3 * "{% for a in range(99999) %}" + 3 * "{% endfor %}",
    "long loops": "{% for a in range(99999) %}{% for b in range(9999) %}{{ 'x' * 1000 }}{% endfor %}{% endfor %}",
    "much text": "{% set z %}{% for i in range(90000) %}" + "x" * 10_000 + "{% endfor %}{% endset %}",
    "times": "{{ 'x' * 10**11 }}",
    "times a list": "{{ 3000000000 * ['x'] }}",
    "powers": "{{ (10**1000) ** 100000 }}",
    "doubling by ~": GROW + "{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "doubling by +": GROW + "{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "doubling by a block": GROW + "{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = y %}{% endfor %}",
    "doubling by lists": GROW + "{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.y }}",
    "macros": "{% macro f(n) %}{% if n %}{% set a = f(n-1) %}{% set b = f(n-1) %}{% endif %}{% endmacro %}{{ f(60) }}",
    "recursion": "{% for a in [1,2] recursive %}{% if loop.depth < 60 %}{% set z = loop([1,2]) %}{% endif %}"
    "{% endfor %}",
    "recursion without end": "{% for a in [1,2] recursive %}{{ loop([1,2]) }}{% endfor %}",
    "center": "{{ 'x' | center(10000000000) }}",
    "ljust": "{{ 'x'.ljust(10000000000) }}",
    "a wide format": "{{ '{:9999999999}'.format(1) }}",
    "a wide %": "{{ '%9999999999d' % 1 }}",
    "a wide filter": "{{ '%9999999999d' | format(1) }}",
    "replace": LONG + "{{ x.replace('a', x) }}",
    "replace, a filter": LONG + "{{ x | replace('a', x) }}",
    "join": LONG + "{{ x.join(['a'] * 100000) }}",
    "join, a filter": LONG + "{{ range(90000) | map('string') | join(x) }}",
    "indent": "{{ [[[[1]]]] | tojson(indent=1000000000) }}",
    "parentheses": "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "conditions in conditions": "{% if 1 %}" * 300 + "{% endif %}" * 300,
    "no syntax": "{% for %}",
    "Python's own": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "refuses": "{{ raise_exception('no') }}",
    "not there": "{{ foo.bar.baz }}",
    "division": "{{ 1 // 0 }}",
}
ORDINARY: Final[Mapping[str, str]] = {
    "loop": "{% for m in messages %}{{ loop.index }}/{{ loop.length }}{% if loop.last %}!{% endif %}"
    "{{ loop.previtem.role if loop.previtem }}{{ m['content'] | trim }}{% endfor %}",
    "namespace and macros": "{% macro turn(m) %}<{{ m.role | upper }}>{{ m.content }}{% endmacro %}"
    "{% set ns = namespace(n=0, all=[]) %}{% for m in messages[::-1] %}{% set ns.n = ns.n + 1 %}"
    "{% set ns.all = ns.all + [turn(m)] %}{% endfor %}{{ ns.all | join('|') }}{{ ns.n }}",
    "break": "{% for m in messages %}{% if m.role == 'assistant' %}{% break %}{% endif %}{{ m.content }}{% endfor %}",
    "json": "{{ messages | tojson(indent=2) }}{{ {'a': [1, None, true], 'b': messages[0]} | tojson }}",
    "methods": "{% for m in messages %}{{ m.content.split('</think>')[-1].strip().replace('o', '0') }}"
    "{{ '%s-%d' % (m.role, 3) }}{{ '{}:{:>5}'.format(m.role, 2) }}{{ m.content.startswith('B') }}{% endfor %}",
    "generation": "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}",
    "special tokens": "{{ bos_token }}{{ eos_token }}{{ tools is none }}{{ documents is defined }}{{ foo is defined }}",
    "tuples": "{% set a, b = (messages[0].role, [1, 2]) %}{{ a ~ b ~ (1, 'x') }}{% for k, v in messages[0].items() %}"
    "{{ k }}={{ v }};{% endfor %}{{ messages | map(attribute='role') | list }}{{ 2 ** 3 * 2 % 7 }}",
    "white space": "  {%- for m in messages -%}\n  {{ m.role }}\n  {% if true %}\n x\n {% endif %}\n{%- endfor %}\n\n",
    "recursion": "{% for a in [[1, [2]], [3]] recursive %}{% if a is iterable %}({{ loop(a) }}){% else %}{{ a }}"
    "{% endif %}{% endfor %}",
}


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return HF.from_pretrained(WEIGHTS)


def theirs(tokenizer: Any, opened: bool) -> str:
    return str(tokenizer.apply_chat_template([*TURNS], tokenize=False, add_generation_prompt=opened))


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_template_lays_out_as_in_transformers(tokenizer: Any, name: str) -> None:
    tokenizer.chat_template = ORDINARY[name]
    assert HfTokenizer(tokenizer).lay_out(TURNS) == theirs(tokenizer, opened=False)


@pytest.mark.parametrize("opened", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_the_templates_of_every_kind_of_tokenizer_lay_out_as_in_transformers(kind: str, opened: bool) -> None:
    tokenizer = KINDS[kind]()
    if not tokenizer.chat_template:
        pytest.skip("it has none")
    try:
        wanted = theirs(tokenizer, opened)
    except TemplateError as error:
        with pytest.raises(TemplateError, match=str(error)):
            HfTokenizer(tokenizer).lay_out(TURNS, opened=opened)
    else:
        assert HfTokenizer(tokenizer).lay_out(TURNS, opened=opened) == wanted


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_an_error(tokenizer: Any, name: str) -> None:
    tokenizer.chat_template = HOSTILE[name]
    with pytest.raises(TemplateError):
        HfTokenizer(tokenizer).lay_out(TURNS)


def test_a_long_conversation_is_laid_out(tokenizer: Any) -> None:
    turns = [{"role": "user", "content": "x" * 1_000_000}, *([*TURNS[1:3]] * 500)]
    tokenizer.chat_template = "{% for m in messages %}{{ m.role }}{% set c = m.content ~ '' %}{{ c }}{% endfor %}"
    assert len(HfTokenizer(tokenizer).lay_out(turns)) > 1_000_000


@pytest.mark.parametrize("name", ["loops in loops", "no syntax", "times"])
def test_a_model_with_a_hostile_template_answers_with_one_error(tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(WEIGHTS, tmp_path / "toy"))
    (folder / "chat_template.jinja").write_text(HOSTILE[name])
    model = open_model(str(folder), device="cpu")
    with pytest.raises(ModelError, match="the model's chat template refuses the prompt: "):
        model.generate([Generate(Prompt((Message("user", "a"),)), seed=1)])
