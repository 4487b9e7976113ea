"""Where a tuned Base does not stop, and what mends it; resumes where it stopped.

    python benchmarks/stopping.py --checkpoint pocket --out runs/stopping
    python benchmarks/stopping.py --checkpoint gemma --out runs/stopping [--show]
    python benchmarks/stopping.py --out runs/stopping --pack docs/studies/stopping.jsonl

One cell is layers x rank x steps x rate of a LoRA on the bundled tickets; a cell is one line of
OUT/CHECKPOINT.jsonl. Set-ups in a cell:

- naive: a chat template whose turn tokens the Base never saw, rows of the matrices frozen
- plain: a plain-text template that ends in the tokenizer's EOS
- rows: the chat template, its token rows trained as well, from a start of their own
- rows-as-found: the same, from where pre-training left them (does the start matter? pocket only)
- plain-row: plain, the row of EOS trained as well
- masked: plain, the end without loss, as when padding is EOS and masked (cause b)
- tuned: naive on the tuned sibling, whose template is trained (pocket only)

Every set-up answers the same test prompts greedily, ended at EOS alone (what generation_config
of the Base says) and at all ends of the rendering (`aligned`). Remedies run where naive fails.
"""

import argparse
import itertools
import json
import math
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from forkpoint.data import Row, bundled, load, split
from forkpoint.measure.interval import paired_rates, rate
from forkpoint.measure.likelihood import row_bits
from forkpoint.models.generation import Answer, generate
from forkpoint.models.rendering import Rendered, Renderer, Rendering
from forkpoint.models.weights import load_tokenizer
from forkpoint.pocket import checkpoint_path
from forkpoint.train.approach import approach
from forkpoint.train.fine_tune import fine_tune
from forkpoint.train.job import ApproachSettings, TrainJob, TrainRow

