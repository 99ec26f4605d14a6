"""Variables that are in force, without what is secret."""

from __future__ import annotations

from vsgen.jobs.health.environment import environment


def shown(**variables: str) -> dict[str, str]:
    return {one.name: one.value for one in environment(variables)}


def test_what_changes_vsgen_or_its_libraries_is_shown() -> None:
    found = shown(VSGEN_MODEL="tiny", HF_HOME="/x", OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="true", PATH="/bin")
    assert found == {"HF_HOME": "/x", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "true", "VSGEN_MODEL": "tiny"}


def test_secrets_are_named_and_never_shown() -> None:
    secrets = ("HF_TOKEN", "HUGGINGFACE_HUB_TOKEN", "VSGEN_API_KEY", "https_proxy", "HF_AUTH")
    found = shown(**dict.fromkeys(secrets, "hf_verysecret"))
    assert found == dict.fromkeys(sorted(secrets), "set (not shown)")


def test_an_environment_without_any_says_so() -> None:
    assert shown(PATH="/bin", VSGEN_MODEL="") == {"variables": "none is set"}
