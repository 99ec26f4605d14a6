"""Batch files hold what their provider takes: one model and one route each, and no more than its limits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints

import orjson
import pytest
from pydantic import TypeAdapter

from tests.endpoint.batch_service import requests
from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.batch import forms
from vsgen.backends.endpoint.batch.names import Name, read_name
from vsgen.backends.endpoint.batch.rounds import Waits
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.completions import Completions
from vsgen.backends.endpoint.embeddings import Embeddings
from vsgen.backends.endpoint.http import Request
from vsgen.backends.endpoint.messages import Messages
from vsgen.backends.endpoint.settings import Target
from vsgen.backends.endpoint.wire import Abilities, Wire
from vsgen.files.numbered import Numbered
from vsgen.jobs.batch_files import Outbox, Written
from vsgen.values import Call, Embed, Generate, Message, Prompt

CALL = Generate(
    Prompt((Message("system", "Be brief."), Message("user", "Grüße, \u2028 \u2029 \x85 \0"))), seed=5, top_p=0.5
)
ROUTES = {Chat: "/v1/chat/completions", Completions: "/v1/completions", Embeddings: "/v1/embeddings"}


def target(wire: Wire, model: str = "m") -> Target:
    return Target(read_address("https://host/openai/v1"), None, wire, model)


def request(wire: Wire, call: Call) -> Request:
    step = next(wire.dialog(call, "m", Abilities(seed=True)))
    assert isinstance(step, Request)
    return step


def written(folder: Path, *asked: tuple[Target, Request]) -> list[Written]:
    with Numbered(folder / "calls.jsonl", overwrite=False) as files:
        outbox = Outbox(files)
        for number, (whom, what) in enumerate(asked):
            outbox.add(whom, Waits(Name(f"{number:032x}", 1, 1), what))
        return list(outbox.place())


@pytest.mark.parametrize("wire", [Chat(), Completions(), Embeddings()])
def test_lines_are_what_openai_and_vllm_document(tmp_path: Path, wire: Wire) -> None:
    chat = pytest.importorskip("openai.types.chat.completion_create_params")
    types = pytest.importorskip("openai.types")
    completion = pytest.importorskip("openai.types.completion_create_params")
    call = Embed("text") if isinstance(wire, Embeddings) else CALL
    (file,) = written(tmp_path, *[(target(wire), request(wire, call))] * 3)
    bodies = {
        Chat: chat.CompletionCreateParamsNonStreaming,
        Completions: completion.CompletionCreateParamsNonStreaming,
        Embeddings: types.EmbeddingCreateParams,
    }
    lines = list(requests(file.path))
    assert [read_name(name) for name, _, _ in lines] == [Name(f"{number:032x}", 1, 1) for number in range(3)]
    taken = str(get_type_hints(types.BatchCreateParams)["endpoint"])
    for _, url, body in lines:
        assert url == ROUTES[type(wire)]
        assert f"'{url}'" in taken
        TypeAdapter[Any](bodies[type(wire)]).validate_python(body)
    assert file == Written(tmp_path / "calls.jsonl", 3, target(wire).name, ROUTES[type(wire)])


def test_messages_are_the_body_of_a_batch_of_anthropic(tmp_path: Path) -> None:
    (file,) = written(tmp_path, *[(target(Messages()), request(Messages(), CALL))] * 2)
    body = orjson.loads(file.path.read_bytes())
    assert list(body) == ["requests"]
    assert [set(one) for one in body["requests"]] == [{"custom_id", "params"}] * 2
    assert body["requests"][1]["params"] == orjson.loads(request(Messages(), CALL).body)


def test_each_model_and_each_route_has_a_file_of_its_own(tmp_path: Path) -> None:
    chat, text = request(Chat(), CALL), request(Completions(), CALL)
    asked = [(target(Chat()), chat), (target(Completions()), text), (target(Chat(), "n"), chat), (target(Chat()), chat)]
    files = written(tmp_path, *asked)
    assert [(one.path.name, one.requests, one.model, one.url) for one in files] == [
        ("calls.jsonl", 2, target(Chat()).name, "/v1/chat/completions"),
        ("calls.2.jsonl", 1, target(Completions()).name, "/v1/completions"),
        ("calls.3.jsonl", 1, target(Chat(), "n").name, "/v1/chat/completions"),
    ]


@pytest.mark.parametrize("wire", [Chat(), Messages()])
@pytest.mark.parametrize("limit", ["requests", "size"])
def test_a_file_ends_where_the_provider_takes_no_more(
    tmp_path: Path, wire: Wire, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(wire, CALL)
    (whole,) = written(tmp_path, *[(target(wire), asked)] * 5)
    size = whole.path.stat().st_size

    def full(name: str) -> forms.Form:
        form = forms.form_of(name)
        return replace(form, requests=2) if limit == "requests" else replace(form, size=size // 2)

    monkeypatch.setattr("vsgen.jobs.batch_files.form_of", full)
    (tmp_path / "more").mkdir()
    files = written(tmp_path / "more", *[(target(wire), asked)] * 5)
    assert [one.requests for one in files] == [2, 2, 1]
    assert sum(len(list(requests(one.path))) for one in files) == 5
    assert limit == "requests" or all(one.path.stat().st_size <= size // 2 for one in files)
