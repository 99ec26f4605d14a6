"""Fine-tunes a causal language model on answers whose distribution is exactly known.

python train.py targets.jsonl --model FOLDER --steps 400 -o build/soft

The rows are those of `vsgen targets`: with `--kind soft` each holds the whole trie of its answers, with `--kind hard` a
drawn answer. All drawn answers of a prompt make a trie too, of their shares, and cross entropy on each of them is cross
entropy against that trie. So both are trained by the same code, and only the probabilities differ.

The loss is the Kullback-Leibler divergence of whole answers. By the chain rule it is the sum over all prefixes of their
probability times the divergence of their next tokens (arXiv 2605.11845 averages over the prefixes of one drawn answer
instead). One forward pass reads a prompt and all prefixes of its answers: each token sees the prompt, the tokens before
it in its own answers, and itself.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor

WARMUP = 30
DECAY = 0.01
BATCH = 4
EVERY = 4
"""Of the values of a family's first parameter, every so many is held out."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A prompt and the trie of its answers; a parent comes before its children, and node 0 is the empty answer."""

    prompt: Sequence[int]
    parents: Sequence[int]
    tokens: Sequence[int]
    """Each prefix's last token, the end token at the end of an answer; the root's means nothing."""
    probs: Sequence[float]
    """The token's probability given all before it; the root's is 1."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A tree as one forward pass reads it. L: the prompt's tokens, then those that others follow."""

    ids: Tensor
    """[L]"""
    positions: Tensor
    """[L], as if each answer stood alone after the prompt."""
    sees: Tensor
    """[L, L], true where the token of a row may attend to that of a column."""
    after: Tensor
    """[edges], where in L the token before each possible next token stands."""
    tokens: Tensor
    """[edges], the next token."""
    masses: Tensor
    """[edges], the probability of all answers that begin so."""
    entropy: float
    """Of the answers, nats."""


def main() -> None:
    """A folder with the model, its tokenizer and the ids of the prompts that it was trained on."""
    parser = argparse.ArgumentParser(description="Fine-tune a model on the rows of vsgen targets.")
    parser.add_argument("targets", type=Path)
    parser.add_argument("--model", required=True, help="a folder that transformers can open")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--rate", type=float, default=0.002)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = opened(args.model)
    rows = load(args.targets, args.output.parent / "cache")
    out = between(rows)
    trees = {name: tree for name, tree in planted(rows, tokenizer) if name not in out}
    train(model, [lesson(tree) for tree in trees.values()], steps=args.steps, rate=args.rate, seed=args.seed)
    model.save_pretrained(args.output)
    tokenizer.save_pretrained(args.output)
    (args.output / "trained.txt").write_text("".join(f"{name}\n" for name in trees))


def opened(folder: str) -> tuple[Any, Any]:
    """A model in single precision and its tokenizer."""
    import transformers

    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model, transformers.AutoTokenizer.from_pretrained(folder)


def load(file: Path, cache: Path) -> list[dict[str, Any]]:
    """Read rows as any trainer would, with `datasets`."""
    import datasets

    datasets.disable_progress_bars()
    return list(datasets.load_dataset("json", data_files=str(file), split="train", cache_dir=str(cache)))


