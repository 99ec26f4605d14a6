"""``vsgen check`` shows what is wrong, and what will be asked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

TEMPLATE = """\
version: 1
name: tickets
prompt: Write a ticket about a {{ product }}.
variables: {product: [kettle, lamp]}
sampling: {method: vs, k: 3}
labels:
  - {name: queue, classes: [billing, bug], prompt: "Which queue? {{ text }}"}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "tickets.yaml"
    path.write_text(TEMPLATE)
    return path


def test_a_good_template_shows_its_prompts_its_schema_and_its_labels(vsgen: Vsgen, template: Path) -> None:
    shown = vsgen("check", template, "-n", 4)
    assert shown.exit_code == 0
    assert shown.stdout.count("Write a ticket about a ") == 4
    assert "[system]\nGive 3 different answers" in shown.stdout
    schema = json.loads(shown.stdout.split("[reply schema]\n")[1].splitlines()[0])
    assert schema["properties"]["responses"]["maxItems"] == 3
    assert "Which queue? …\n\nReply with exactly one of these: billing, bug." in shown.stdout


def test_the_method_and_its_later_turns_are_shown(vsgen: Vsgen, template: Path) -> None:
    shown = vsgen("check", template, "--method", "vs-multi", "-k", 5, "-n", 1).stdout
    assert "In all, 5 answers" in shown
    assert "Give 2 different answers" in shown
    assert "Give 1 more" in shown


def test_input_rows_are_variables(vsgen: Vsgen, template: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"product": "submarine"}\n')
    shown = vsgen("check", template, rows)
    assert "about a submarine." in shown.stdout
    assert vsgen("check", template, "-", stdin='{"product": "zeppelin"}\n').stdout.count("zeppelin") == 1


def test_check_draws_the_values_that_run_draws_with_the_same_seed(vsgen: Vsgen, template: Path) -> None:
    assert vsgen("check", template, "-n", 6).stdout == vsgen("check", template, "-n", 6, "--seed", 0).stdout
    assert vsgen("check", template, "-n", 6).stdout != vsgen("check", template, "-n", 6, "--seed", 1).stdout


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (("k: 3", "k: 0"), "tickets.yaml:5: sampling.k: must be >= 1, got 0"),
        (("method: vs", "method: vz"), "tickets.yaml:5: sampling.method"),
        (("sampling:", "samplin:"), "did you mean 'sampling'?"),
        (("{{ product }}", "{{ produkt }}"), "'produkt'"),
        (("{{ product }}", "{{ product"), "tickets.yaml:3"),
        (("version: 1\n", ""), "version"),
    ],
)
def test_a_bad_template_is_one_message_with_its_place(
    vsgen: Vsgen, template: Path, wrong: tuple[str, str], expected: str
) -> None:
    template.write_text(TEMPLATE.replace(*wrong))
    shown = vsgen("check", template)
    assert shown.exit_code == 2
    assert expected in shown.stderr
    assert "Traceback" not in shown.stderr
    assert shown.stdout == ""


def test_a_part_that_is_the_same_as_before_is_shown_once(vsgen: Vsgen, template: Path) -> None:
    shown = vsgen("check", template, "-n", 3).stdout
    assert shown.count("[system]\nGive 3 different answers") == 1
    assert shown.count("[system] as above\n") == shown.count("[reply schema] as above\n") == 2


def test_the_plan_says_what_the_rows_take_at_least(vsgen: Vsgen, template: Path) -> None:
    template.write_text(TEMPLATE + "num: 10\n")
    shown = vsgen("check", template).stdout
    assert "rows       10 wanted\n" in shown
    assert "draws      at least 4, each for 3 answers (method vs)\n" in shown
    assert "replies    at least 4, each cut at 1,024 tokens (sampling.max_tokens)\n" in shown
    assert "labels     10 questions, to label queue\n" in shown
    assert "replies    at least 12," in vsgen("check", template, "--method", "direct").stdout
    assert "── plan, for each draw ──" in vsgen("check", template, "--set", "num=null").stdout


