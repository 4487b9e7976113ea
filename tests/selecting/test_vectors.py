"""Rows as vectors: n-grams, or embeddings for languages that the model knows."""

import numpy as np
import pytest

from forkpoint.selecting import vectors as subject
from forkpoint.selecting.vectors import vectors

TEXTS = [
    "Where is my parcel from Monday?", "Where is my parcel from monday??",
    "我的包裹什么时候到？", "我的包裹什么时候才到？", "Please cancel the yearly plan.",
]  # fmt: skip


def test_near_copies_are_near_in_both_scripts() -> None:
    """A changed character leaves rows close, another matter does not."""
    shown = vectors(TEXTS, {"en": 0.6, "zh": 0.4})
    cosine_N_N = shown.rows_N_D @ shown.rows_N_D.T
    assert "ngrams" == shown.kind
    assert "select.why_language" == shown.reason
    assert cosine_N_N[0, 1] > 0.8 > cosine_N_N[0, 4]
    assert cosine_N_N[2, 3] > 0.6 > cosine_N_N[2, 4]
    assert np.allclose(1.0, np.linalg.norm(shown.rows_N_D, axis=1), atol=1e-4)


def test_embeddings_are_for_languages_that_the_model_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chinese rows never meet an English model, whatever is installed; English ones need it."""
    monkeypatch.setattr(subject, "_installed", lambda: True)
    assert "select.why_language" == subject._no_embeddings({"zh": 0.9, "en": 0.1})
    assert "select.why_language" == subject._no_embeddings({"und": 1.0})
    assert subject._no_embeddings({"en": 0.97, "fr": 0.03}) is None
    monkeypatch.setattr(subject, "_installed", lambda: False)
    assert "select.why_not_installed" == subject._no_embeddings({"en": 1.0})


def test_two_rows_are_enough() -> None:
    """The smallest data do not break."""
    assert (2, 1) == vectors(["a", "b"], {}).rows_N_D.shape


@pytest.mark.real
def test_the_optional_model_knows_what_is_meant() -> None:
    """With the extra installed, English rows of one meaning are nearer than rows of one wording."""
    if not subject._installed():
        pytest.skip("the optional extra 'embed' is not installed")
    texts = ["How do I reset my password?", "I forgot my login secret, what now?",
             "How do I paint my balcony?"]  # fmt: skip
    shown = vectors(texts, {"en": 1.0})
    cosine_N_N = shown.rows_N_D @ shown.rows_N_D.T
    assert "embeddings" == shown.kind
    assert cosine_N_N[0, 1] > cosine_N_N[0, 2]
