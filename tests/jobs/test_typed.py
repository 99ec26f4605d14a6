"""Options that are typed where they have no effect."""

from __future__ import annotations

import pytest

from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.server import Server
from vsgen.backends.endpoint.service import Service
from vsgen.errors import OptionError
from vsgen.jobs.typed import check_typed
from vsgen.jobs.wanted import ModelChoice, Wanted

SERVED = {"m": Service(Server(read_address("http://127.0.0.1:8000")), "m")}


@pytest.mark.parametrize("option", ["--rpm", "--tpm", "--concurrency", "--timeout", "--hedge", "--proxy", "--wire"])
def test_an_option_for_servers_needs_a_model_behind_a_url(option: str) -> None:
    choice = ModelChoice("m", typed=(option,))
    check_typed(Wanted(choice, services=SERVED))
    check_typed(Wanted(ModelChoice("m"), judges=["j"]))
    with pytest.raises(OptionError, match=f"{option}: no model is behind a URL"):
        check_typed(Wanted(choice, judges=["j"]))


@pytest.mark.parametrize("option", ["--dtype", "--batch", "--trust-remote-code", "--allow-pickle"])
def test_an_option_for_loading_needs_a_model_in_this_process(option: str) -> None:
    choice = ModelChoice("m", typed=(option,))
    check_typed(Wanted(choice))
    check_typed(Wanted(choice, services=SERVED, judges=["j"]))
    with pytest.raises(OptionError, match=f"{option}: has no effect on a model behind a URL"):
        check_typed(Wanted(choice, services=SERVED, embedder="hash"))


def test_a_device_for_a_model_behind_a_url_is_refused_for_that_reason() -> None:
    choice = ModelChoice("m", device="cuda", typed=("--device",))
    with pytest.raises(OptionError, match="--device cuda: the model is behind a URL, and the embedder hash always"):
        check_typed(Wanted(choice, services=SERVED, embedder="hash"))
    check_typed(Wanted(choice, services=SERVED, embedder="owner/embedder"))
