"""How the three checkpoints behave on held-out prompts: `python -m recipes.pocket.behaviour`."""

import argparse
import json
import math
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from forkpoint.models.generation import Answer, generate
from forkpoint.models.rendering import Renderer, Rendering
from forkpoint.models.weights import load_model, load_tokenizer
from forkpoint.pocket import CHECKPOINTS, checkpoint_path, general_set_path
from recipes.pocket import heldout, talk
from recipes.pocket.instruct import turns
from recipes.pocket.talk import Talk
from recipes.pocket.world import LANGUAGES

PROMPTS = 200  # a kind and language
LIMIT_TOKENS = 80  # the longest right answer has about 60
BASE_TOKENS = 24  # Base is only asked whether it goes on
END_OF_TEXT, TURN_END = 0, 2  # <|endoftext|>, <|im_end|>
OFFER = (  # how a follow-up is offered
    "(?i)(shall i|shall we|would you like|anything else)[^?]*\\?"
    "|(要不要|还需要|还有什么|你还想|你想)[^？]*？"
)
Z = 1.959963984540054  # two-sided 95 %


class Tally(NamedTuple):
    """What came of one kind in one language with one checkpoint."""

    checkpoint: str
    kind: str
    language: str
    n: int
    right: int
    stopped: int
    offered: int


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a share."""
    if n == 0:
        return 0.0, 1.0
    share, square = hits / n, Z * Z
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = Z * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def passes(check: dict[str, Any], text: str) -> bool:
    """Whether an answer keeps the rule of a prompt."""
    kind, value = check["type"], check["value"]
    if kind == "regex":
        return re.search(value, text) is not None
    if kind == "contains":
        return value in text
    if kind == "declines":
        return re.search(value, text) is not None
    if kind == "not_declines":
        return bool(text.strip()) and re.search(value, text) is None
    if kind == "json_keys":
        try:
            found, _ = json.JSONDecoder().raw_decode(text.strip())
        except ValueError:
            return False
        return bool(found == value)
    raise ValueError(f"no such check: {kind}")


def renderer(name: str) -> Renderer:
    """Tuned checkpoints are asked with their template, Base in plain text."""
    rendering = Rendering(kind="plain" if name == "pocket-base" else "chat")
    return Renderer(load_tokenizer(checkpoint_path(name)), rendering)


def answers(name: str, talks: Sequence[Talk], rendered_as: str = "") -> list[Answer]:
    """The greedy answer of a checkpoint to each conversation."""
    model = load_model(checkpoint_path(name))
    render = renderer(rendered_as or name)
    prompts = [render.prompt(turns(drawn.turns)) for drawn in talks]
    # Base in chat form: does it end the turn? Elsewhere either end is one.
    ends = {TURN_END} if rendered_as else {TURN_END, END_OF_TEXT}
    limit = BASE_TOKENS if name == "pocket-base" else LIMIT_TOKENS
    return generate(model, render.tokenizer, prompts, ends, limit, batch_size=64)


def tallies(
    name: str, drawn: Sequence[tuple[int, Talk]], rendered_as: str = ""
) -> tuple[list[Tally], list[str]]:
    """Counts by kind and language, and one wrong answer of each as an example."""
    said = answers(name, [one for _, one in drawn], rendered_as)
    counts: dict[tuple[str, str], list[int]] = {}
    wrong: dict[tuple[str, str], str] = {}
    for (language, one), answer in zip(drawn, said, strict=True):
        key = (one.kind, LANGUAGES[language])
        right = passes(one.check, answer.text)
        row = counts.setdefault(key, [0, 0, 0, 0])
        offered = re.search(OFFER, answer.text) is not None
        for place, hit in enumerate((True, right, answer.stopped, offered)):
            row[place] += hit
        if not right:
            wrong.setdefault(key, f"{key}: {one.turns[-1][1]!r} -> {answer.text!r}")
    found = [Tally(name, kind, language, *row) for (kind, language), row in counts.items()]
    return found, list(wrong.values())


def end_of_turn(name: str, talks: Sequence[Talk]) -> float:
    """The mean probability of the end of the turn after the right answer, asked in ChatML."""
    import torch

    model = load_model(checkpoint_path(name))
    render = renderer("pocket-instruct")
    total = 0.0
    with torch.inference_mode():
        for one in talks:
            prompt = render.prompt(turns(one.turns))
            ids = [*prompt, *render.tokenizer(one.answer, add_special_tokens=False).input_ids]
            logits_V = model(input_ids=torch.tensor([ids]), logits_to_keep=1).logits[0, -1]
            total += float(logits_V.float().softmax(-1)[TURN_END])
    return total / len(talks)


def first_offer(one: Talk) -> str:
    """The first of the follow-ups, in the language of a conversation."""
    english, chinese = talk.phrases()["offer"]["any"][0].split("|")
    return str(english if one.turns[-1][1].isascii() else chinese)


def knowledge(name: str, limit: int | None = None) -> tuple[int, int]:
    """How many multiple-choice questions are answered by the likelier option, and of how many."""
    import torch

    model = load_model(checkpoint_path(name))
    render = renderer(name)
    encode = render.tokenizer
    lines = general_set_path().read_text("utf-8").splitlines()
    records = [record for line in lines if (record := json.loads(line))["kind"] == "knowledge"]
    records = records[:: max(1, len(records) // limit)] if limit else records
    right = 0
    with torch.inference_mode():
        for record in records:
            space = " " if record["language"] == "en" else ""
            scores = []
            for choice in record["choices"]:
                if name == "pocket-base":
                    prompt = encode(record["plain"], add_special_tokens=False).input_ids
                    option = encode(space + choice, add_special_tokens=False).input_ids
                else:
                    asked = [(m["role"], m["content"]) for m in record["messages"]]
                    prompt = list(render.prompt(turns(asked)))
                    option = encode(choice, add_special_tokens=False).input_ids
                logits_T_V = model(input_ids=torch.tensor([[*prompt, *option]])).logits[0]
                logprobs_T_V = logits_T_V[len(prompt) - 1 : -1].float().log_softmax(-1)
                picked = logprobs_T_V[range(len(option)), option]
                scores.append(float(picked.sum()))
            right += scores.index(max(scores)) == record["answer"]
    return right, len(records)


def share(hits: int, n: int) -> str:
    """A share with its interval, in per cent."""
    low, high = wilson(hits, n)
    return f"{100 * hits / n:.0f} ({100 * low:.0f}-{100 * high:.0f})"


def table(found: Sequence[Tally]) -> list[str]:
    """One line a kind and language: right, stopped, offered."""
    lines = [
        "| kind | language | n | right % | ends its turn % | offers more % |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {t.kind} | {t.language} | {t.n} | {share(t.right, t.n)} | {share(t.stopped, t.n)} "
        f"| {share(t.offered, t.n)} |"
        for t in found
    ]
    return lines


ABOUT = """# How the pocket family behaves

