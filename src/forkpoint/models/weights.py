"""Load a checkpoint's weights and tokenizer: safetensors only, no code of its own, no network."""

from pathlib import Path
from typing import Any, Literal

from forkpoint.errors import Unreadable

Dtype = Literal["float32", "bfloat16"]


def load_tokenizer(path: str | Path) -> Any:
    """The tokenizer of a local checkpoint; raises Unreadable."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            str(path), local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreadable("train.tokenizer_unreadable", path=path, error=_line(error)) from error


def load_model(path: str | Path, *, dtype: Dtype = "float32", device: str = "cpu") -> Any:
    """The causal language model of a local checkpoint, in evaluation mode; raises Unreadable.

    Its generation_config is reduced to its end ids: decoding is the same for every arm.
    """
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    folder = Path(path)
    if not any(folder.glob("*.safetensors")):
        raise Unreadable("train.no_safetensors", path=path)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            str(folder),
            dtype=getattr(torch, dtype),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise Unreadable("train.weights_unreadable", path=path, error=_line(error)) from error
    ends = model.generation_config.eos_token_id
    model.generation_config = GenerationConfig(eos_token_id=ends)
    return model.to(device).eval()


def generation_end_ids(model: Any) -> tuple[int, ...]:
    """The ids at which generation ends by the checkpoint's own configuration."""
    ends = model.generation_config.eos_token_id
    if ends is None:
        return ()
    return tuple(int(end) for end in (ends if isinstance(ends, list | tuple) else [ends]))


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]
