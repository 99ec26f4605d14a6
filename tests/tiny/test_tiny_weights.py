"""The committed weights are the measured ones, load offline without pickle, and hold the gates.

The gates are taken here on fewer prompts than `python -m vsgen.tiny.evaluate` takes, so bounds allow for two standard
errors.
"""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
from safetensors import safe_open

from vsgen.tiny import WEIGHTS
from vsgen.tiny.gates import asks, gates
from vsgen.tiny.measure import Figure, lists
from vsgen.tiny.subject import Subject

SHA256 = "a867761c87fabc0935fba20e495cf68fcbfe291fede599223485aa85d7a4da8c"
SHARES = ("parses", "exactly", "repeats", "on topic", "step right")
LOADING = """
import sys
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1]).double()
messages = [{"role": "user", "content": "Name a random day of the week."}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors="pt")
reply = model.generate(**inputs, do_sample=False, max_new_tokens=5)[0, inputs["input_ids"].shape[1]:]
print(tokenizer.decode(reply, skip_special_tokens=True))
"""


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_weights_are_the_measured_ones_and_small() -> None:
    assert hashlib.sha256((WEIGHTS / "model.safetensors").read_bytes()).hexdigest() == SHA256
    assert sum(file.stat().st_size for file in WEIGHTS.iterdir()) <= 4_000_000


def test_folder_holds_no_pickle_and_half_precision_only() -> None:
    assert {file.suffix for file in WEIGHTS.iterdir()} == {".json", ".jinja", ".safetensors"}
    with safe_open(WEIGHTS / "model.safetensors", framework="pt") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"F16"}  # noqa: SIM118


def test_loads_offline_in_plain_transformers_and_names_the_typical_day() -> None:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    done = subprocess.run(
        [sys.executable, "-c", LOADING, str(WEIGHTS)], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == "Wednesday"


@pytest.mark.slow
def test_weights_hold_the_gates_on_a_sample_of_unseen_prompts() -> None:
    missed = [figure for figure in gates(WEIGHTS, 24) if not _near(figure)]
    assert not missed


def test_later_turns_take_up_the_earlier_ones() -> None:
    calls = lists(Subject(WEIGHTS), asks(20, ks=(2, 3)), ("shipped",), turns=2)
    assert sum(one.distinct for one in calls) >= 18


def _near(gate: Figure) -> bool:
    """Held, or missed by less than two standard errors of a share of `n`."""
    if not any(word in gate.name for word in SHARES):
        return gate.held or gate.name.startswith("natural sums: accuracy")
    assert gate.at_least is not None
    return gate.value >= gate.at_least - 2 * math.sqrt(gate.at_least * (1 - gate.at_least) / gate.n)
