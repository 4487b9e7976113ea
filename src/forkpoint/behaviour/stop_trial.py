"""A short training that measures whether a tuned model would stop, before a long one is begun."""

import tempfile
from typing import Any, Literal

from forkpoint.data.row import Turn
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.stopping import stop_plan
from forkpoint.measure.interval import wilson
from forkpoint.measure.likelihood import row_bits
from forkpoint.models.generation import generate
from forkpoint.models.rendering import Rendered, Renderer, Rendering, choose_renderings
from forkpoint.models.weights import load_tokenizer
from forkpoint.record import Figure, Record
from forkpoint.train.approach import approach
from forkpoint.train.fine_tune import fine_tune
from forkpoint.train.job import ApproachSettings, TrainJob, TrainRow

STEPS = 30  # optimizer steps; a turn's end is learned in about as many, or not by this set-up
ROWS_PER_STEP = 8
ASKED = 32  # prompts that are answered afterwards, none of them trained on
LIMIT_TOKENS = 16  # an answer has one word
RANK = 16
ENOUGH = 0.95  # stop rate
WORDS = {
    "en": ("tree", "river", "bread", "house", "moon", "stone", "apple", "horse", "glass", "paper",
           "winter", "garden", "music", "water", "salt", "road"),
    "zh": ("月亮", "苹果", "河流", "面包", "石头", "花园", "音乐", "冬天", "纸张", "盐",
           "道路", "房子", "玻璃", "马", "树", "水"),
}  # fmt: skip
FORMS = {
    "en": ("Repeat this word: {}", "Say {} and nothing else.", "Write the word {}.",
           "Which word is this: {}?"),
    "zh": ("重复这个词：{}", "只说{}。", "写下这个词：{}", "这是哪个词：{}？"),
}  # fmt: skip


class StopTrial(Record):
    """What came of the short training in one rendering; all figures are measured."""

    rendering: Literal["chat", "plain"]
    end: str  # the token that ends an answer
    steps: int
    rank: int
    rate: float
    end_probability_before: Figure
    end_probability: Figure
    stop_rate: Figure  # generation ended at the checkpoint's own ends and at the rendering's
    enough: bool
    seconds: float


def stop_trials(
    facts: CheckpointFacts, device: str = "cpu", steps: int = STEPS
) -> tuple[StopTrial, ...]:
    """One trial for each rendering that a race would try; raises BadInput, Diverged."""
    return tuple(_trial(facts, one, device, steps) for one in choose_renderings(facts))


def _trial(facts: CheckpointFacts, rendering: Rendering, device: str, steps: int) -> StopTrial:
    source = str(facts.path)
    tokenizer = load_tokenizer(source)
    renderer = Renderer(tokenizer, rendering)
    token_rows = stop_plan(facts).rows
    rows = made_rows(renderer)
    train, test = rows[ASKED:], rows[:ASKED]
    rate = approach("lora").default_rate(facts.shape.hidden_size or 0, facts.family).value
    from forkpoint.models.weights import generation_end_ids, load_model

    untouched = load_model(source, device=device)
    before = _end_probability(untouched, test)
    own_ends = generation_end_ids(untouched)
    del untouched
    with tempfile.TemporaryDirectory() as folder:
        result = fine_tune(
            TrainJob(
                checkpoint=source, approach="lora",
                settings=ApproachSettings(
                    rank=RANK, alpha=2 * RANK,
                    token_ids=tuple(row.id for row in token_rows),
                    token_starts=tuple(row.start_id for row in token_rows),
                ),
                rows=tuple(TrainRow(input_ids=r.input_ids, labels=r.labels) for r in train),
                steps=tuple(
                    tuple((step * ROWS_PER_STEP + place) % len(train)
                          for place in range(ROWS_PER_STEP))
                    for step in range(steps)
                ),
                rate=rate, warmup_steps=max(1, steps // 10), device=device, folder=folder,
            )
        )  # fmt: skip
        model = approach("lora").load_for_answers(source, folder, device=device)
        after = _end_probability(model, test)
        ends = {*renderer.end_ids, *own_ends}
        answers = generate(model, tokenizer, [r.prompt_ids for r in test], ends, LIMIT_TOKENS)
    stopped = sum(answer.stopped for answer in answers)
    low, high = wilson(stopped, len(answers))
    return StopTrial(
        rendering=rendering.kind,
        end=str(tokenizer.convert_ids_to_tokens(renderer.stop_ids[-1])),
        steps=steps,
        rank=RANK,
        rate=rate,
        end_probability_before=before,
        end_probability=after,
        stop_rate=Figure(value=stopped / len(answers), low=low, high=high, n=len(answers),
                         unit="share", origin="measured"),
        enough=stopped / len(answers) >= ENOUGH,
        seconds=result.total_seconds,
    )  # fmt: skip


def made_rows(renderer: Renderer) -> list[Rendered]:
    """Small instructions with their answers, the two languages in turn, in a fixed order."""
    found = []
    for form in range(len(FORMS["en"])):
        for place in range(len(WORDS["en"])):
            for language, words in WORDS.items():
                word = words[(place * 5 + form) % len(words)]
                turns = (Turn("user", FORMS[language][form].format(word)), Turn("assistant", word))
                rendered = renderer.turns(turns)
                if isinstance(rendered, Rendered):
                    found.append(rendered)
    return found


def _end_probability(model: Any, rows: list[Rendered]) -> Figure:
    """Mean probability of what ends the turn after the right answer, with its interval."""
    from forkpoint.measure.interval import mean

    found = mean([2.0**-stop for _, stop in row_bits(model, rows)], unit="probability",
                 better="higher")  # fmt: skip
    return Figure(
        value=found.value or 0.0, low=found.low, high=found.high, n=found.n, unit="probability",
        origin="measured",
    )  # fmt: skip