ENOUGH = 0.95  # stop rate that a remedy must reach
ROWS_PER_STEP = 8
CHATML = (
    "{%- for message in messages -%}{{- '<|im_start|>' + message['role'] + '\\n' + "
    "message['content'] + '<|im_end|>\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
GEMMA = (  # what Google publishes for the tuned siblings, system turns left out
    "{{ bos_token }}{%- for message in messages -%}"
    "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else message['role']) }}\n"
    "{{ message['content'] }}<end_of_turn>\n{% endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%}"
)


class Family(NamedTuple):
    """A Base, the template it is given, and the cells to look at."""

    base: str
    tuned: str | None
    template: str
    openers: tuple[str, ...]
    end: str
    ranks: tuple[int, ...]
    steps: tuple[int, ...]
    rates: tuple[float, ...]
    test_rows: int
    limit_tokens: int  # of an answer; the longest label has fewer than half
    remedies: tuple[str, ...]  # tried in every cell in which naive fails
    own_ends: bool  # answered a second time with generation ended at EOS alone
    masked: bool  # cause b as well


def family(name: str) -> Family:
    """What is looked at; Gemma's folder is FORKPOINT_REAL/gemma-3-270m-base."""
    if name == "pocket":
        base, tuned = (str(checkpoint_path(f"pocket-{one}")) for one in ("base", "instruct"))
        return Family(base, tuned, CHATML, ("<|im_start|>",), "<|im_end|>",
                      (4, 16), (30, 120, 400), (3e-3, 1e-3), 150, 24,
                      ("rows", "plain", "plain-row", "rows-as-found", "tuned"),
                      True, True)  # fmt: skip
    folder = Path(os.environ.get("FORKPOINT_REAL", ".real")) / "gemma-3-270m-base"
    return Family(str(folder), None, GEMMA, ("<start_of_turn>",), "<end_of_turn>",
                  (4, 16), (25, 75), (1e-3, 2e-4), 100, 12, ("rows", "plain"),
                  False, False)  # fmt: skip


class Cell(NamedTuple):
    """One training."""

    targets: str
    rank: int
    steps: int
    rate: float
    setup: str
    seed: int

    @property
    def place(self) -> tuple[Any, ...]:
        """The cell without its set-up."""
        return (self.targets, self.rank, self.steps, self.rate, self.seed)


def cells(kind: Family, seeds: int) -> Iterator[Cell]:
    """Naive cells, the quick ones first."""
    for seed, rate_, steps in itertools.product(range(seeds), kind.rates, kind.steps):
        for targets, rank in itertools.product(("attention", "all-linear"), kind.ranks):
            yield Cell(targets, rank, steps, rate_, "naive", seed)


def rendered(kind: Family, setup: str, rows: list[Row]) -> tuple[Any, Renderer, list[Rendered]]:
    """Tokenizer, renderer and rows of a set-up; every row must be usable."""
    chat = setup in ("naive", "rows", "rows-as-found", "tuned")
    tokenizer = load_tokenizer(kind.tuned if setup == "tuned" and kind.tuned else kind.base)
    tokenizer.chat_template = kind.template
    renderer = Renderer(tokenizer, Rendering(kind="chat" if chat else "plain"))
    found = [renderer.row(row) for row in rows]
    kept = [row for row in found if isinstance(row, Rendered)]
    if len(kept) != len(found):
        raise SystemExit(f"{len(found) - len(kept)} rows cannot be rendered")
    return tokenizer, renderer, kept


def run(
    kind: Family, cell: Cell, train: list[Row], test: list[Row], folder: Path
) -> dict[str, Any]:
    """Train one cell, let it answer, and measure."""
    begin = time.monotonic()
    tokenizer, renderer, rows = rendered(kind, cell.setup, train)
    source = kind.tuned if cell.setup == "tuned" and kind.tuned else kind.base
    ids: tuple[int, ...] = ()
    starts: tuple[int | None, ...] = ()
    if cell.setup == "plain-row":
        ids, starts = (tokenizer.eos_token_id,), (tokenizer.eos_token_id,)
    if cell.setup.startswith("rows"):
        names = [*kind.openers, kind.end]
        ids = tuple(tokenizer.convert_tokens_to_ids(name) for name in names)
        if cell.setup == "rows":
            starts = (*(None for _ in kind.openers), tokenizer.eos_token_id)
    order = [
        [(step * ROWS_PER_STEP + place + cell.seed * 101) % len(rows)
         for place in range(ROWS_PER_STEP)]
        for step in range(cell.steps)
    ]  # fmt: skip
    used = sorted({row for step in order for row in step})
    where = {row: place for place, row in enumerate(used)}
    made = [train_row(rows[row], cell.setup) for row in used]
    result = fine_tune(
        TrainJob(
            checkpoint=source, approach="lora",
            settings=ApproachSettings(rank=cell.rank, alpha=2 * cell.rank, targets=cell.targets,
                                      token_ids=ids, token_starts=starts),
            rows=tuple(made), steps=tuple(tuple(where[row] for row in step) for step in order),
            rate=cell.rate, warmup_steps=max(1, cell.steps // 20), seed=cell.seed,
            folder=str(folder),
        )
    )  # fmt: skip
    model = approach("lora").load_for_answers(source, folder)
    _, _, asked = rendered(kind, cell.setup, test)
    ends = {"aligned": renderer.end_ids}
    if kind.own_ends:
        ends["own"] = (int(tokenizer.eos_token_id),)
    if cell.setup == "tuned":
        ends["own"] = ends["aligned"]
    answers = answered(model, tokenizer, asked, ends, kind.limit_tokens)
    stops = [stop for _, stop in row_bits(model, asked)]
    return {
        **cell._asdict(), "n": len(asked), "loss": result.losses[-1],
        "end_probability": sum(2**-bits for bits in stops) / len(stops),
        **{f"stopped_{name}": [answer.stopped for answer in found]
           for name, found in answers.items()},
        "right": [first_line(answer.text, kind) == row.answer
                  for answer, row in zip(answers["aligned"], asked, strict=True)],
        "empty": sum(not first_line(answer.text, kind) for answer in answers["aligned"]),
        "seconds": round(time.monotonic() - begin, 1),
    }  # fmt: skip


def answered(
    model: Any, tokenizer: Any, asked: list[Rendered], ends: dict[str, tuple[int, ...]], limit: int
) -> dict[str, list[Answer]]:
    """The answers under each set of ends; equal sets are answered once."""
    found: dict[str, list[Answer]] = {}
    for name, stop_ids in ends.items():
        same = next((one for one in found if set(ends[one]) == set(stop_ids)), None)
        prompts = [row.prompt_ids for row in asked]
        found[name] = found[same] if same else generate(
            model, tokenizer, prompts, stop_ids, limit
        )  # fmt: skip
    return found


def first_line(text: str, kind: Family) -> str:
    """What a reader would take as the answer: up to the first line end or turn token."""
    for mark in (*kind.openers, kind.end, "\n"):
        text = text.lstrip().partition(mark)[0]
    return text.strip()


def train_row(row: Rendered, setup: str) -> TrainRow:
    """A row as it is trained; `masked` takes the loss off what ends the turn."""
    labels = list(row.labels)
    if setup == "masked":
        labels[-len(row.stop_ids) :] = [-100] * len(row.stop_ids)
    return TrainRow(input_ids=row.input_ids, labels=tuple(labels))


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", choices=("pocket", "gemma"), default="pocket")
    parser.add_argument("--out", type=Path, default=Path("runs/stopping"))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print what is there, run nothing")
    parser.add_argument("--pack", type=Path, help="counts of every cell as a small file")
    given = parser.parse_args()
    if given.pack:
        pack(given.out, given.pack)
        return
    kind = family(given.checkpoint)
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / f"{given.checkpoint}.jsonl"
    done = read(path)
    if not given.show:
        rows = split(load(str(bundled("tickets"))).rows, seed=0)
        test = [*rows.test][: kind.test_rows]
        for cell in wanted(kind, path, given.seeds):
            with tempfile.TemporaryDirectory() as folder:
                line = run(kind, cell, [*rows.train], test, Path(folder))
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        done = read(path)
    show(list(done.values()), kind)


def wanted(kind: Family, path: Path, seeds: int) -> Iterator[Cell]:
    """What is not done yet: naive cells of a rate and length, then remedies where they failed."""
    every = list(cells(kind, seeds))
    for place in itertools.product(range(seeds), kind.rates, kind.steps):
        naive = [cell for cell in every if (cell.seed, cell.rate, cell.steps) == place]
        yield from (cell for cell in naive if cell not in read(path))
        for setup, cell in itertools.product(kind.remedies, naive):
            failed = share(read(path)[cell]["stopped_aligned"]) < ENOUGH
            if failed and cell._replace(setup=setup) not in read(path):
                yield cell._replace(setup=setup)
    if not kind.masked:
        return
    for seed, targets in itertools.product(range(seeds), ("attention", "all-linear")):
        masked = Cell(targets, kind.ranks[-1], kind.steps[-1], kind.rates[0], "masked", seed)
        if masked not in read(path):
            yield masked


def read(path: Path) -> dict[Cell, dict[str, Any]]:
    """The finished cells; a torn last line is dropped."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        found[Cell(*(value[name] for name in Cell._fields))] = value
    return found


def pack(folder: Path, target: Path) -> None:
    """Counts of every finished cell, one line each."""
    lines = []
    for name in ("pocket", "gemma"):
        for cell, line in sorted(read(folder / f"{name}.jsonl").items()):
            counts = {
                key: sum(line[key])
                for key in ("stopped_aligned", "stopped_own", "right")
                if key in line
            }
            kept = {"checkpoint": name, **cell._asdict(), "n": line["n"], **counts}
            kept |= {
                "empty": line["empty"],
                "end_probability": float(f"{line['end_probability']:.3g}"),
            }
            lines.append(json.dumps(kept))
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def share(hits: list[bool]) -> float:
    """Part of the answers."""
    return math.fsum(hits) / len(hits)


def show(lines: list[dict[str, Any]], kind: Family) -> None:
    """Tables in Markdown: naive, then each remedy beside the naive cell that it mends."""
    by_cell = {Cell(*(line[name] for name in Cell._fields)): line for line in lines}
    print("| layers | rank | steps | rate | set-up | stops, own ends % | stops, aligned % | "
          "P(end) | right % | right minus naive | empty |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for cell, line in sorted(by_cell.items(), key=lambda item: (*item[0].place, item[0].setup)):
        naive = by_cell.get(cell._replace(setup="naive"))
        gain = ""
        if naive is not None and cell.setup not in ("naive", "masked"):
            pairs = list(zip(naive["right"], line["right"], strict=True))
            found = paired_rates(pairs)
            gain = (
                f"{100 * (found.value or 0):+.0f} ({100 * found.low:.0f} to {100 * found.high:.0f})"
            )
        own = told(line["stopped_own"]) if "stopped_own" in line else "–"
        print(
            f"| {cell.targets} | {cell.rank} | {cell.steps} | {cell.rate:g} | {cell.setup} | "
            f"{own} | {told(line['stopped_aligned'])} | "
            f"{line['end_probability']:.3f} | {told(line['right'])} | {gain} | {line['empty']} |"
        )


def told(hits: list[bool]) -> str:
    """A share in per cent with its interval."""
    found = rate(hits)
    return f"{100 * (found.value or 0):.0f} ({100 * found.low:.0f}-{100 * found.high:.0f})"


if __name__ == "__main__":
    main()
