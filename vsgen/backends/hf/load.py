"""Opens a model: a folder, a GGUF file or a hub id, to weights and tokenizer, or one clear error."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
import transformers

from vsgen.backends.gguf_file import is_gguf
from vsgen.backends.hf import gguf
from vsgen.backends.hf.device import pick_device
from vsgen.backends.hf.folder import check_folder
from vsgen.backends.hf.quiet import offline, quietly
from vsgen.backends.hub import cached_snapshot
from vsgen.backends.identity import own_name
from vsgen.backends.transfers import counted
from vsgen.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_HF: Any = transformers
"""Its types are incomplete."""
_DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float64": torch.float64,
}


@dataclass(frozen=True, slots=True)
class Opened:
    """Weights, tokenizer and a name that tells these weights from others."""

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Trust:
    """What may be done with a model's files, and whether they may be fetched."""

    remote_code: bool = False
    """Run Python code that comes with the model."""
    pickled: bool = False
    """Read weights that are not safetensors; they can run code as well."""
    local: bool = False
    """Take what is on this machine alone: a folder, a file, or what the cache has of an id."""


CAREFUL: Final = Trust()
"""No code that comes with a model is run."""


def load(source: str, *, device: str, dtype: str, trust: Trust = CAREFUL) -> Opened:
    """Open a folder or a GGUF file, offline, or a hub id, from the local cache or the network.

    Raises:
        ModelError: The folder or file holds no model, the id is unknown or out of reach, the architecture is not
            supported, or weights are missing.
    """
    options: dict[str, Any] = {"trust_remote_code": trust.remote_code, "local_files_only": trust.local}
    weights: dict[str, Any] = {"use_safetensors": None if trust.pickled else True}
    packed, origin, commit = is_gguf(source), source, None
    if Path(source).is_dir():
        check_folder(Path(source), pickled=trust.pickled)
        options["local_files_only"] = True
    elif packed:
        options, origin = gguf.options(source), str(Path(source).parent)
        weights = {"quantization_config": gguf.unpacking()}
    elif trust.local:
        origin, commit = kept(source)
    place = pick_device(device)
    with quietly(), offline(wanted=options["local_files_only"]):
        with _explained(source, trust, "its configuration"):
            if packed:
                gguf.check_counts(source)
            config = _HF.AutoConfig.from_pretrained(origin, **options)
            stored = config.dtype or config.get_text_config(decoder=True).dtype
        with _explained(source, trust, "its tokenizer"):
            tokenizer = _HF.AutoTokenizer.from_pretrained(origin, **options)
        with _explained(source, trust, "its weights"):
            dtypes = {"dtype": pick_dtype(dtype, place, stored)}
            with counted() as bar:
                model, report = _HF.AutoModelForCausalLM.from_pretrained(
                    origin, config=config, output_loading_info=True, tqdm_class=bar, **dtypes, **weights, **options
                )
            model = model.to(place).eval()
            if packed:
                gguf.make_plain(model, source)
            _check_tokenizer(source, model, tokenizer)
    _check_complete(source, report)
    return Opened(own_name(source, None, commit or getattr(config, "_commit_hash", None)), model, tokenizer)


def kept(source: str) -> tuple[str, str]:
    """The folder of a hub id in the local cache, and its commit.

    Given an id, the libraries ask the hub about it even where they are told to take local files only.

    Raises:
        ModelError: It is not there.
    """
    folder = cached_snapshot(source)
    if folder is None:
        raise ModelError(f"{source}: is not on this machine; add --allow-model {source} to have it fetched")
    return str(folder), folder.name


def pick_dtype(dtype: str, device: torch.device, stored: torch.dtype | None) -> torch.dtype:
    """`auto` computes in bfloat16 where a 16-bit checkpoint meets CUDA, else in float32."""
    if dtype == "auto":
        half = device.type == "cuda" and stored in {torch.bfloat16, torch.float16}
        return torch.bfloat16 if half else torch.float32
    if dtype not in _DTYPES:
        raise ModelError(f"dtype {dtype!r} is not known; choose auto, {', '.join(_DTYPES)}")
    return _DTYPES[dtype]


def slow(dtype: torch.dtype, device: torch.device) -> str | None:
    """Why a model of this type computes slowly on this machine, and what to do; None where it does not."""
    if device.type != "cpu" or dtype.itemsize != 2:
        return None
    if dtype == torch.bfloat16 and has_bfloat16():
        return None
    kind = str(dtype).removeprefix("torch.")
    return f"this CPU has no instructions for {kind}, which makes it several times slower than --dtype float32"


def has_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 itself (AVX512-BF16 or AMX); a CPU of another make is taken to."""
    if platform.machine() not in {"x86_64", "AMD64"}:
        return True
    cpu: Any = torch.cpu
    return any(getattr(cpu, name, bool)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))


def _check_complete(source: str, report: dict[str, Any]) -> None:
    absent = sorted(report["missing_keys"]) or sorted(str(key) for key in report["mismatched_keys"])
    if absent:
        raise ModelError(
            f"{source}: {len(absent)} weights are missing or of the wrong shape, first {absent[0]}; "
            "the files are not a complete causal language model"
        )


def _check_tokenizer(source: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """See that the model has a row for each token of the vocabulary; tokens that were added may lie beyond."""
    if not isinstance(tokenizer.model_max_length, int | float):
        raise ModelError(f"{source}: tokenizer_config.json: model_max_length: must be a number; check the files")
    embeddings: Any = model.get_input_embeddings()
    added, rows = tokenizer.added_tokens_decoder, embeddings.weight.shape[0]
    beyond = [token for token, number in tokenizer.get_vocab().items() if number >= rows and number not in added]
    if beyond:
        raise ModelError(
            f"{source}: its tokenizer has {len(beyond)} tokens for which the model's {rows} embeddings have no row, "
            f"first {beyond[0]!r}; the files do not belong to one model"
        )


@contextmanager
def _explained(source: str, trust: Trust, what: str) -> Iterator[None]:
    packed = is_gguf(source)
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # transformers and its parts raise anything on files that are missing or broken
        lines = str(error).strip().splitlines() or [type(error).__name__]
        remedy = "check the id and the network, or give a folder"
        if packed or Path(source).is_dir():
            remedy = "check the files"
        elif trust.local:
            remedy = f"the cache does not have all of it; fetch it first, or add --allow-model {source}"
        raise ModelError(f"{source}: cannot be opened as a language model: {what}: {lines[0]} ({remedy})") from error
