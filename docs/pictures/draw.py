"""Draws collapse.svg from collapse.json: the answers to each question, by method. It needs no model and no library.

python docs/pictures/draw.py     (the counts are measured by: python -m tests.real.collapse)

Each bar is all answers of one method. A segment is one answer, as wide as it was frequent, the most frequent first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TITLES = {"direct": "direct", "sequence": "sequence", "vs": "vs (verbalized)"}
LEFT, BAR, WIDTH = 104, 580, 790
"""Where bars begin, how long they are, and the picture's width; pixels."""
TOP, STEP, THICK, HEAD = 66, 21, 16, 32
LETTER = 6.8
"""Width of a letter, about: an answer is written into its segment where there is room."""
STYLE = """
text { font: 12px -apple-system, "Segoe UI", "DejaVu Sans", Helvetica, Arial, sans-serif; fill: #24292f }
.title { font-size: 14px; font-weight: 600 }
.question { font-weight: 600 }
.quiet { fill: #59636e }
.end { text-anchor: end }
.first { fill: #1f5fae } .more { fill: #8fbcec } .wrong { fill: #c2c8cf }
text.on-first { fill: #ffffff } text.on-more, text.on-wrong { fill: #10243e }
text.on-first, text.on-more, text.on-wrong { font-size: 11px }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .quiet { fill: #9198a1 }
}
"""


def text(x: float, y: float, words: str, kind: str = "") -> str:
    """One line of text; `kind` names its classes."""
    return f'<text x="{x:g}" y="{y:g}"' + (f' class="{kind}"' if kind else "") + f">{escape(words)}</text>"


def segments(found: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    """Label, count and class of each segment; all wrong answers share the last."""
    for place, (answer, count) in enumerate(found["counts"].items()):
        yield answer, count, "more" if place else "first"
    if wrong := sum(found["wrong"].values()):
        yield f"{wrong} wrong", wrong, "wrong"


def bar(y: float, method: str, found: Mapping[str, Any], answers: int) -> Iterator[str]:
    """One method's answers to one question."""
    yield text(LEFT - 8, y + 12, TITLES[method], "end quiet")
    x = float(LEFT)
    for label, count, kind in segments(found):
        width = BAR * count / answers
        yield f'<rect x="{x:.1f}" y="{y:g}" width="{width - 1:.1f}" height="{THICK}" class="{kind}"/>'
        shown = label if kind == "wrong" else f"{label} {count}"
        for words in (shown, label):
            if LETTER * len(words) + 6 <= width:
                yield text(round(x + 4, 1), y + 12, words, f"on-{kind}")
                break
        x += width
    yield text(LEFT + BAR + 8, y + 12, f"{len(found['counts'])} different", "quiet")


def picture(data: Mapping[str, Any]) -> str:
    """The whole file."""
    parts: list[str] = []
    y = TOP
    for request, by_method in data["questions"].items():
        parts.append(text(LEFT, y, request, "question"))
        for place, (method, found) in enumerate(by_method.items()):
            parts += bar(y + 8 + place * STEP, method, found, data["answers"])
        y += 8 + len(by_method) * STEP + HEAD - 8
    answers, k = data["answers"], data["k"]
    head = f"One question, {answers} answers: asked for one by one, and {k} at a time"
    caption = ", ".join(
        [data["model"], f"temperature {data['temperature']}", f"min-p {data['min_p']}", f"seed {data['seed']}"]
    )
    how = f"direct: one answer a reply; sequence: lists of {k}; vs: lists of {k} with probabilities; one example each"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 18}" width="{WIDTH}" role="img">',
            f"<title>{escape(head)}</title>",
            f"<style>{STYLE}</style>",
            text(LEFT, 18, head, "title"),
            text(LEFT, 36, caption, "quiet"),
            *parts,
            text(LEFT, y + 4, how, "quiet"),
            "</svg>\n",
        ]
    )


def main() -> None:
    """Draw it anew."""
    data = json.loads((HERE / "collapse.json").read_text(encoding="utf-8"))
    (HERE / "collapse.svg").write_text(picture(data), encoding="utf-8")


if __name__ == "__main__":
    main()
