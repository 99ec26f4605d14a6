"""What the base install does: all that the embedded model is asked for, where torch and its like are not installed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from struct import pack

import pytest

HEAVY = ("torch", "transformers", "sentence_transformers", "accelerate", "gguf", "datasets", "matplotlib", "sqlglot")
_ASK = "--name queue --classes billing,bug,how-to --prompt 'Which queue should take this?'"
_WITHOUT = f"""
import sys
from importlib.machinery import PathFinder
class Base:
    find_distributions = PathFinder.find_distributions
    invalidate_caches = PathFinder.invalidate_caches
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None if name.partition(".")[0] in {HEAVY} else PathFinder.find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Base
"""
_COMMANDS = (
    _WITHOUT
    + """
import shlex
from typer.testing import CliRunner
from vsgen.cli.app import app
for line in sys.argv[1:]:
    ended = CliRunner().invoke(app, shlex.split(line))
    assert ended.exit_code == 0, (line, ended.output, ended.exception)
"""
)
_PYTHON = (
    _WITHOUT
    + """
import vsgen
from vsgen import testing
from vsgen.backends.open import open_model
from vsgen.values import Message, Prompt
from vsgen.tiny.oracle import Oracle
rows = list(vsgen.generate("jokes", num=3, model="tiny"))
assert len(rows) == 3
prompt = Prompt((Message("user", "Name a random color."),))
testing.check_language_model(open_model("tiny"))
assert abs(sum(Oracle().probs(Prompt((Message("user", "Tell a short joke about a cat."),))).values()) - 1) < 1e-9
"""
)


def run(code: str, folder: Path, words: Sequence[str] = ()) -> None:
    ended = subprocess.run([sys.executable, "-c", code, *words], cwd=folder, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_every_command_answers_with_the_embedded_model(tmp_path: Path) -> None:
    words = (
        "run support-tickets -m tiny -n 6 -o rows.jsonl --rejects rejects.jsonl",
        "run support-tickets -m tiny -n 2 --token-logprobs top=5 -o taught.jsonl",
        "run arithmetic -m tiny -n 1 --method power --set sampling.max_tokens=40 --set sampling.power.particles=2"
        " --max-calls 40 -o power.jsonl",
        "try jokes -m tiny",
        f"label rows.jsonl {_ASK} -m tiny -o labels.jsonl",
        "measure random-day -m tiny --samples 2 -o measured.jsonl",
        "targets random-day --kind soft --tokenizer tiny -o targets.jsonl",
        "check support-tickets -m tiny",
        "doctor",
        "doctor",
        "init reviews",
        "export rows.jsonl --to jsonl -o plain.jsonl",
        "export taught.jsonl --to trl -o trl.jsonl",
        "export labels.jsonl --to sentence-transformers --label queue -o students.jsonl",
    )
    run(_COMMANDS, tmp_path, words)


def test_python_and_the_laws_need_no_more(tmp_path: Path) -> None:
    run(_PYTHON, tmp_path)


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        ("run jokes -m owner/model -n 1", "models"),
        ("run jokes -m model.gguf -n 1", "models"),
        ("run jokes -m . -n 1", "models"),
        ("run jokes -m tiny -n 1 --set dedup.embedder=minilm", "minilm"),
        ("check jokes --set check.text=sql", "sql"),
    ],
)
def test_what_needs_an_extra_says_so_at_once(tmp_path: Path, words: str, extra: str) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF" + pack("<IQQ8x", 3, 0, 0))  # a whole file of no tensors
    code = _WITHOUT + "from vsgen.__main__ import main\nsys.argv[0] = 'vsgen'\nmain()"
    ended = subprocess.run([sys.executable, "-c", code, *words.split()], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    assert f"(not installed); install the extra {extra}: " in ended.stderr
    assert "Traceback" not in ended.stderr
