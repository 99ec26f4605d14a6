"""Opens a language model by name; the one place that knows which backends there are."""

from __future__ import annotations

from vsgen.ports import LanguageModel


def open_model(
    name: str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    batch: int | None = None,
    remote_code: bool = False,
    pickled: bool = False,
) -> LanguageModel:
    """Open a model.

    Args:
        name: ``tiny``, the embedded model; else a folder, a GGUF file or a Hugging Face id, read by transformers.
        device: auto, cpu, cuda or mps.
        dtype: auto, float32, bfloat16, float16 or float64. The embedded model always computes in float64 on the CPU, so
            that its replies do not depend on the batch.
        batch: Replies decoded side by side; None leaves it to the backend.
        remote_code: Run Python code that comes with the model.
        pickled: Read weights that are not safetensors.

    Raises:
        ModelError: There is no such model, or it cannot be used.
    """
    match name:
        case "tiny":
            from vsgen.backends.hf.model import HfModel
            from vsgen.tiny import WEIGHTS

            return HfModel.open(str(WEIGHTS), device="cpu", dtype="float64", batch=batch, name="tiny")
        case _:
            from vsgen.backends.hf.model import HfModel

            return HfModel.open(name, device=device, dtype=dtype, batch=batch, remote_code=remote_code, pickled=pickled)
