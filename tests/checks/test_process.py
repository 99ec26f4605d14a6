"""External commands, as real processes: good ones answer, and each way to misbehave ends in one clear error, soon."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from vsgen.checks.commands import Commands, require_command, version_of
from vsgen.checks.process import Process
from vsgen.errors import CommandError, OptionError
from vsgen.values import Verified, Verify

SHORT = """
import json, sys
for line in sys.stdin:
    row = json.loads(line)
    ok = len(row["text"]) < 10
    print(json.dumps({"id": row["id"], "ok": ok, "problem": "" if ok else "too long"}), flush=True)
"""


def script(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "check.py"
    path.write_text(text)
    return (sys.executable, str(path))


def row(text: str) -> str:
    return json.dumps({"text": text})


def failure(tmp_path: Path, text: str, *, rows: int = 1, timeout: float = 20.0) -> str:
    command = script(tmp_path, text)
    with Commands() as commands, pytest.raises(CommandError) as caught:
        commands.answer([Verify(command, row("a" * i), timeout) for i in range(rows)])
    assert str(caught.value).startswith(f"{sys.executable} {command[1]}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value).partition(f"{command[1]}: ")[2]


def test_verdicts_come_in_the_order_of_the_rows_from_one_process(tmp_path: Path) -> None:
    text = SHORT.replace("import json, sys", "import json, os, sys").replace('"too long"', "str(os.getpid())")
    command = script(tmp_path, text)
    with Commands() as commands:
        found = commands.answer([Verify(command, row(text)) for text in ("a", "b" * 10, "c", "d" * 10)])
    assert [one.ok for one in found] == [True, False, True, False]
    assert found[1].problem == found[3].problem != ""


def test_a_row_larger_than_a_pipe_goes_through(tmp_path: Path) -> None:
    with Commands() as commands:
        assert commands.answer([Verify(script(tmp_path, SHORT), row("x" * 3_000_000))]) == [Verified(False, "too long")]


def test_any_text_reaches_the_command_as_it_is(tmp_path: Path) -> None:
    echo = "print(json.dumps({'ok': True, 'problem': json.loads(line)['text']}), flush=True)"
    command = script(tmp_path, f"import json, sys\nfor line in sys.stdin: {echo}")
    with Commands() as commands:
        texts = ["a b", 'quote " and \\', "ünï→😀", "$(rm -rf /); `x`"]
        found = commands.answer([Verify(command, row(text)) for text in texts])
    assert [one.problem for one in found] == texts


def test_a_problem_is_told_on_one_short_line_without_control_characters(tmp_path: Path) -> None:
    loud = "import json\ninput()\nprint(json.dumps({'ok': False, 'problem': 'a\\n\\x1b[31mb' + 'c' * 999}), flush=True)"
    with Commands() as commands:
        (found,) = commands.answer([Verify(script(tmp_path, loud), row("a"))])
    assert found.problem.startswith("a [31mbc")
    assert len(found.problem) <= 200


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import sys; sys.stderr.write('boom\\n'); sys.exit(3)", "ended with exit status 3 before it wrote a verdict"),
        ("raise ValueError('what a mess')", "the end of its standard error: "),
        ("import os; os.kill(os.getpid(), 9)", "was killed by signal 9 before it wrote a verdict"),
        ("input()\nprint('looks fine to me', flush=True)", "wrote 'looks fine to me'"),
        ("input()\nprint('true', flush=True)", "must write verdicts such as {\"ok\": true}, wrote 'true'"),
        ("input()\nprint('{\"ok\": \"yes\"}', flush=True)", "must write verdicts"),
        ("input()\nprint('{\"id\": 7, \"ok\": true}', flush=True)", "answers out of order: was asked about id 1"),
        ("import sys; sys.stdin.readline(); sys.stdout.buffer.write(b'\\xff\\xfe\\n')", "must write verdicts"),
        ("import sys\ninput()\nwhile True: sys.stdout.write('x' * 65536)", "bytes at once instead of a verdict"),
        ("import os, time; os.close(1); time.sleep(60)", "closed its standard output"),
    ],
)  # fmt: skip
def test_a_command_that_misbehaves_is_named_with_what_it_did(tmp_path: Path, text: str, told: str) -> None:
    assert told in failure(tmp_path, text)


def test_the_last_lines_of_standard_error_are_told(tmp_path: Path) -> None:
    text = "import sys\nfor i in range(9): print('line', i, file=sys.stderr)\nsys.exit(1)"
    assert failure(tmp_path, text).endswith("the end of its standard error: line 6 | line 7 | line 8")


def test_a_flood_on_standard_error_blocks_nobody(tmp_path: Path) -> None:
    text = "import sys\nsys.stderr.write('noise\\n' * 300_000)\n" + SHORT
    with Commands() as commands:
        assert commands.answer([Verify(script(tmp_path, text), row("a"))]) == [Verified(True)]


def test_a_command_that_hangs_is_given_up_and_killed(tmp_path: Path) -> None:
    said = "input()\nprint(json.dumps({'ok': True, 'problem': str(os.getpid())}), flush=True)"
    process = Process(script(tmp_path, f"import json, os, time\n{said}\ntime.sleep(600)"))
    pid = int(process.ask(row("a"), 600.0).problem)
    with pytest.raises(CommandError, match=r"wrote no verdict within 0\.1 s \(does it flush"):
        process.ask(row("a"), 0.1)
    process.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_command_that_does_not_read_its_row_blocks_nobody(tmp_path: Path) -> None:
    process = Process(script(tmp_path, "import time; time.sleep(600)"))
    with pytest.raises(CommandError, match=r"wrote no verdict within 0\.5 s"):
        process.ask(row("x" * 3_000_000), 0.5)
    process.close()


def test_a_verdict_that_nobody_asked_for_is_told_before_the_next_row(tmp_path: Path) -> None:
    text = 'import sys, time\nfor line in sys.stdin: print(\'{"ok": true}\\n{"ok": true}\', flush=True)'
    assert "wrote an unexpected line" in failure(tmp_path, text, rows=2)


def test_a_command_that_ends_after_one_verdict_is_told_at_the_next_row(tmp_path: Path) -> None:
    text = "input()\nprint('{\"ok\": true}', flush=True)"
    assert "ended with exit status 0 before it wrote a verdict" in failure(tmp_path, text, rows=2)


def test_a_program_that_is_not_there_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"t\.yaml: check\.code: no program named 'no-such-thing' can be run here"):
        require_command("t.yaml: check.code", ["no-such-thing", "--check"])
    with Commands() as commands, pytest.raises(CommandError, match="cannot be started: No such file"):
        commands.answer([Verify((str(tmp_path / "none"),), row("a"))])


def test_no_process_is_started_before_it_is_asked_and_none_outlives_the_run(tmp_path: Path) -> None:
    text = f"import os\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n" + SHORT
    with Commands() as commands:
        assert not (tmp_path / "pid").exists()
        commands.answer([Verify(script(tmp_path, text), row("a"))])
        os.kill(pid := int((tmp_path / "pid").read_text()), 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_changed_script_is_another_version_and_a_command_without_files_has_none(tmp_path: Path) -> None:
    command = script(tmp_path, SHORT)
    before = version_of(command)
    written = tmp_path / "log"
    written.write_text("what the command itself writes down")
    assert before == version_of((*command, "--strict", str(written)))
    (tmp_path / "check.py").write_text(SHORT + "\n")
    assert version_of(command) != before
    assert version_of(command[1:]) != version_of(("./check.py",))
    assert version_of(("no-such-program", "--check")) == ""
