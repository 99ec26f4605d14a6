"""The calibration example: its loss is the divergence of whole answers, training lowers it, and make runs it all."""

from __future__ import annotations

import importlib.util
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import mean
from types import ModuleType
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from vsgen.tiny import WEIGHTS

EXAMPLE = Path(__file__).parents[2] / "examples" / "calibrate"
END = 2
PROMPT = (3, 4, 5)
ANSWERS = {(6, 7): 0.4, (6, 8): 0.1, (6,): 0.2, (9, 7, 7): 0.3}
"""One answer begins another, and the same token stands after different ones."""


def imported(name: str) -> ModuleType:
    """A module of the example."""
    spec = importlib.util.spec_from_file_location(f"calibrate_{name}", EXAMPLE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


train, table = imported("train"), imported("table")


def model(seed: int = 0) -> Any:
    """A tiny Llama whose weights are large enough to be sure of something."""
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    made = LlamaForCausalLM(LlamaConfig.from_dict({"vocab_size": 10, **sizes})).train(False)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in made.parameters():
            weights.copy_(0.3 * torch.randn(weights.shape, generator=generator) + (weights.dim() == 1))
    return made


def tree(answers: dict[tuple[int, ...], float] = ANSWERS, prompt: tuple[int, ...] = PROMPT) -> Any:
    """Their trie, from probabilities in tenths."""
    drawn = [[*answer, END] for answer, prob in answers.items() for _ in range(round(10 * prob))]
    return train.counted(prompt, drawn)


def alone(language_model: Any, prompt: tuple[int, ...], answer: tuple[int, ...]) -> float:
    """Log P(answer, end | prompt), from a forward pass that reads nothing else."""
    ids = torch.tensor([[*prompt, *answer, END]])
    with torch.no_grad():
        logps = torch.log_softmax(language_model(ids).logits[0], -1)
    return sum(float(logps[at - 1, ids[0, at]]) for at in range(len(prompt), ids.shape[1]))


def test_the_loss_is_the_divergence_of_whole_answers() -> None:
    language_model, other = model(), {(7,): 0.5, (8, 6, 9, 9, 6): 0.5}
    with torch.no_grad():
        found = train.divergence(language_model, [train.lesson(tree()), train.lesson(tree(other, (4,)))])
    for value, answers, prompt in ((found[0], ANSWERS, PROMPT), (found[1], other, (4,))):
        wanted = sum(p * (math.log(p) - alone(language_model, prompt, answer)) for answer, p in answers.items())
        assert float(value) == pytest.approx(wanted, rel=1e-5)


def test_the_loss_is_nothing_for_the_models_own_distribution() -> None:
    language_model = model()
    with torch.no_grad():
        own = torch.softmax(language_model(torch.tensor([PROMPT])).logits[0, -1], -1).tolist()
        one_token = train.Tree(PROMPT, [-1, *[0] * 10], [-1, *range(10)], [1.0, *own])
        assert float(train.divergence(language_model, [train.lesson(one_token)])) == pytest.approx(0, abs=1e-5)


def test_drawn_answers_are_taught_as_by_cross_entropy_on_each_of_them() -> None:
    drawn = [[6, 7, END], [6, END], [6, 7, END], [9, END]]
    grown, plain = model(), model()
    train.divergence(grown, [train.lesson(train.counted(PROMPT, drawn))]).sum().backward()
    for answer in drawn:
        ids = torch.tensor([[*PROMPT, *answer]])
        logps = torch.log_softmax(plain(ids).logits[0], -1)
        losses = [-logps[at - 1, ids[0, at]] for at in range(len(PROMPT), ids.shape[1])]
        (torch.stack(losses).sum() / len(drawn)).backward()  # type: ignore[no-untyped-call]
    for one, other in zip(grown.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-5)


def test_a_few_steps_bring_the_embedded_model_nearer_to_two_targets() -> None:
    language_model, tokenizer = train.opened(str(WEIGHTS))
    answers = {"x/p=1": ["0", "1", "1", "0"], "x/p=2": ["3.5", "4", "3.5", "5"]}
    lessons = [train.lesson(one) for _, one in train.planted(hard_rows(answers), tokenizer)]
    with torch.no_grad():
        before = train.divergence(language_model, lessons)
    train.train(language_model, lessons, steps=40, rate=0.002, seed=0)
    with torch.no_grad():
        after = train.divergence(language_model, lessons)
    assert (before > 10).all()
    assert (after < 2).all()


def test_soft_and_hard_rows_spell_prompts_and_answers_alike() -> None:
    tokenizer = AutoTokenizer.from_pretrained(WEIGHTS)
    (hard,) = [one for _, one in train.planted(hard_rows({"x/p=1": ["0", "1", "1"]}), tokenizer)]
    zero, one = (tokenizer(text, add_special_tokens=False)["input_ids"][0] for text in "01")
    end = tokenizer.eos_token_id
    assert list(hard.tokens) == [-1, zero, end, one, end]
    assert list(hard.probs) == pytest.approx([1, 1 / 3, 1, 2 / 3, 1])
    trie = {"parents": list(hard.parents), "tokens": list(hard.tokens), "probs": list(hard.probs)}
    soft = [{"id": "x/p=1", "prompt_ids": list(hard.prompt), "trie": trie}]
    assert dict(train.planted(soft, tokenizer)) == {"x/p=1": hard}


def test_what_is_held_out_lies_between_what_is_trained_on_and_shares_no_number_with_it() -> None:
    grid = [
        {"id": f"f/a={a},b={b}#{draw:02d}", "family": "f", "params": {"a": a, "b": b}}
        for a in map(float, range(9))
        for b in (1.0, 2.0)
        for draw in range(2)
    ]
    out = train.between(grid)
    assert out == {f"f/a={a},b={b}" for a in (3.0, 7.0) for b in (1.0, 2.0)}


def test_every_lesson_comes_once_before_any_comes_again() -> None:
    lessons = [train.lesson(tree()) for _ in range(6)]
    batches = train.shuffled(lessons, train.Random(0))
    order = [id(one) for _ in range(6) for one in next(batches)]
    for start in range(0, 24, 6):
        assert set(order[start : start + 6]) == {id(one) for one in lessons}


def test_the_average_of_a_family_knows_the_trained_targets_and_nothing_else() -> None:
    values = {
        "f/a=0": {"family": "f", "values": ["0", "1"], "probs": [0.5, 0.5]},
        "f/a=1": {"family": "f", "values": ["1", "2"], "probs": [0.5, 0.5]},
        "f/a=9": {"family": "f", "values": ["1", "9"], "probs": [0.5, 0.5]},
    }
    found = table.averages(values, {"f/a=0", "f/a=1"})
    half = 0.5 * math.log(0.5 / 0.25)
    assert found["f/a=0"] == pytest.approx({"kl": half, "w1": 0.5})
    assert found["f/a=9"] == pytest.approx({"kl": math.inf, "w1": 4.0})


def test_a_column_is_a_mean_or_a_median_and_never_leaves_a_prompt_out() -> None:
    assert table.cell([1.0, 2.0, 3.0]) == f"2.000 ±{1 / math.sqrt(3):.3f}"
    assert table.cell([1.0, None, 3.0]) == table.around_median([1.0, None]) == "-"
    assert table.cell([1.0, math.inf]).strip() == "inf"
    assert table.around_median([1.0, 2.0, 3.0, 1e12], "+") == f"+2.500 ±{0.5:.3f}"


@pytest.mark.slow
def test_the_target_trains_and_measures_models_and_prints_what_they_came_to(tmp_path: Path) -> None:
    folder, build = tmp_path / "calibrate", tmp_path / "calibrate" / "build"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("build", "__pycache__"))
    small = ["FAMILIES=student_t", "NEW=bernoulli", "DECIMALS=0", "STEPS=2", "REPLIES=1", "DRAWS=2"]
    make = ["make", "-j2", "-C", str(folder), f"VSGEN={sys.executable} -m vsgen", f"PYTHON={sys.executable}", *small]
    made = ["build/soft.figures.jsonl", "build/hard.jsonl", "build/values.jsonl"]
    subprocess.run([*make, *made], check=True, capture_output=True)
    shutil.copytree(build / "soft", build / "hard")  # which is trained and measured as soft is
    for name in ("before", "hard"):
        shutil.copy(build / "soft.figures.jsonl", build / f"{name}.figures.jsonl")
    run = subprocess.run(make, check=True, capture_output=True, text=True)
    trained = (build / "soft" / "trained.txt").read_text().splitlines()
    assert trained == (build / "hard" / "trained.txt").read_text().splitlines()
    soft = [json.loads(line) for line in (build / "soft.figures.jsonl").read_text().splitlines()]
    assert len(trained) == 10
    assert {row["split"] for row in soft if row["id"] in trained} == {"train"}
    lines = (build / "results.txt").read_text().splitlines()
    kls = [row["kl"] for row in soft if row["id"] in trained]
    assert f"{mean(kls):.3f} ±" in next(line for line in lines if line.startswith("trained     student_t         10"))
    assert any(line.split()[:4] == ["new", "family", "bernoulli", "5"] for line in lines)
    assert "\n".join(lines) in run.stdout
    again = subprocess.run(make, check=True, capture_output=True, text=True)
    assert not again.stderr


def hard_rows(answers: dict[str, list[str]]) -> list[dict[str, Any]]:
    """As `vsgen targets --kind hard` writes them, for prompts by id."""
    return [
        {"id": f"{name}#{number:02d}", "messages": [message("user", f"Draw {name}."), message("assistant", answer)]}
        for name, drawn in answers.items()
        for number, answer in enumerate(drawn)
    ]


def message(role: str, content: str) -> dict[str, str]:
    """One of a conversation."""
    return {"role": role, "content": content}
