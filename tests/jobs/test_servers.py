"""Whose word it is that a model is behind a URL."""

from __future__ import annotations

from typing import Any

import pytest

from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.keys import Key
from vsgen.backends.endpoint.server import Server
from vsgen.errors import TemplateError
from vsgen.jobs.servers import with_servers
from vsgen.jobs.wanted import ModelChoice, Wanted
from vsgen.template.load import load_template
from vsgen.template.schema import Template

LOCAL, REMOTE, OTHER = "http://127.0.0.1:8000/v1", "https://models.test/v1", "https://other.test/v1"


def server(url: str = REMOTE, source: str = "--endpoint") -> Server:
    address = read_address(url)
    return Server(address, Key("sk-secret", address.origin), None, source)


def template(**sections: Any) -> Template:
    return load_template({"version": 1, "name": "t", "prompt": "Write.", "output": {"field": "text"}, **sections})


def label(**sections: Any) -> dict[str, Any]:
    return {"name": "mood", "classes": ["good", "bad"], "prompt": "{{ text }}", **sections}


def placed(choice: ModelChoice, made: Template, default: str = "tiny") -> dict[str, tuple[str, str, bool]]:
    """Of each model behind a URL: its name there, its base, and whether it gets a key."""
    embedder = made.dedup.place if made.dedup else None
    wanted = with_servers(Wanted(choice, default=default, embedder=embedder, judges=made.judges), made)
    found = wanted.services.items()
    return {name: (one.model, one.server.address.base, one.server.key is not None) for name, one in found}


@pytest.mark.parametrize("name", ["tiny", "Qwen/Qwen2.5-1.5B-Instruct", "gpt-4o"])
def test_a_flag_is_meant_for_whatever_model_is_named(name: str) -> None:
    assert placed(ModelChoice(name, server=server()), template()) == {name: (name, REMOTE, True)}


def test_a_variable_leaves_alone_what_is_on_this_machine(tmp_path: Any) -> None:
    by_variable = server(source="VSGEN_ENDPOINT")
    assert placed(ModelChoice("tiny", server=by_variable), template()) == {}
    assert placed(ModelChoice(str(tmp_path), server=by_variable), template()) == {}
    assert placed(ModelChoice(None, server=by_variable), template(model="tiny")) == {}
    assert placed(ModelChoice("owner/model", server=by_variable), template()).keys() == {"owner/model"}


def test_a_template_may_name_a_server_on_this_machine_and_it_gets_no_key() -> None:
    made = template(model="m", endpoint=LOCAL)
    assert placed(ModelChoice(), made, "m") == {"m": ("m", LOCAL, False)}
    assert placed(ModelChoice("tiny"), made, "m") == {}


def test_a_template_alone_may_not_name_a_server_elsewhere() -> None:
    made = template(model="m", endpoint=REMOTE)
    with pytest.raises(TemplateError, match=r"--allow-endpoint https://models\.test/v1"):
        placed(ModelChoice(), made, "m")
    assert placed(ModelChoice(allowed=[server()]), made, "m") == {"m": ("m", REMOTE, True)}
    assert placed(ModelChoice(server=server(OTHER, "VSGEN_ENDPOINT")), made, "m") == {"m": ("m", OTHER, True)}


def test_a_judge_may_be_elsewhere_than_the_model_that_writes() -> None:
    made = template(labels=[label(model="judge", endpoint=LOCAL), label(name="own")])
    assert placed(ModelChoice("tiny"), made) == {f"judge@{LOCAL}": ("judge", LOCAL, False)}
    here = template(labels=[label(model="tiny")])
    assert placed(ModelChoice("m", server=server()), here).keys() == {"m"}
    same = template(labels=[label(model="judge", endpoint="run")])
    both = placed(ModelChoice("m", server=server()), same)
    assert both == {"m": ("m", REMOTE, True), "judge@run": ("judge", REMOTE, True)}
    with pytest.raises(TemplateError, match="the run's own model has no endpoint"):
        placed(ModelChoice("tiny"), same)


def test_an_embedder_may_be_behind_a_url() -> None:
    made = template(dedup={"embedder": "e5", "endpoint": LOCAL})
    assert placed(ModelChoice("tiny"), made) == {f"e5@{LOCAL}": ("e5", LOCAL, False)}


@pytest.mark.parametrize(
    "sections",
    [{"labels": [label(endpoint=LOCAL)]}, {"dedup": {"endpoint": LOCAL}}],
)
def test_an_endpoint_without_a_model_is_refused(sections: dict[str, Any]) -> None:
    with pytest.raises(TemplateError, match="endpoint: needs"):
        template(**sections)


def test_a_template_without_endpoints_is_named_as_before_there_were_any() -> None:
    dumped = template(labels=[label()]).model_dump(mode="json", by_alias=True)
    assert not {"endpoint"} & {*dumped, *dumped["labels"][0], *dumped["dedup"]}


def test_each_model_of_a_list_is_where_it_or_its_label_says() -> None:
    listed = ["run", "a", {"model": "b", "endpoint": "run"}]
    made = template(labels=[label(model=listed, endpoint=LOCAL)])
    assert placed(ModelChoice("m", server=server()), made) == {
        "m": ("m", REMOTE, True),
        f"a@{LOCAL}": ("a", LOCAL, False),
        "b@run": ("b", REMOTE, True),
    }
    elsewhere = template(labels=[label(model=["run", {"model": "b", "endpoint": OTHER}])])
    with pytest.raises(TemplateError, match=r"labels\.0\.model\.1\.endpoint: .*--allow-endpoint https://other"):
        placed(ModelChoice("tiny"), elsewhere)
