"""The recipe trains what the product renders."""

import itertools

from recipes.pocket import instruct, talk, tokenizer

from forkpoint.data.row import Turn
from forkpoint.models.rendering import IGNORED, Rendered, Renderer, Rendering
from forkpoint.models.weights import load_tokenizer
from forkpoint.pocket import checkpoint_path


def test_rows_are_the_products() -> None:
    """A conversation of the recipe has the ids and labels that the product's renderer gives it."""
    folder = checkpoint_path("pocket-instruct")
    renderer = Renderer(load_tokenizer(folder), Rendering(kind="chat", loss_on="all"))
    tok = tokenizer.load(folder)
    for drawn in itertools.islice(talk.instruct_talks(3), 60):
        pairs = [*drawn.turns, ("assistant", drawn.answer)]
        expected = renderer.turns([Turn(role, text) for role, text in pairs])  # type: ignore[arg-type]
        assert isinstance(expected, Rendered)
        ids, labels = instruct.chat_row(tok, pairs)
        assert list(expected.input_ids) == ids
        assert list(expected.labels) == labels
        assert list(expected.prompt_ids) == instruct.chat_row(tok, drawn.turns)[0]
        assert IGNORED in labels