def test_likely_mistakes_are_warnings_on_standard_error(vsgen: Vsgen, template: Path) -> None:
    template.write_text(TEMPLATE.replace("[kettle, lamp]", "[kettle, lamp, kettle], colour: [red, blue]"))
    shown = vsgen("check", template, "--set", "variables.tone=[polite]")
    assert shown.exit_code == 0
    warned = [line for line in shown.stderr.splitlines() if line.startswith("warning: ")]
    assert [line.split(": ")[2] for line in warned] == ["variables.tone", "variables.colour", "variables.product.2"]
    assert warned[0].startswith("warning: --set variables.tone=[polite]: ")
    assert warned[1].startswith(f"warning: {template}:4: ")
    assert shown.stdout.splitlines()[-1].endswith("valid, with 3 warnings")


def test_strict_makes_warnings_an_exit_status(vsgen: Vsgen, template: Path) -> None:
    assert vsgen("check", template, "--strict").exit_code == 0
    shown = vsgen("check", template, "--strict", "--set", "variables.tone=[polite]")
    assert shown.exit_code == 5
    assert "valid, but with 1 warning (--strict)" in shown.stderr


def test_a_run_warns_once_before_it_asks(vsgen: Vsgen, template: Path, tmp_path: Path) -> None:
    made = ("-m", "tiny", "-n", 2, "-o", tmp_path / "out.jsonl", "--set", "dedup=false", "--set", "labels=[]")
    shown = vsgen("run", template, *made, "--set", "variables.tone=[polite]")
    assert shown.stderr.count("warning: --set variables.tone=[polite]: variables.tone: no prompt") == 1
    assert "warning" not in vsgen("run", template, *made, "--overwrite").stderr


def test_a_wrong_input_is_a_warning_of_check_and_run(vsgen: Vsgen, template: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"animal": "cat"}\n{"animal": "dog"}\n')
    warned = "no prompt or expression uses a field of the input rows (animal)"
    assert vsgen("check", template, rows).stderr.count(warned) == 1
    assert vsgen("run", template, rows, "-m", "tiny", "--set", "labels=[]").stderr.count(warned) == 1


def test_a_template_that_is_not_there_is_named(vsgen: Vsgen) -> None:
    shown = vsgen("check", "support-ticket")
    assert shown.exit_code == 2
    assert "support-tickets" in shown.stderr


def test_the_servers_that_a_template_names_are_urls_and_none_is_asked(vsgen: Vsgen, template: Path) -> None:
    judge = (
        TEMPLATE.partition("labels:")[0]
        + "labels:\n- {name: queue, classes: [a, b], prompt: q, model: judge, endpoint: {}}\n"
    )
    template.write_text(judge.replace("{}", "somewhere"))
    shown = vsgen("check", template)
    assert shown.exit_code == 2
    assert f"{template}:7: labels.0.endpoint: somewhere: http:// or https:// is missing" in shown.stderr
    for url in ("http://judge.invalid/v1", "run"):
        template.write_text(judge.replace("{}", url))
        assert vsgen("check", template).exit_code == 0
    template.write_text(f"{TEMPLATE}endpoint: http://judge.invalid/v1\n")
    assert vsgen("check", template, "-m", "org/name").exit_code == 0, "it has no --allow-endpoint, and asks nobody"


def test_the_tokens_of_potentials_are_a_bound(vsgen: Vsgen, tmp_path: Path) -> None:
    template = tmp_path / "sums.yaml"
    template.write_text(
        'version: 1\nname: sums\nprompt: "What is 1 + 2?"\n'
        "sampling: {method: power, k: 2, power: {potentials: {valid: true}}}\n"
    )
    assert re.search(r"^tokens +at most [\d,]+ of prompts", vsgen("check", template, "-m", "tiny").stdout, re.MULTILINE)
