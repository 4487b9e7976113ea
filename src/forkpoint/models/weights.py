"""Load a checkpoint's weights and tokenizer: safetensors only, no code of its own, no network."""

import warnings
from logging import ERROR, getLogger
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


def load_model(
    path: str | Path, *, dtype: Dtype = "float32", device: str = "cpu", quantisation: Any = None
) -> Any:
    """The causal language model of a local checkpoint, in evaluation mode; raises Unreadable.

    Its generation_config is reduced to its end ids: decoding is the same for every arm.
    `quantisation`: the configuration with which the weights are made smaller as they are read.
    """
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig

    _quieten()
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
            **({} if quantisation is None else {"quantization_config": quantisation,
                                                "device_map": {"": device}}),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise Unreadable("train.weights_unreadable", path=path, error=_line(error)) from error
    ends = model.generation_config.eos_token_id
    model.generation_config = GenerationConfig(eos_token_id=ends)
    _keep_the_head_whole(model)
    return (model if quantisation is not None else model.to(device)).eval()


def _quieten() -> None:
    """Keep what libraries say to each other off the user's terminal.

    Progress of reading weights; what bitsandbytes misses on import (QLoRA asks for it itself);
    names that transformers will drop and PEFT still uses.
    """
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    getLogger("bitsandbytes").setLevel(ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers\.")


def _keep_the_head_whole(model: Any) -> None:
    """Hand the head a contiguous hidden state.

    With `logits_to_keep`, as generation uses it, the hidden state is a cut of a longer one; torch
    then copies a frozen head once for every row of the batch (gigabytes where the vocabulary is
    large, and twenty times the time; docs/LOG.md, 'The head that was copied').
    """
    head = model.get_output_embeddings()
    if head is not None:
        head.register_forward_pre_hook(lambda _, given: (given[0].contiguous(), *given[1:]))


def generation_end_ids(model: Any) -> tuple[int, ...]:
    """The ids at which generation ends by the checkpoint's own configuration."""
    ends = model.generation_config.eos_token_id
    if ends is None:
        return ()
    return tuple(int(end) for end in (ends if isinstance(ends, list | tuple) else [ends]))


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]
