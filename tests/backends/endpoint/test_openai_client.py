"""OpenAI's own client library as an oracle: our requests are what it would send, and it reads what we read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import orjson
import pytest

from tests.backends.endpoint.dialogs import asked_of, ok, talk
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.completions import Completions
from vsgen.backends.endpoint.decisions import DecisionWire
from vsgen.backends.endpoint.embeddings import Embeddings
from vsgen.backends.endpoint.steps import _listed
from vsgen.backends.endpoint.wire import Abilities
from vsgen.values import Completion, Decide, Decided, Embed, Generate, Message, Prompt, Score, TypedQuestion, Vector

openai = pytest.importorskip("openai")

PROMPT = Prompt((Message("system", "Be brief."), Message("user", "A joke, please.")))
SCHEMA = '{"type": "object", "properties": {"text": {"type": "string"}}}'
DECIDE = Decide(
    "Where is my parcel?",
    (
        TypedQuestion("predicate", "Is it late?"),
        TypedQuestion("choice", "Which team?", ("billing", "shipping")),
        TypedQuestion("score", "How upset?", ("calm", "annoyed", "furious")),
        TypedQuestion("predicate", "Is it rude?"),
    ),
)
CALL = Generate(PROMPT, seed=5, temperature=0.7, top_p=0.9, max_tokens=50, stop=("\n",), schema=SCHEMA)
USAGE = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
TOP = [{"token": "yes", "logprob": -0.1, "bytes": None}, {"token": "no", "logprob": -3.0, "bytes": None}]
REPLIES: dict[str, Any] = {
    "/v1/chat/completions": {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Ha.", "refusal": None},
                "finish_reason": "stop",
                "logprobs": {"content": [{**TOP[0], "top_logprobs": TOP}], "refusal": None},
            }
        ],
        "usage": {**USAGE, "completion_tokens_details": {"reasoning_tokens": 2}},
    },
    "/v1/completions": {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "text": " upon", "finish_reason": "length", "logprobs": None}],
        "usage": USAGE,
    },
    "/v1/decisions": {
        "model": "m",
        "answers": [
            {"type": "predicate", "name": "q1", "probability": 0.75},
            {
                "type": "choice",
                "name": "q2",
                "choice": "shipping",
                "confidence": 0.8,
                "probabilities": [{"value": "shipping", "probability": 0.9}, {"value": "billing", "probability": 0.1}],
            },
            {
                "type": "score",
                "name": "q3",
                "score": 0.5,
                "confidence": 0.4,
                "probabilities": [
                    {"value": 0, "label": "calm", "probability": 0.625},
                    {"value": 1, "label": "annoyed", "probability": 0.25},
                    {"value": 2, "label": "furious", "probability": 0.125},
                ],
            },
            {"type": "refusal", "name": "q4"},
        ],
        "usage": {
            "input_tokens": 40,
            "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 30},
            "output_tokens": 4,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 44,
        },
    },
    "/v1/embeddings": {
        "object": "list",
        "model": "m",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.6, 0.8]}],
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    },
}


class Server(ThreadingHTTPServer):
    """Replies as published, and remembers what was asked."""

    asked: list[tuple[str, Any]]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = orjson.loads(self.rfile.read(int(self.headers["content-length"])))
        cast("Server", self.server).asked.append((self.path.removeprefix("/v1/"), body))
        reply = orjson.dumps(REPLIES[self.path])
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), _Handler) as made:
        made.asked = []
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    with openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="x", max_retries=0) as made:
        yield made


def test_a_chat_request_is_what_the_client_sends_and_both_read_the_reply_alike(server: Server, client: Any) -> None:
    can = Abilities("strict", seed=True, max_completion_tokens=True)
    ours = asked_of(Chat().dialog(CALL, "m", can))
    theirs = client.chat.completions.create(**ours[1])
    assert server.asked == [ours]
    answer = talk(Chat().dialog(CALL, "m", can), lambda _: ok(REPLIES["/v1/chat/completions"])).answer
    assert isinstance(answer, Completion)
    assert answer.text == theirs.choices[0].message.content
    assert (answer.prompt_tokens, answer.count) == (theirs.usage.prompt_tokens, theirs.usage.completion_tokens)


def test_what_is_listed_of_a_step_is_what_the_client_reads(server: Server, client: Any) -> None:
    ours = asked_of(Chat().dialog(Score(PROMPT, ("yes", "no")), "m", Abilities(top_logprobs=20)))
    theirs = client.chat.completions.create(**ours[1]).choices[0].logprobs.content[0].top_logprobs
    assert server.asked == [ours]
    listed = _listed(ok(REPLIES["/v1/chat/completions"]))
    assert listed.logps == {one.token: one.logprob for one in theirs}  # type: ignore[union-attr]


def test_a_completions_request_is_what_the_client_sends(server: Server, client: Any) -> None:
    call = replace(CALL, prompt=Prompt(prefill="Once"), schema=None)
    ours = asked_of(Completions().dialog(call, "m", Abilities(seed=True)))
    theirs = client.completions.create(**ours[1])
    assert server.asked == [ours]
    answer = talk(Completions().dialog(call, "m", Abilities()), lambda _: ok(REPLIES["/v1/completions"])).answer
    assert isinstance(answer, Completion) and answer.text == theirs.choices[0].text
    assert answer.stopped is (theirs.choices[0].finish_reason != "length")


def test_an_embeddings_request_is_what_the_client_sends(server: Server, client: Any) -> None:
    ours = asked_of(Embeddings().dialog(Embed("a text"), "m", Abilities()))
    theirs = client.embeddings.create(**ours[1])
    assert server.asked == [ours]
    answer = talk(
        Embeddings().dialog(Embed("a text"), "m", Abilities()), lambda _: ok(REPLIES["/v1/embeddings"])
    ).answer
    assert isinstance(answer, Vector) and len(answer.data) == 2 * len(theirs.data[0].embedding)


def test_a_decisions_request_is_what_the_client_sends_and_both_read_the_answers_alike(
    server: Server, client: Any
) -> None:
    can = Abilities(decisions="decisions")
    ours = asked_of(DecisionWire().dialog(DECIDE, "m", can))
    theirs = client.decisions.create(**ours[1])
    assert server.asked == [ours]
    said = talk(DecisionWire().dialog(DECIDE, "m", can), lambda _: ok(REPLIES["/v1/decisions"]))
    assert isinstance(said.answer, Decided)
    late, team, tone, rude = said.answer.decisions
    first, second, third, fourth = theirs.answers
    assert late.probs[0] == pytest.approx(first.probability)
    assert dict(zip(DECIDE.questions[1].options, team.probs, strict=True)) == pytest.approx(
        {one.value: one.probability for one in second.probabilities}
    )
    assert dict(enumerate(tone.probs)) == pytest.approx({one.value: one.probability for one in third.probabilities})
    assert rude.problem and fourth.type == "refusal"
    assert (said.usage.prompt, said.usage.cached) == (
        theirs.usage.input_tokens,
        theirs.usage.input_tokens_details.cached_tokens,
    )


@pytest.mark.parametrize("can", [Abilities(), Abilities("strict", seed=True, max_completion_tokens=True)])
def test_every_member_without_special_abilities_is_one_of_the_published_types(can: Abilities) -> None:
    from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
    from pydantic import TypeAdapter

    body = asked_of(Chat().dialog(CALL, "m", can))[1]
    adapter: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsNonStreaming)
    read = adapter.validate_python(body)
    assert read.keys() == body.keys()
