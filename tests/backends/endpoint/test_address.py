from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.backends.endpoint.address import read_address, read_proxy
from vsgen.errors import OptionError


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1"),
        ("http://localhost:8000/", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/chat/completions", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/completions/", "http://localhost:8000/v1"),
        ("http://localhost:11434/api/chat", "http://localhost:11434/v1"),
        ("HTTPS://API.OpenAI.com:443", "https://api.openai.com/v1"),
        ("https://api.openai.com./v1", "https://api.openai.com/v1"),
        ("https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1"),
        ("https://host/v1beta/openai", "https://host/v1beta/openai"),
        ("https://host/proxy", "https://host/proxy/v1"),
        ("http://[::1]:8080", "http://[::1]:8080/v1"),
        (" http://127.0.0.1 ", "http://127.0.0.1/v1"),
    ],
)
def test_every_usual_form_of_a_url_becomes_one_base(url: str, base: str) -> None:
    assert read_address(url).base == base
    assert read_address(base).base == base


@pytest.mark.parametrize(
    ("url", "wire"),
    [
        ("http://localhost:8000", "chat"),
        ("http://localhost:8000/v1/completions", "completions"),
        ("http://localhost:8000/v1/messages", "messages"),
        ("https://api.anthropic.com", "messages"),
        ("https://api.anthropic.com.example.org", "chat"),
    ],
)
def test_the_host_or_the_route_says_which_wire_is_likely(url: str, wire: str) -> None:
    assert read_address(url).wire == wire


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_this_machine_is_loopback(host: str) -> None:
    assert read_address(f"http://{host}:8000").loopback


@pytest.mark.parametrize(
    "host", ["localhost.example.org", "127.0.0.1.nip.io", "0.0.0.0", "10.0.0.1", "[fe80::1]", "[::ffff:10.0.0.1]"]
)
def test_another_machine_is_not_loopback(host: str) -> None:
    assert not read_address(f"http://{host}:8000").loopback


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "http://",
        "http:///v1",
        "ftp://host",
        "file:///etc/passwd",
        "unix:///run/x",
        "http://host:0",
        "http://host:99999",
        "http://host:x",
        "http://host/v1?key=x",
        "http://host/v1#x",
        "http://host/v1?",
        "http://host/../v1",
        "http://ho st/v1",
        "http://host\r\nX: y/v1",
        "http://host\\@evil/v1",
        "http://аpi.openai.com",  # its first letter is Cyrillic
        "http://%61pi.openai.com",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://-host/",
    ],
)
def test_what_is_no_endpoint_is_refused_with_a_remedy(url: str) -> None:
    with pytest.raises(OptionError, match=r"--endpoint: .*(such as http://localhost:8000/v1|--api-key-file)"):
        read_address(url)


@pytest.mark.parametrize("url", ["https://me:sk-secret@host/v1", "https://sk-secret@host", "sk-secret@host"])
def test_a_password_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(OptionError) as caught:
        read_address(url)
    assert "sk-secret" not in str(caught.value) or "://" not in url


@pytest.mark.parametrize(
    "url", ["https://host/v1?api-key=sk-secret", "ftp://host?k=sk-secret", "http://host/ ?sk-secret"]
)
def test_a_query_is_not_repeated(url: str) -> None:
    with pytest.raises(OptionError) as caught:
        read_address(url)
    assert "sk-secret" not in str(caught.value)


def test_people_are_shown_the_host_and_an_unusual_port() -> None:
    assert read_address("https://api.openai.com/v1").place == "api.openai.com"
    assert read_address("http://localhost:8000").place == "localhost:8000"


@given(st.text() | st.text(alphabet="htps:/@[]%.?#\\ 1aé\r\n\x00").map("http://".__add__))
def test_any_text_is_an_address_or_an_error_of_the_tree(url: str) -> None:
    try:
        address = read_address(url)
    except OptionError as error:
        assert str(error).isprintable()
    else:
        assert address.base.startswith(("http://", "https://")) and address.base.isascii()
        assert read_address(address.base).origin == address.origin


@pytest.mark.parametrize("url", ["http://host:3128", "https://me:sk-secret@host", "http://[::1]:1"])
def test_a_proxy_is_a_url_that_may_have_a_password(url: str) -> None:
    assert read_proxy(f" {url}") == url


@pytest.mark.parametrize(
    "url",
    ["", "sk-secret", "sk-secret:80", "socks5://sk-secret@h", "http://", "http://h:sk-secret", "http://[sk-secret"],
)
def test_what_is_no_proxy_is_an_error_that_does_not_show_it(url: str) -> None:
    with pytest.raises(OptionError) as caught:
        read_proxy(url)
    assert str(caught.value).startswith("--proxy: not the URL of an HTTP proxy; give http://HOST:PORT")
    assert "sk-secret" not in str(caught.value)
