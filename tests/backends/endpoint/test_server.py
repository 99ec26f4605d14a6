"""What an error says of the key and of the model's name: where they are from."""

from __future__ import annotations

import pytest

from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.keys import Key
from vsgen.backends.endpoint.server import Server
from vsgen.backends.endpoint.service import Service

ADDRESS = read_address("https://models.test/v1")
SECRET = "sk-very-secret-indeed"


@pytest.mark.parametrize("source", ["VSGEN_API_KEY", "OPENAI_API_KEY", "--api-key-file"])
def test_a_key_that_is_not_accepted_is_named_by_its_source_and_not_shown(source: str) -> None:
    about = Server(ADDRESS, Key(SECRET, ADDRESS.origin, source)).target("m").about(401)
    assert about == f"; the key that was sent is from {source}"


@pytest.mark.parametrize(
    ("source", "remedy"),
    [
        ("--endpoint", "set VSGEN_API_KEY or give --api-key-file (OPENAI_API_KEY is sent only to api.openai.com"),
        ("endpoint", "set VSGEN_API_KEY, or name the file with vsgen.endpoint"),
        ("t.yaml:3: endpoint", f"set OPENAI_BASE_URL={ADDRESS.base} and OPENAI_API_KEY, and give --allow-endpoint"),
    ],
)
def test_a_server_that_got_no_key_is_answered_with_what_would_send_one(source: str, remedy: str) -> None:
    about = Server(ADDRESS, source=source).embedder("m").about(401)
    assert about.startswith("; no key was sent: ") and remedy in about


def test_an_unknown_model_is_laid_to_what_names_it() -> None:
    assert "dedup.embedder" in Service(Server(ADDRESS), "m", embeds=True, named="dedup.embedder").target.about(404)
    assert "-m names the model" in Service(Server(ADDRESS), "m").target.about(404)
