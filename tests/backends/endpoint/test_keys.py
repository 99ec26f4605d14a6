from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from pathlib import Path

import orjson
import pytest

from vsgen.backends.endpoint.address import Address, read_address
from vsgen.backends.endpoint.keys import Key, find_key, key_text
from vsgen.errors import OptionError

SECRET = "sk-very-secret-0123"
OPENAI = read_address("https://api.openai.com/v1")
ANTHROPIC = read_address("https://api.anthropic.com")
LOCAL = read_address("http://localhost:8000")
REMOTE = read_address("https://models.example.org/v1")


@dataclasses.dataclass(frozen=True, slots=True)
class Holder:
    key: Key | None


@pytest.fixture
def key() -> Key:
    return Key(SECRET, OPENAI.origin)


def sent(key: Key | None, address: Address) -> dict[str, str]:
    return key.headers(address.origin, address.wire) if key else {}


def test_a_key_is_sent_to_its_own_origin_in_the_form_of_its_wire(key: Key) -> None:
    assert sent(key, OPENAI) == {"authorization": f"Bearer {SECRET}"}
    assert sent(Key(SECRET, ANTHROPIC.origin), ANTHROPIC) == {"x-api-key": SECRET}


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com.example.org/v1",
        "https://api.openai.com:8443/v1",
        "http://api.openai.com/v1",
        "https://evil.org/api.openai.com/v1",
        "http://localhost:8000",
    ],
)
def test_another_host_port_or_scheme_never_gets_a_key(key: Key, url: str) -> None:
    assert sent(key, read_address(url)) == {}


def test_a_key_is_hidden_however_it_is_printed(key: Key, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("vsgen").warning("%s %r %s", key, key, Holder(key))
    shown = [repr(key), str(key), f"{key}", f"{key:>20}", f"{key!r}", ascii(key), repr(Holder(key)), repr([key])]
    shown += [repr(dataclasses.asdict(Holder(key))), caplog.text, repr(copy.deepcopy(key)), repr(copy.copy(key))]
    assert not [one for one in shown if SECRET in one]


def test_a_key_is_in_no_traceback_though_its_locals_are_shown(key: Key) -> None:
    def fail(held: Holder) -> None:
        raise RuntimeError(f"{held} failed")

    try:
        fail(Holder(key))
    except RuntimeError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        assert "held = " in shown
        assert SECRET not in shown


def test_a_key_is_neither_pickled_nor_written_as_json(key: Key) -> None:
    for write in (pickle.dumps, orjson.dumps):
        with pytest.raises(TypeError) as caught:
            write(key)
        assert SECRET not in str(caught.value)
    assert not hasattr(key, "__dict__")


def test_a_key_that_a_server_repeats_is_taken_out_of_its_words(key: Key) -> None:
    assert key.hide(f"Incorrect API key provided: {SECRET}.") == "Incorrect API key provided: [key]."
    assert Key("a", OPENAI.origin).hide("a fault") == "a fault"


@pytest.mark.parametrize("secret", ['sk-"quoted"', "sk\\slashed", "c2Vj/cmV0+Cg=="])
def test_a_key_that_a_server_repeats_in_json_is_taken_out_however_json_writes_it(secret: str) -> None:
    written = json.dumps({"message": f"Incorrect key {secret}."})
    for body in (written, written.replace("/", "\\/")):
        assert json.loads(Key(secret, OPENAI.origin).hide(body)) == {"message": "Incorrect key [key]."}


@pytest.mark.parametrize(
    ("address", "environ"),
    [
        (OPENAI, {"OPENAI_API_KEY": SECRET}),
        (OPENAI, {"VSGEN_API_KEY": SECRET, "OPENAI_API_KEY": "sk-other"}),
        (ANTHROPIC, {"ANTHROPIC_API_KEY": SECRET}),
        (REMOTE, {"VSGEN_API_KEY": SECRET}),
        (REMOTE, {"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": "https://models.example.org/"}),
        (LOCAL, {"VSGEN_API_KEY": SECRET}),
    ],
)
def test_a_key_of_the_environment_goes_where_it_is_for(address: Address, environ: dict[str, str]) -> None:
    assert SECRET in str(sent(find_key(address, environ), address))


@pytest.mark.parametrize(
    ("address", "environ"),
    [
        (REMOTE, {"OPENAI_API_KEY": SECRET}),
        (REMOTE, {"ANTHROPIC_API_KEY": SECRET}),
        (REMOTE, {"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": "https://api.openai.com/v1"}),
        (REMOTE, {"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": "http://models.example.org/v1"}),
        (REMOTE, {"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": "nonsense"}),
        (LOCAL, {"OPENAI_API_KEY": SECRET}),
        (LOCAL, {}),
    ],
)
def test_a_key_of_one_provider_goes_nowhere_else(address: Address, environ: dict[str, str]) -> None:
    assert find_key(address, environ) is None


@pytest.mark.parametrize(
    ("address", "environ"),
    [
        (OPENAI, {"ANTHROPIC_API_KEY": SECRET}),
        (ANTHROPIC, {"OPENAI_API_KEY": SECRET}),
        (read_address("http://api.openai.com"), {"OPENAI_API_KEY": SECRET}),
    ],
)
def test_a_provider_without_its_key_is_an_error_that_names_the_variable(
    address: Address, environ: dict[str, str]
) -> None:
    with pytest.raises(OptionError, match=r"no API key; set (OPENAI|ANTHROPIC)_API_KEY") as caught:
        find_key(address, environ)
    assert SECRET not in str(caught.value)
    assert find_key(address, environ, needed=False) is None


def test_a_key_says_where_it_is_from() -> None:
    found = find_key(LOCAL, {"VSGEN_API_KEY": SECRET})
    assert found is not None and found.source == "VSGEN_API_KEY"


def test_an_endpoint_that_only_a_template_names_gets_no_key() -> None:
    assert find_key(LOCAL, {"VSGEN_API_KEY": SECRET}, SECRET, trusted=False) is None


def test_a_file_comes_before_the_environment() -> None:
    found = find_key(OPENAI, {"VSGEN_API_KEY": "sk-other"}, f"{SECRET}\r\n")
    assert sent(found, OPENAI) == {"authorization": f"Bearer {SECRET}"}


@pytest.mark.parametrize("text", ["", " \n", f"{SECRET}\nx: y", f"{SECRET}\x00", f"{SECRET}é", SECRET * 1000])
def test_what_cannot_be_a_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(OptionError, match="--api-key-file: ") as caught:
        find_key(REMOTE, {}, text)
    assert SECRET not in str(caught.value)


def test_keys_are_equal_where_they_are_the_same_secret_for_the_same_server() -> None:
    key = Key(SECRET, OPENAI.origin)
    assert key == Key(SECRET, OPENAI.origin) and hash(key) == hash(Key(SECRET, OPENAI.origin))
    assert key not in {Key(SECRET, ANTHROPIC.origin), Key("sk-other", OPENAI.origin), SECRET, None}


def test_a_file_that_holds_no_key_is_named(tmp_path: Path) -> None:
    file = tmp_path / "key"
    for text, what in ((" \n", "empty; put the API key there"), ("two\nwords\n", "not an API key: give one word")):
        file.write_text(text)
        with pytest.raises(OptionError) as caught:
            key_text(file, "--api-key-file")
        assert str(caught.value).startswith(f"--api-key-file {file}: {what}")
    file.write_text(f" {SECRET}\n")
    assert key_text(file, "--api-key-file") == SECRET
