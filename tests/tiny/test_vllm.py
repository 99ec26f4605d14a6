"""Where vLLM's CPU build is installed, the committed weights run in it as they do in transformers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from vsgen.sampling.prompts import verbalized
from vsgen.tiny import WEIGHTS

RUN = """
import json, sys
import torch, vllm
from transformers import AutoModelForCausalLM

folder, day, city = sys.argv[1:]
llm = vllm.LLM(model=folder, dtype="float32", max_model_len=1024, enforce_eager=True)


def chat(text, **options):
    settings = vllm.SamplingParams(temperature=1.0, max_tokens=512, **options)
    return llm.chat([{"role": "user", "content": text}], settings, use_tqdm=False)[0]


asked = chat(day, n=1, logprobs=10)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
with torch.no_grad():
    ours = model(torch.tensor([asked.prompt_token_ids])).logits[0, -1].log_softmax(-1)
theirs = asked.outputs[0].logprobs[0]
off = max(abs(one.logprob - ours[token].item()) for token, one in theirs.items())
print(json.dumps({"off": off, "replies": [one.text for one in chat(city, n=10).outputs]}))
"""
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
}


@pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed")
def test_vllm_gives_the_log_probabilities_of_transformers_and_replies_in_the_form() -> None:
    city = f"Name a random city.\n\n{verbalized(('text',), 5, p_max=None, reasoning=False)}"
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(WEIGHTS), "Name a random day of the week.", city],
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["off"] < 1e-4
    assert all(len(json.loads(reply)["responses"]) == 5 for reply in found["replies"])