def between(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """The prompts that are not trained on: all with certain values of their family's first parameter.

    These lie between the others, and no trained prompt of the family has that number.
    """
    first = {prompt_id(row): (row["family"], next(iter(row["params"].values()))) for row in rows}
    families: dict[str, set[float]] = {}
    for family, value in first.values():
        families.setdefault(family, set()).add(value)
    out = {(family, value) for family, values in families.items() for value in sorted(values)[EVERY - 1 : -1 : EVERY]}
    return {name for name, key in first.items() if key in out}


def prompt_id(row: Mapping[str, Any]) -> str:
    """A row's prompt, which the rows of several drawn answers share."""
    name: str = row["id"]
    return name.partition("#")[0]


def planted(rows: Iterable[Mapping[str, Any]], tokenizer: Any) -> Iterator[tuple[str, Tree]]:
    """The id and the tree of each prompt, from its one soft row or from all of its hard ones."""
    drawn: dict[str, list[tuple[list[int], list[int]]]] = {}
    for row in rows:
        if "trie" in row:
            trie = row["trie"]
            yield prompt_id(row), Tree(row["prompt_ids"], trie["parents"], trie["tokens"], trie["probs"])
        else:
            drawn.setdefault(prompt_id(row), []).append(spelled(row["messages"], tokenizer))
    for name, pairs in drawn.items():
        yield name, counted(pairs[0][0], [answer for _, answer in pairs])


def spelled(messages: Sequence[Mapping[str, str]], tokenizer: Any) -> tuple[list[int], list[int]]:
    """The tokens of a conversation up to its last message, and those of that message with its end."""
    prompt = tokenizer.apply_chat_template(messages[:-1], add_generation_prompt=True, return_dict=False)
    whole = tokenizer.apply_chat_template(messages, return_dict=False)
    answer = whole[len(prompt) :]
    if whole[: len(prompt)] != prompt or tokenizer.eos_token_id not in answer:
        sys.exit("the chat template does not put a prompt before its answer and an end after it; use --kind soft")
    return prompt, answer[: answer.index(tokenizer.eos_token_id) + 1]


def counted(prompt: Sequence[int], answers: Sequence[Sequence[int]]) -> Tree:
    """The tree of some answers, each as probable as it is frequent."""
    nodes: dict[tuple[int, ...], int] = {(): 0}
    parents, tokens, counts = [-1], [-1], [len(answers)]
    for answer in answers:
        for length in range(1, len(answer) + 1):
            prefix = tuple(answer[:length])
            if prefix not in nodes:
                nodes[prefix] = len(parents)
                parents.append(nodes[prefix[:-1]])
                tokens.append(prefix[-1])
                counts.append(0)
            counts[nodes[prefix]] += 1
    shares = [count / counts[max(parent, 0)] for count, parent in zip(counts, parents, strict=True)]
    return Tree(prompt, parents, tokens, shares)


def lesson(tree: Tree) -> Lesson:
    """Lay a tree out for one forward pass: what ends an answer is asked for but not read."""
    start, nodes = len(tree.prompt), len(tree.parents)
    masses, depths = [1.0] * nodes, [0] * nodes
    for node in range(1, nodes):
        parent = tree.parents[node]
        masses[node], depths[node] = masses[parent] * tree.probs[node], depths[parent] + 1
    followed = [node for node in sorted(set(tree.parents)) if node > 0]
    places = {0: start - 1} | {node: start + number for number, node in enumerate(followed)}
    sees = torch.ones(start + len(followed), start + len(followed), dtype=torch.bool).tril()
    for node in followed:
        place = places[node]
        sees[place] = sees[places[tree.parents[node]]]
        sees[place, place] = True
    edges = [node for node in range(1, nodes) if tree.probs[node] > 0]
    return Lesson(
        ids=torch.tensor([*tree.prompt, *(tree.tokens[node] for node in followed)]),
        positions=torch.tensor([*range(start), *(start - 1 + depths[node] for node in followed)]),
        sees=sees,
        after=torch.tensor([places[tree.parents[node]] for node in edges]),
        tokens=torch.tensor([tree.tokens[node] for node in edges]),
        masses=torch.tensor([masses[node] for node in edges]),
        entropy=-math.fsum(masses[node] * math.log(tree.probs[node]) for node in edges),
    )


def divergence(model: Any, lessons: Sequence[Lesson]) -> Tensor:
    """KL(target || model) of whole answers with their ends, nats; one per lesson."""
    count, length = len(lessons), max(len(one.ids) for one in lessons)
    ids, positions = torch.zeros(2, count, length, dtype=torch.long)
    sees = torch.eye(length, dtype=torch.bool).repeat(count, 1, 1)
    for i, one in enumerate(lessons):
        size = len(one.ids)
        ids[i, :size], positions[i, :size], sees[i, :size, :size] = one.ids, one.positions, one.sees
    mask = torch.zeros(count, 1, length, length).masked_fill(~sees.unsqueeze(1), torch.finfo(torch.float32).min)
    read = model.base_model(input_ids=ids, position_ids=positions, attention_mask=mask, use_cache=False)
    return torch.stack([_divergence(model, read[0][i], one) for i, one in enumerate(lessons)])


def _divergence(model: Any, hidden: Tensor, one: Lesson) -> Tensor:
    start = int(one.after.min())  # nothing is asked about the prompt itself
    logps = torch.log_softmax(model.get_output_embeddings()(hidden[start : len(one.ids)]), -1)
    return -(one.masses * logps[one.after - start, one.tokens]).sum() - one.entropy


def train(model: Any, lessons: Sequence[Lesson], *, steps: int, rate: float, seed: int) -> None:
    """Train all weights: AdamW, a linear warm-up, then a cosine to zero; progress to stderr."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=DECAY, fused=True)
    model.train()
    batches, seen = shuffled(lessons, Random(seed)), list[float]()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / WARMUP) * (1 + math.cos(math.pi * step / steps)) / 2
        loss = divergence(model, next(batches)).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seen.append(loss.item())
        if len(seen) == 100 or step == steps - 1:
            print(f"step {step + 1}: {sum(seen) / len(seen):.3f} nats from the targets", file=sys.stderr)
            seen.clear()
    model.eval()


def shuffled(lessons: Sequence[Lesson], rng: Random) -> Iterator[list[Lesson]]:
    """Batches without an end; every lesson comes once before any comes again."""
    waiting: list[Lesson] = []
    while True:
        while len(waiting) < BATCH:
            waiting += rng.sample(lessons, len(lessons))
        yield waiting[:BATCH]
        del waiting[:BATCH]


if __name__ == "__main__":
    main()
