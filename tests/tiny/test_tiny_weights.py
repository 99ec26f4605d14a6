"""The committed weights are the measured ones, load offline without pickle, and do what the templates need."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from random import Random

import pytest
import torch
from safetensors import safe_open

from vsgen.tiny import WEIGHTS, chat
from vsgen.tiny.evaluate import (
    TOPICS,
    call,
    classification_figures,
    collapse_figures,
    on_topic,
    variety_figures,
    verbalized,
)
from vsgen.tiny.grammar.tasks import by_topic
from vsgen.tiny.subject import Subject

SHA256 = "c90a2d7caa62316f3838cf70ff89d6057741af80eb7902844aba320204502729"
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


@pytest.fixture(scope="module")
def subject() -> Subject:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    made = Subject(WEIGHTS)
    torch.set_num_threads(threads)
    return made


def test_weights_are_the_measured_ones_and_small() -> None:
    assert hashlib.sha256((WEIGHTS / "model.safetensors").read_bytes()).hexdigest() == SHA256
    assert sum(file.stat().st_size for file in WEIGHTS.iterdir()) <= 4 * 2**20


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


def test_verbalized_replies_have_the_form_and_are_on_topic(subject: Subject) -> None:
    rng = Random(0)
    calls = verbalized(
        subject, [(rng.choice(by_topic(topic)), k) for topic in TOPICS for k in (2, 3, 4, 5, 5, 5, 5, 5)]
    )
    parsed = [one for one in calls if one.answers is not None]
    texts = [(one.request, text) for one in parsed for text in one.texts]
    assert len(parsed) >= 39
    assert sum(len(one.texts) == one.k for one in parsed) >= 0.9 * len(parsed)
    assert sum(one.distinct for one in parsed) >= 0.9 * len(parsed)
    assert sum(on_topic(*one) for one in texts) >= 0.95 * len(texts)


def test_later_turns_take_up_the_earlier_ones(subject: Subject) -> None:
    request = by_topic("closed")[0]
    calls = call(subject, [(request, chat.vs_multi(request, Random(seed), 3, 2)) for seed in range(20)])
    assert sum(one.answers is not None for one in calls) >= 18
    assert sum(one.distinct for one in calls) >= 18


def test_classification_is_near_the_true_posterior(subject: Subject) -> None:
    figures = {figure.name: figure.value for figure in classification_figures(subject, 30)}
    assert figures["ticket: total variation to the posterior"] < 0.1
    assert figures["review: total variation to the posterior"] < 0.1


def test_direct_answers_collapse_and_verbalized_ones_spread(subject: Subject) -> None:
    off, _ = collapse_figures(subject)
    assert off.value < 0.05
    direct, spread = variety_figures(subject, by_topic("closed")[5:])
    assert spread.value > 1.5 * direct.value