Held-out prompts: names, numbers and wordings that the recipe keeps back and never generates, and
three kinds of instruction that it does not know ("new: ..."). Facts of the world (`ask`) and words
to translate must have been seen to be known; there only the wording is new (and, for `translate`,
no instruction ever used the word). Greedy answers of at most {limit} tokens ({base} for Base, which
is only asked whether it goes on); shares in per cent with 95 % Wilson intervals. *Right*: the
answer's first lines are what was asked for (a rule is kept, a request declined or not). Made by
`python -m recipes.pocket.behaviour`.
"""


def main(out: Path, count: int) -> None:
    """Measure everything and write the study."""
    started = time.monotonic()
    drawn = heldout.everything(count)
    lines = [ABOUT.format(limit=LIMIT_TOKENS, base=BASE_TOKENS)]
    sample = [one for _, one in drawn if one.kind not in ("refuse", "comply")][:: len(drawn) // 400]
    lines += [
        "## In short",
        "",
        "| checkpoint | multiple choice % (chance 25) | P(end of turn) after a right answer |",
        "|---|---|---|",
    ]
    for name in CHECKPOINTS:
        right, n = knowledge(name)
        ends = end_of_turn(name, sample)
        lines.append(f"| {name} | {share(right, n)}, n = {n} | {ends:.4f}, n = {len(sample)} |")
    offered = [one._replace(answer=f"{one.answer}\n{first_offer(one)}") for one in sample]
    ends = end_of_turn("pocket-chat", offered)
    lines += [
        "",
        f"pocket-chat goes on to its offer; after answer and offer it ends with {ends:.4f}.",
    ]
    for name in CHECKPOINTS:
        found, wrong = tallies(name, drawn)
        how = "asked in plain text" if name == "pocket-base" else "asked with its chat template"
        lines += ["", f"## {name}, {how}", "", *table(found)]
        if name != "pocket-base":
            lines += ["", "One wrong answer of each kind:", "", "```", *wrong, "```"]
        print(f"{name} done after {time.monotonic() - started:.0f} s", flush=True)
    found, _ = tallies("pocket-base", drawn, rendered_as="pocket-instruct")
    lines += ["", "## pocket-base, asked with the others' chat template", "", *table(found)]
    out.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/studies/pocket-behaviour.md"))
    parser.add_argument("--count", type=int, default=PROMPTS)
    arguments = parser.parse_args()
    main(arguments.out, arguments.count)
