"""CPU a request of two peers from the registry and of vsgen, on one server: whole processes, start-up left out.

openai is the client that most scripts use; it comes with the test dependencies. distilabel is a tool of the same kind,
and pulls in a hundred megabytes, so that it is measured only where it is installed::

    python -m venv /tmp/peers/distilabel && /tmp/peers/distilabel/bin/pip install 'distilabel[openai]==1.5.3' requests

``BENCH_PEERS`` names another folder than ``/tmp/peers``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.bench.bench_endpoint import ROWS, SETTINGS, TEMPLATE, served

_FEW, _MANY = 100, 400
_OPENAI: Final = """
import asyncio, json, sys
from openai import AsyncOpenAI
url, calls = sys.argv[1], int(sys.argv[2])
async def main():
    client, numbers = AsyncOpenAI(base_url=url, api_key="none"), iter(range(calls))
    async def work(lines):
        for number in numbers:
            asked = [{"role": "user", "content": "Write five support tickets, as JSON."}]
            reply = await client.chat.completions.create(model="m", messages=asked, seed=number)
            for one in json.loads(reply.choices[0].message.content)["responses"]:
                lines.write(json.dumps(one) + "\\n")
    with open("rows.jsonl", "w") as lines:
        await asyncio.gather(*(work(lines) for _ in range(64)))
asyncio.run(main())
"""
_DISTILABEL: Final = """
import sys
from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration
if __name__ == "__main__":
    url, calls = sys.argv[1], int(sys.argv[2])
    with Pipeline(name="peer", cache_dir="cache") as pipeline:
        rows = [{"instruction": f"Write five support tickets, as JSON; {number}."} for number in range(calls)]
        model = OpenAILLM(model="m", base_url=url, api_key="none")
        LoadDataFromDicts(data=rows, batch_size=64) >> TextGeneration(llm=model, input_batch_size=64)
    assert len(pipeline.run(use_cache=False)["default"]["train"]) == calls
"""


def _spent(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds, and seconds of CPU, of a process and its children."""
    before, begun = os.times(), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    seconds, after = time.perf_counter() - begun, os.times()
    return seconds, sum(after[2:4]) - sum(before[2:4])


def _line(name: str, python: str, words: list[str], url: str, rows: int = 1) -> None:
    """Measure one; `words` come before the server and the number of calls, or of rows."""
    if not Path(python).exists():
        print(f"  {name:12} not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        few, many = (_spent([python, *words, *_asked(words, url, rows * n)], Path(folder)) for n in (_FEW, _MANY))
    cpu = (many[1] - few[1]) / (_MANY - _FEW) * 1000
    print(f"  {name:12} {cpu:6.2f} ms of CPU a request; {_MANY} requests in {many[0]:.1f} s, start-up included")


def _asked(words: list[str], url: str, number: int) -> list[str]:
    if words[0] == "-c":
        return [url, str(number)]
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    return ["--endpoint", url, "-n", str(number), "-o", f"{number}.jsonl", *settings]


def main() -> None:
    """Print a line for each."""
    peers = Path(os.environ.get("BENCH_PEERS", "/tmp/peers"))
    print("endpoint, peers on the same server, 64 in flight")
    with served() as url:
        _line("vsgen", sys.executable, ["-m", "vsgen", "run", TEMPLATE, "-m", "m", "--quiet"], url, ROWS)
        _line("openai", sys.executable, ["-c", _OPENAI], url)
        _line("distilabel", str(peers / "distilabel/bin/python"), ["-c", _DISTILABEL], url)


if __name__ == "__main__":
    main()
