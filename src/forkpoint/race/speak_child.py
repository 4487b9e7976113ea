"""One prompt put to several arms in turn, each answer written as it grows; a process of its own.

    python -m forkpoint.race.speak_child RUN < request

The request is one JSON object, `Asked`; what comes back is one JSON object a line, `Spoken`.
"""

import os
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from forkpoint.data.row import Turn
from forkpoint.errors import ForkpointError
from forkpoint.ledger import Trial
from forkpoint.record import Record

SAY_SECONDS = 0.08  # between two lines about one answer: as fast as one reads


class Speaker(Record):
    """An arm with its trial, or a checkpoint before any training."""

    name: str
    checkpoint: str
    trial: Trial | None = None


class Asked(Record):
    """A prompt and who is to answer it."""

    system: str | None
    prompt: str
    speakers: tuple[Speaker, ...]
    lang: str = "en"


class Spoken(Record):
    """What one speaker has said so far."""

    arm: str
    text: str = ""
    tokens: int = 0
    done: bool = False
    stopped: bool = False  # it ended the turn itself
    trouble: str | None = None  # why it cannot answer


def main() -> None:
    """Answer the request on stdin; libraries' own talk goes nowhere."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    asked = Asked.from_json(sys.stdin.read())
    for speaker in asked.speakers:
        for spoken in _answer(Path(sys.argv[1]), asked, speaker):
            _write(out, spoken)


def _write(out: IO[str], spoken: Spoken) -> None:
    out.write(spoken.to_json() + "\n")
    out.flush()


def _answer(folder: Path, asked: Asked, speaker: Speaker) -> Iterator[Spoken]:
    """The growing answer of one speaker; its model is gone before the next one is loaded."""
    from forkpoint.models.template import TemplateRefused
    from forkpoint.race.answer_child import load_subject, rendering_of
    from forkpoint.race.arm_rows import ArmRows
    from forkpoint.race.driver import read_agreement

    try:
        rendering = rendering_of(read_agreement(folder), speaker.checkpoint, speaker.trial)
        rows = ArmRows(folder, speaker.checkpoint, rendering)
        turns = [Turn("user", asked.prompt)]
        if asked.system:
            turns.insert(0, Turn("system", asked.system))
        ids = rows.renderer.prompt(turns)
        model = load_subject(folder, rows, speaker.trial)
    except (ForkpointError, TemplateRefused) as error:
        told = error.message(asked.lang) if isinstance(error, ForkpointError) else str(error)
        yield Spoken(arm=speaker.name, trouble=told, done=True)
        return
    limits = rows.limits
    said = Spoken(arm=speaker.name)
    yield said
    last = time.monotonic()
    for written, stopped in greedy(model, ids, limits.stop_ids, limits.max_new_tokens):
        kept = written[:-1] if stopped else written
        text = rows.tokenizer.decode(
            kept, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        said = Spoken(arm=speaker.name, text=text, tokens=len(kept), stopped=stopped)
        if time.monotonic() - last >= SAY_SECONDS:
            last = time.monotonic()
            yield said
    yield said.model_copy(update={"done": True})


def greedy(
    model: Any, prompt: Sequence[int], stop_ids: Collection[int], most: int
) -> Iterator[tuple[list[int], bool]]:
    """The ids written so far, after every token, and whether the last one ends the turn."""
    import torch
    from transformers import DynamicCache

    cache = DynamicCache(config=model.config)
    tokens_B_T = torch.tensor([list(prompt)], dtype=torch.long, device=model.device)
    written: list[int] = []
    with torch.inference_mode():
        for _ in range(most):
            logits_B_1_V = model(
                input_ids=tokens_B_T, past_key_values=cache, use_cache=True, logits_to_keep=1
            ).logits
            written.append(int(logits_B_1_V[0, -1].argmax()))
            stopped = written[-1] in stop_ids
            yield written, stopped
            if stopped:
                return
            tokens_B_T = torch.tensor([[written[-1]]], dtype=torch.long, device=model.device)


if __name__ == "__main__":
    main()
