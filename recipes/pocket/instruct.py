"""Supervised fine-tuning: pocket-instruct from pocket-base, with the product's own training."""

import itertools
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forkpoint.data.row import Turn
from forkpoint.models.rendering import IGNORED
from forkpoint.train.fine_tune import fine_tune
from forkpoint.train.job import TrainJob, TrainRow
from recipes.pocket import talk, tokenizer

SEED = 20_262
RATE = 2e-3  # full fine-tuning with AdamW
ROWS_A_STEP = 48
PACK_TOKENS = 512  # one pass; longer ones are slower, attention is over the whole pass
TURN_END = 2  # <|im_end|>
END_IDS = [TURN_END, 0]  # <|im_end|> and <|endoftext|>


def turns(pairs: Sequence[tuple[str, str]]) -> list[Turn]:
    """Turns as the product holds them."""
    return [Turn(role, text) for role, text in pairs]  # type: ignore[arg-type]


def chat_row(
    tok: tokenizer.Tokenizer, pairs: Sequence[tuple[str, str]]
) -> tuple[list[int], list[int]]:
    """A conversation as the product renders it, every answer with its end carrying loss.

    Pieces are encoded one by one, which is fifty times faster than a template; a test holds the
    result to the product's own rendering.
    """
    ids: list[int] = []
    labels: list[int] = []
    for role, text in pairs:
        opening = tok.encode(f"{tokenizer.TURN_START}{role}\n").ids
        said = [*tok.encode(text).ids, TURN_END]
        learned = said if role == "assistant" else [IGNORED] * len(said)
        closing = tok.encode("\n").ids
        ids += opening + said + closing
        labels += [IGNORED] * len(opening) + learned + [IGNORED] * len(closing)
    if pairs[-1][0] == "assistant":
        return ids[: -len(closing)], labels[: -len(closing)]
    opening = tok.encode(f"{tokenizer.TURN_START}assistant\n").ids
    return ids + opening, labels + [IGNORED] * len(opening)


def dressed(base: Path, folder: Path) -> Path:
    """A copy of a checkpoint with the chat template and the end tokens of a tuned one."""
    shutil.copytree(base, folder, dirs_exist_ok=True)
    finish(folder, tokenizer.load(base))
    return folder


def finish(folder: Path, tok: tokenizer.Tokenizer) -> None:
    """Give a folder the tuned checkpoints' tokenizer, template, end tokens and file modes."""
    tokenizer.dress(tok, chat=True).save_pretrained(folder)
    ends = {"eos_token_id": END_IDS, "pad_token_id": 3}
    (folder / "generation_config.json").write_text(json.dumps(ends, indent=2) + "\n")
    config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    config |= {"eos_token_id": 2, "dtype": "bfloat16"}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "model.safetensors").chmod(0o644)


def main(out: Path, steps: int) -> dict[str, Any]:
    """Train and save out/pocket-instruct; returns the figures of the run."""
    base = out / "pocket-base"
    start = dressed(base, out / "instruct-start")
    tok = tokenizer.load(base)
    rows = []
    for conversation in itertools.islice(talk.instruct_talks(SEED), steps * ROWS_A_STEP):
        ids, labels = chat_row(tok, [*conversation.turns, ("assistant", conversation.answer)])
        rows.append(TrainRow(input_ids=tuple(ids), labels=tuple(labels)))
    order = [range(i, i + ROWS_A_STEP) for i in range(0, len(rows), ROWS_A_STEP)]

    def show(progress: Any) -> None:
        if progress.step % 20 == 0:
            print(
                f"step {progress.step} loss {progress.loss:.4f} {progress.seconds:.0f} s",
                flush=True,
            )

    result = fine_tune(
        TrainJob(
            checkpoint=str(start),
            approach="full",
            rows=tuple(rows),
            steps=tuple(tuple(step) for step in order),
            rate=RATE,
            schedule="cosine",
            warmup_steps=50,
            seed=SEED,
            dtype="bfloat16",
            context_tokens=512,
            pack_tokens=PACK_TOKENS,
            folder=str(out / "pocket-instruct"),
        ),
        show,
    )
    folder = out / "pocket-instruct"
    finish(folder, tokenizer.load(base))
    (folder / "train.json").unlink()
    shutil.rmtree(start)
    return {
        "rows": result.rows,
        "tokens": result.tokens,
        "trained_tokens": result.trained_tokens,
        "trained_share": round(
            1 - sum(row.labels.count(IGNORED) for row in rows) / result.tokens, 3
        ),
        "seconds": round(result.total_seconds),
        "loss": round(sum(result.losses[-50:]) / 50, 4),
    }
