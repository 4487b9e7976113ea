"""Preference training: pocket-chat from pocket-instruct, with the product's own training."""

import itertools
from pathlib import Path
from typing import Any

from forkpoint.train.preference import PreferenceJob, PreferencePair, prefer
from recipes.pocket import instruct, talk, tokenizer

SEED = 20_263
RATE = 3e-4
PAIRS_A_STEP = 32
BETA = 0.1
IMITATION = 1.0  # keeps the words of the offer likely, not only likelier than those of its lack


def main(out: Path, steps: int) -> dict[str, Any]:
    """Train and save out/pocket-chat; returns the figures of the run."""
    start, folder = out / "pocket-instruct", out / "pocket-chat"
    tok = tokenizer.load(start)

    def answer_ids(text: str) -> tuple[int, ...]:
        return (*tok.encode(text).ids, instruct.TURN_END)

    pairs = [
        PreferencePair(
            prompt_ids=tuple(instruct.chat_row(tok, preference.turns)[0]),
            chosen_ids=answer_ids(preference.chosen),
            rejected_ids=answer_ids(preference.rejected),
        )
        for preference in itertools.islice(talk.preferences(SEED), steps * PAIRS_A_STEP)
    ]
    order = (range(i, i + PAIRS_A_STEP) for i in range(0, len(pairs), PAIRS_A_STEP))
    result = prefer(
        PreferenceJob(
            checkpoint=str(start),
            pairs=tuple(pairs),
            steps=tuple(tuple(step) for step in order),
            rate=RATE,
            warmup_steps=20,
            beta=BETA,
            imitation=IMITATION,
            seed=SEED,
            dtype="bfloat16",
            folder=str(folder),
        )
    )
    instruct.finish(folder, tokenizer.load(start))
    return {
        "pairs": result.pairs,
        "seconds": round(result.seconds),
        "loss": round(sum(result.losses[-20:]) / 20, 4),
        "margin_nats": round(sum(result.margins[-20:]) / 20, 2),
    }
