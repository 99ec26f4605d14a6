"""Every way in which a template can be wrong, and the line that says so."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vsgen.errors import TemplateError
from vsgen.template.catalog import shipped
from vsgen.template.find import template_text
from vsgen.template.load import load_template
from vsgen.template.nodes import plain, read
from vsgen.template.schema import Template

HEAD = "version: 1\nname: t\nprompt: hi\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str | bytes, *settings: str) -> Template:
    Path("t.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_template("t.yaml", settings)


def complaint(text: str | bytes, *settings: str) -> list[str]:
    with pytest.raises(TemplateError) as caught:
        load(text, *settings)
    return str(caught.value).split("\n")


@pytest.mark.usefixtures("here")
class TestOneProblem:
    @pytest.mark.parametrize(
        ("section", "line"),
        [
            ("k: 3", "4: unknown key 'k'; did you mean 'sampling.k'?"),
            ("sampeling: {}", "4: unknown key 'sampeling'; did you mean 'sampling'?"),
            ("sampling:\n  temprature: 1", "5: sampling: unknown key 'temprature'; did you mean 'temperature'?"),
            (
                "labels:\n- name: a\n  classes: [x, y]\n  prompt: z\n  clases: 1",
                "8: labels.0: unknown key 'clases'; did you mean 'classes'?",
            ),
            ("sampling: {k: 0}", "4: sampling.k: must be >= 1, got 0"),
            ("sampling: {k: 101}", "4: sampling.k: must be <= 100, got 101"),
            ("sampling: {k: 2.5}", "4: sampling.k: must be an integer, got 2.5"),
            ("sampling: {k: '3'}", "4: sampling.k: must be an integer, got '3'"),
            ("sampling: {k: true}", "4: sampling.k: must be an integer, got true"),
            ("sampling: {top_p: 0}", "4: sampling.top_p: must be > 0, got 0"),
            ("sampling: {min_p: 1}", "4: sampling.min_p: must be < 1, got 1"),
            ("sampling: {temperature: .nan}", "4: sampling.temperature: must be finite, got NaN"),
            ("sampling: {temperature: hot}", "4: sampling.temperature: must be a number, got 'hot'"),
            ("sampling: {constrain: yes}", "4: sampling.constrain: must be true or false, got 'yes'"),
            ("sampling: {stop: [a, 1]}", "4: sampling.stop.1: must be text, got 1 (quote it)"),
            ("sampling:", "4: sampling: must be a mapping of keys to values, got null"),
            ("sampling: [k]", '4: sampling: must be a mapping of keys to values, got ["k"]'),
            (
                "sampling: {method: direct, p_max: 0.2}",
                "4: sampling.p_max: needs a method that states probabilities (vs, vs-cot, vs-multi), not direct",
            ),
            (
                "sampling: {method: cot, p_min: 0.2}",
                "4: sampling.p_min: needs a method that states probabilities (vs, vs-cot, vs-multi), not cot",
            ),
            (
                "sampling: {p_max: 0.2, p_min: 0.3}",
                "4: sampling.p_min: must be below p_max, which is 0.2, got 0.3: no answer could be kept",
            ),
            ("dedup: true", "4: dedup: must be a mapping of keys to values, got true"),
            ("dedup: {threshold: 1.5}", "4: dedup.threshold: must be <= 1, got 1.5"),
            ("dedup: {on: txt}", "4: dedup.on: 'txt' is not an output field; there are: text"),
            (
                "dedup: {guards: [number]}",
                "4: dedup.guards.0: must be 'numbers' or 'negation', got 'number'; did you mean 'numbers'?",
            ),
            ("filter: {txt: {match: a}}", "4: filter.txt: 'txt' is not an output field; there are: text"),
            (
                "filter: {text: {match: '('}}",
                "4: filter.text.match: not a usable regular expression (unclosed group): '('",
            ),
            ("labels: {}", "4: labels: must be a list, got {}"),
            ("labels: [{name: a, classes: [x], prompt: z}]", '4: labels.0.classes: needs at least 2, got ["x"]'),
            ("labels: [{name: a, classes: [x, x], prompt: z}]", "4: labels.0.classes.1: class 'x' is named twice"),
            (
                "labels: [{name: a, classes: [true, x], prompt: z}]",
                "4: labels.0.classes.0: must be text, got true (quote it)",
            ),
            (
                "labels: [{name: a, classes: [x, ' '], prompt: z}]",
                "4: labels.0.classes.1: a class must not be empty or have spaces around it, got ' '",
            ),
            (
                "labels: [{name: text, classes: [x, y], prompt: z}]",
                "4: labels.0.name: 'text' is already an output field",
            ),
            (
                "labels:\n- {name: a, classes: [x, y], prompt: z}\n- {name: a, classes: [x, y], prompt: z}",
                "6: labels.1.name: label 'a' is named twice",
            ),
            ("labels: [{name: a, classes: [x, y]}]", "4: labels.0.prompt: missing; it is required"),
            ("output: {field: id}", "4: output.field: 'id' is reserved; call the field something else"),
            (
                "output: {field: a-b}",
                "4: output.field: must be letters, digits and '_', not beginning with a digit, got 'a-b'",
            ),
            ("output: {max_chars: 3, min_chars: 5}", "4: output.min_chars: must be <= max_chars, which is 3, got 5"),
            (
                "output:\n  schema: {type: object, properties: {a: {}}}\n  field: b",
                "6: output.field: cannot be combined with 'schema'; put it inside the schema",
            ),
            (
                "output: {schema: {type: object, properties: {meta: {}}}}",
                "4: output.schema.properties.meta: 'meta' is reserved; call the field something else",
            ),
            ("variables: {a: []}", "4: variables.a: needs at least 1, got []"),
            (
                "variables: {a: x}",
                "4: variables.a: must be a list of values, or a mapping of values to weights, got 'x'",
            ),
            ("variables: {a: {x: 0}}", "4: variables.a.x: must be > 0, got 0"),
            ("variables: {a: {x: .inf}}", "4: variables.a.x: must be finite, got Infinity"),
            ("variables: {a: {x: 1e308, y: 1e308}}", "4: variables.a: the weights' sum must be finite"),
            (
                "variables:\n  a:\n  - x\n  - [y]",
                "7: variables.a.1: must be text, a number, true, false or null; use input rows for more",
            ),
            ("variables: {for: [x]}", "4: variables.for: 'for' is a word of Jinja; call it something else"),
            ("num: 0", "4: num: must be >= 1, got 0"),
            ("num: 1\nnum: 2", "5: duplicate key 'num'; it is already at t.yaml:4"),
            (
                "description: !!python/name:os.system x",
                "4: the tag 'tag:yaml.org,2002:python/name:os.system' is not allowed; write plain YAML",
            ),
            ("? [a]\n: b", "4: a key must be text; put quotes around a value that begins with '{' or '['"),
            ("num: *a", "4: unknown alias 'a'"),
            ("---\nnum: 1", "4: a second document begins here; a template is one document"),
            ("model: ''", "4: model: must not be empty, got ''"),
            ("system: ' '", "4: system: must not be empty"),
        ],
    )
    def test_is_told_with_its_line_and_the_offending_value(self, section: str, line: str) -> None:
        assert complaint(HEAD + section + "\n") == [f"t.yaml:{line}"]

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("", "t.yaml: is empty; vsgen init NAME writes a template to start from"),
            ("# nothing\n", "t.yaml: is empty; vsgen init NAME writes a template to start from"),
            ("- a\n", 't.yaml:1: a template is a mapping with version, name and prompt, got ["a"]'),
            ("# a\nhello\n", "t.yaml:2: a template is a mapping with version, name and prompt, got 'hello'"),
            (
                "a: b: c\n",
                "t.yaml:1:5: not valid YAML: mapping values are not allowed in this context; "
                "the value has a colon followed by a space: put quotes around the whole value",
            ),
            (
                "a: b\n  c: d\n",
                "t.yaml:2:4: not valid YAML: mapping values are not allowed in this context; "
                "indent like the line above",
            ),
            (
                "a:\n\t- b\n",
                "t.yaml:2:1: not valid YAML: found character that cannot start any token; "
                "the line begins with a tab: indent with spaces",
            ),
            ("name: t\nprompt: hi\n", "t.yaml:1: version: missing; it is required, as in: version: 1"),
            ("a: 1\nb: \0\n", "t.yaml:2: not valid YAML: a control character, '\\x00'"),
            (b"a: 1\nb: \xff\n", "t.yaml:2: not UTF-8: byte 0xff; save it as UTF-8"),
            ("x: " + "[" * 500_000, "t.yaml:1: nested more than 40 levels deep"),
            ("#" * 2_000_000, "t.yaml: larger than 1,048,576 bytes; is it a template?"),
            ("version: 2\nname: t\nprompt: hi\n", "t.yaml:1: version: must be 1, got 2"),
            ("# a\nversion: 1\nname: t\n", "t.yaml:2: prompt: missing; it is required"),
            (
                "version: 1\nname: T t\nprompt: hi\n",
                "t.yaml:2: name: must be lower-case letters, digits and '-', such as my-task, got 'T t'",
            ),
            ("version: 1\nname: t\nprompt: 5\n", "t.yaml:3: prompt: must be text, got 5 (quote it)"),
            (
                "version: 1\nname: t\nprompt: '{{ x'\n",
                "t.yaml:3: prompt: not valid Jinja: unexpected end of template, expected 'end of print statement'.",
            ),
            (
                "version: 1\nname: t\nprompt: |\n  one\n  two\n  {{ x }\n",
                "t.yaml:6: prompt: not valid Jinja: unexpected '}'",
            ),
        ],
    )
    def test_of_the_whole_file_is_told(self, text: str | bytes, line: str) -> None:
        assert complaint(text) == [line]


@pytest.mark.usefixtures("here")
def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    text = HEAD + "sampling:\n  k: 0\n  top_q: 1\n  k: 2\ndedup: {on: txt}\nnum: none\nvariables: {a: []}\n"
    lines = [line.split(": ")[0] for line in complaint(text)]
    assert lines == ["t.yaml:5", "t.yaml:6", "t.yaml:7", "t.yaml:8", "t.yaml:9", "t.yaml:10"]


@pytest.mark.usefixtures("here")
def test_aliases_are_followed_but_not_a_billion_of_them() -> None:
    template = load(HEAD + "variables:\n  a: &names [x, y]\n  b: *names\n")
    assert template.variables == {"a": ("x", "y"), "b": ("x", "y")}
    bomb = "a0: &a0 [x, x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    (line,) = complaint(HEAD + bomb)
    assert line.endswith("too large: more than 20,000 values, aliases written out")
    assert complaint(HEAD + "num: &a [*a]\n") == ["t.yaml:4: unknown alias 'a'"]


@pytest.mark.usefixtures("here")
def test_only_true_false_and_null_are_words() -> None:
    template = load(HEAD + "variables:\n  a: [on, no, yes, 12:30, 2026-01-01, 007, 1_000, 3, 2.5, 1e3, true, ~]\n")
    values = ("on", "no", "yes", "12:30", "2026-01-01", "007", "1_000", 3, 2.5, 1000.0, True, None)
    assert [(type(value), value) for value in template.variables["a"]] == [(type(value), value) for value in values]


@pytest.mark.usefixtures("here")
def test_the_key_on_is_text() -> None:
    template = load(HEAD + "dedup: {threshold: 0.9, on: text}\n")
    assert template.dedup
    assert template.dedup.on == ("text",)


@pytest.mark.usefixtures("here")
def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    assert load(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode()).prompt == "hi"


class TestFinding:
    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("no/such.yaml", "no/such.yaml: no such file"),
            ("jokes.yaml", "jokes.yaml: no such file; the shipped template is named 'jokes', without an ending"),
            ("./", "./: is a folder; name a .yaml file in it"),
            (".", ".: is a folder; name a .yaml file in it"),
            ("rows.jsonl", "'rows.jsonl': is a file of rows, and a template is needed here; "),
            ("a\0.yaml", "'a\\x00.yaml': not a file name"),
            ("joke", "no template named 'joke'; did you mean 'jokes'?"),
            ("", "no template named ''"),
            ("x" * 5000, "no template named 'xxx"),
        ],
    )
    def test_tells_what_was_not_found(self, source: str, message: str, here: Path) -> None:
        assert not list(here.iterdir())
        with pytest.raises(TemplateError) as caught:
            load_template(source)
        assert str(caught.value).startswith(message)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_tells_that_a_file_may_not_be_read(self, here: Path) -> None:
        (here / "t.yaml").write_text(HEAD)
        (here / "t.yaml").chmod(0)
        with pytest.raises(TemplateError, match=r"t\.yaml: cannot be read: Permission denied"):
            load_template("t.yaml")

    def test_takes_a_file_without_an_ending_before_a_shipped_template(self, here: Path) -> None:
        (here / "jokes").write_text(HEAD)
        assert load_template("jokes").name == "t"

    def test_gives_the_text_as_it_is_without_looking_into_it(self, here: Path) -> None:
        (here / "t.yaml").write_text("# é\nnot: [a template\n", encoding="utf-8")
        assert template_text("t.yaml") == "# é\nnot: [a template\n"
        assert template_text("jokes") == shipped()["jokes"].read_text(encoding="utf-8")

    def test_prefers_a_shipped_template_to_a_folder(self, here: Path) -> None:
        (here / "jokes").mkdir()
        assert load_template("jokes").name == "jokes"


@pytest.mark.usefixtures("here")
class TestSet:
    @pytest.mark.parametrize(
        ("setting", "line"),
        [
            ("k", "--set k: must be key=value, such as sampling.k=3"),
            ("=3", "--set =3: must be key=value, such as sampling.k=3"),
            ("a..b=3", "--set a..b=3: must be key=value, such as sampling.k=3"),
            ("sampling.k=x", "--set sampling.k=x: sampling.k: must be an integer, got 'x'"),
            ("sampling.kk=3", "--set sampling.kk=3: sampling: unknown key 'kk'; did you mean 'k'?"),
            ("samplng.k=3", "--set samplng.k=3: unknown key 'samplng'; did you mean 'sampling'?"),
            (
                "sampling={k: 3, k: 4}",
                "--set sampling={k: 3, k: 4}: duplicate key 'k'; it is already at --set sampling={k: 3, k: 4}",
            ),
            ("sampling.stop=[a", "--set sampling.stop=[a: not valid YAML: '[' is not closed"),
            ("labels.1.name=b", "--set labels.1.name=b: '1' is not a position in a list of 1, counted from 0"),
            ("labels.0.name=text", "--set labels.0.name=text: labels.0.name: 'text' is already an output field"),
            ("num=caf\udce9", "--set 'num=caf\\udce9': not UTF-8"),
            ("num=\x1b[31m", "--set 'num=\\x1b[31m': num: must be an integer, got '\\x1b[31m'"),
        ],
    )
    def test_errors_name_the_setting(self, setting: str, line: str) -> None:
        label = "labels: [{name: a, classes: [x, y], prompt: '{{ text }}'}]\n"
        assert complaint(HEAD + label, setting) == [line]

    def test_changes_what_the_file_says(self) -> None:
        text = HEAD + "sampling: {k: 2}\nlabels: [{name: a, classes: [x, y], prompt: z}]\n"
        settings = ["sampling.k=3", "sampling.k=4", "sampling.p_max=0.2", "dedup=false", "labels.0.name=b", "num=7"]
        template = load(text, *settings, "variables.product=[a, b]", "variables.tone={x: 1, y: 2}")
        assert (template.sampling.k, template.sampling.p_max, template.dedup, template.num) == (4, 0.2, False, 7)
        assert template.labels[0].name == "b"
        assert template.variables == {"product": ("a", "b"), "tone": {"x": 1.0, "y": 2.0}}

    @pytest.mark.parametrize(
        ("text", "prompt"),
        [
            ("Tell: me", "Tell: me"),
            ("# not a comment", "# not a comment"),
            ("{{ x }} it is", "{{ x }} it is"),
            ("'5'", "5"),
            ('"a\\nb"', "a\nb"),
            ("a=b", "a=b"),
        ],
    )
    def test_takes_plain_text_as_it_is(self, text: str, prompt: str) -> None:
        assert load(HEAD, f"prompt={text}").prompt == prompt

    def test_turns_a_switched_off_section_on(self) -> None:
        template = load(HEAD + "dedup: false\n", "dedup.threshold=0.8")
        assert template.dedup
        assert template.dedup.threshold == 0.8

    def test_mends_what_the_file_has_wrong(self) -> None:
        assert load(HEAD + "num: none\n", "num=3").num == 3


@pytest.mark.usefixtures("here")
class TestDigest:
    def test_ignores_file_comments_spelling_and_written_out_defaults(self) -> None:
        base = load(HEAD)
        Path("other.yaml").write_text(
            "# c\nname: 't'\nversion: 1\nsampling: {k: 5, temperature: 1}\nprompt: |-\n  hi\n"
        )
        other = load_template("./other.yaml")
        assert base.digest == other.digest
        assert len(base.digest) == 12
        assert int(base.digest, 16) >= 0

    def test_changes_with_content_and_settings(self) -> None:
        variables = ["a: [x, y]", "a: [y, x]", "a: {x: 1, y: 2}", "a: {1: 1, y: 2}", "a: {'1': 1, y: 2}", "b: [x, y]"]
        texts = [HEAD, *(HEAD + f"variables: {{{each}}}\n" for each in variables), HEAD + "system: s\n"]
        digests = [load(text).digest for text in texts] + [
            load(HEAD, "sampling.k=4").digest,
            load(HEAD, "num=5").digest,
        ]
        assert len(set(digests)) == len(digests)
        assert load(HEAD, "num=5").digest == load(HEAD + "num: 5\n").digest


@pytest.mark.parametrize("name", list(shipped()))
class TestShipped:
    def test_template_loads_under_its_own_name(self, name: str) -> None:
        template = load_template(name)
        assert template.name == name
        assert template.num
        assert template.description

    def test_template_can_be_changed_by_set(self, name: str) -> None:
        template = load_template(name, ["sampling.k=3", "dedup=false", "num=2"])
        assert (template.sampling.k, template.dedup, template.num) == (3, False, 2)
        assert template.digest != load_template(name).digest

    def test_what_a_file_says_is_the_same_template_as_a_mapping(self, name: str) -> None:
        document = plain(read(template_text(name), name)[0])
        assert load_template(document).digest == load_template(name).digest


def test_a_mapping_holds_any_text_and_keys_that_are_numbers() -> None:
    text = "\N{SLICE OF PIZZA} \u2028 \x7f \\ud83d\n"
    template = load_template({"version": 1, "name": "t", "prompt": text, "variables": {"n": {1: 2, 2: 1}}})
    assert template.prompt == text
    assert template.variables == {"n": {1: 2, 2: 1}}


@pytest.mark.parametrize("value", [object(), b"bytes", {"in": {1, 2}}, ["\ud800"], {(1, 2): 3}])
def test_a_mapping_that_no_file_could_say_names_the_place(value: object) -> None:
    with pytest.raises(TemplateError, match=r"template: variables\.a"):
        load_template({"version": 1, "name": "t", "prompt": "{{ a }}", "variables": {"a": value}})


def test_a_mapping_that_holds_itself_is_named() -> None:
    document: dict[str, object] = {"version": 1, "name": "t", "prompt": "Say."}
    document["variables"] = document
    with pytest.raises(TemplateError, match="nested more than 40"):
        load_template(document)


junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    ["name", "description", "prompt", "system", "variables", "output", "filter", "sampling", "dedup", "labels", "num"]
)
sections = st.sampled_from(
    ["field", "schema", "type", "properties", "k", "p_max", "method", "on", "classes", "text", "match"]
)
shaped = st.dictionaries(sections, junk | st.dictionaries(sections, junk, max_size=3), max_size=4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(keys, junk | shaped | st.lists(shaped, max_size=2), max_size=4))
def test_no_mapping_raises_anything_but_a_template_error(here: Path, mapping: dict[str, object]) -> None:
    try:
        template = load(json.dumps({"version": 1, "name": "t", "prompt": "hi", **mapping}))
    except TemplateError as error:
        assert all(line.startswith("t.yaml:") for line in str(error).split("\n")), str(error)
    else:
        assert template.output.problem({}) is not None
    with contextlib.suppress(TemplateError):
        load_template({"version": 1, "name": "t", "prompt": "hi", **mapping})
    assert here.exists()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text("-:[]{}&*!|>'\"%@`#?, \n\tab01", max_size=60).map(str.encode))
def test_no_file_raises_anything_but_a_template_error(here: Path, content: bytes) -> None:
    with pytest.raises(TemplateError):
        load(content)
    assert here.exists()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys, st.text(max_size=4), st.text("-:[]{}&*!|>'\"%@`#?, ab01.", max_size=20) | st.text(max_size=8))
def test_no_setting_raises_anything_but_a_template_error(here: Path, key: str, rest: str, value: str) -> None:
    try:
        load(HEAD, f"{key}.{rest}={value}", f"{key}={value}")
    except TemplateError as error:
        assert "--set" in str(error)
    assert here.exists()
