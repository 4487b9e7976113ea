"""The four tables behind docs/studies/stage-rows.md, from the grid, the bank and brute force.

Every line becomes a point: one arm of one task and size with one seed. Intervals are Student's
over seeds, of paired differences. A seed draws the rows, their order and the adapters; in the bank
the rows are the same for all seeds.
"""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from bank import unpacked
from pocket_trial import paired

from forkpoint.ledger import Measured
from forkpoint.measure.interval import paired_rates

STAGES = ("base", "instruct", "chat")
TEST = 300  # rows of the grid
MARGIN = 0.02  # of the score; the default of a race
ENOUGH_OF_FULL = 0.95  # [D2]
RACE_ROWS, RACE_VISITS = 650, 244 * 8  # that brute force trained on [pocket-races.md]
UNTRAINED = "untrained"
FEWEST = 3  # seeds for an interval: two may agree by chance to the last digit
FEW = {1: "one seed", 2: "two seeds"}
FACTORS = (0.333, 1.0, 3.0)  # of the centre of a race's bracket
NOT_LEARNABLE = "even"  # a coin: says nothing about stages
ABILITIES = ("knowledge", "instruction", "system", "two_turn")  # those that Instruct has
ALL = "all four"
Lines = Sequence[dict[str, Any]]


class Setting(NamedTuple):
    """A task with a number of rows and how often rows were seen, and who trained it."""

    source: str
    task: str
    rows: int
    visits: int  # rows x passes


class Point(NamedTuple):
    """The test score of one arm with one seed."""

    setting: Setting
    stage: str
    approach: str
    seed: int
    score: float
    right: tuple[bool, ...] = ()  # exact or not, row by row, where it was kept
    bits: float | None = None  # a byte of the expected answers, where it was kept


class Before(NamedTuple):
    """A checkpoint that was not tuned, on the rows of a task: higher is better in all."""

    score: float
    likelihood: float  # minus answer bits per byte
    choice: float | None  # share of rows whose right label is the likeliest


def borrowed(bank: Lines, races: Lines) -> list[dict[str, Any]]:
    """Trainings of the bank of curves and of brute force on tickets, as lines of the grid.

    The bank's arms are trained at the centre of their bracket with a new seed on the same rows;
    brute force's at the best rate of each bracket, and a seed draws the rows anew.
    """
    from bank_tasks import SETTINGS

    passes = {one.name: one.passes for one in SETTINGS}
    found: list[dict[str, Any]] = []
    for line in bank:
        if line.get("task", NOT_LEARNABLE) == NOT_LEARNABLE:
            continue
        stage, _, approach = line["arm"].partition(".")
        about = {"source": "bank", "task": line["task"], "stage": stage, "approach": approach,
                 "seed": line["seed"]}  # fmt: skip
        if approach == UNTRAINED:
            seen = line["cells"][0]["validation"]
            told = {"score": seen["score"], "bits": seen["bits_per_byte"]}
            found.append({**about, "rows": 0, **told})
        for cell in line["cells"]:
            if "test" in cell:
                told = {"score": cell["test"]["score"], "bits": cell["test"]["bits_per_byte"]}
                visits = round(passes[line["setting"]] * line["rows"])
                found.append({**about, "rows": line["rows"], "visits": visits, **told})
    for line in races:
        if line["set"] == "tickets":
            for arm, score in line["test"].items():
                stage, _, approach = arm.removeprefix("pocket-").partition(".")
                found.append(
                    {"source": "races", "task": "tickets", "stage": stage, "approach": approach,
                     "seed": line["seed"], "rows": RACE_ROWS, "visits": RACE_VISITS,
                     "score": round(score, 4)}
                )  # fmt: skip
    return found


def points(lines: Lines) -> list[Point]:
    """All trained arms, without the edges of brackets."""
    found = []
    for x in lines:
        if x["rows"] and x.get("factor", 1.0) == 1.0:
            setting = Setting(x["source"], x["task"], x["rows"], x["visits"])
            right = tuple(unpacked(x["right"], TEST).tolist()) if "right" in x else ()
            about = (x["stage"], x["approach"], x["seed"], x["score"])
            found.append(Point(setting, *about, right, x.get("bits")))
    return found


def before(lines: Lines) -> dict[tuple[str, str, str], Before]:
    """(source, task, stage) -> the first look at the checkpoint as it came."""
    found: dict[tuple[str, str, str], Before] = {}
    for x in lines:
        if not x["rows"]:
            now = Before(x["score"], -x["bits"], x.get("choice"))
            found.setdefault((x["source"], x["task"], x["stage"]), now)
    return found


def settings(every: Iterable[Point]) -> list[Setting]:
    """By source and task, smallest first."""
    return sorted({one.setting for one in every})


def differences(
    every: Sequence[Point], setting: Setting, approach: str, stage: str
) -> tuple[list[float], Measured | None]:
    """A stage minus Base with this approach: by seed, and over the rows of a seed that is alone."""
    mine = [x for x in every if x.setting == setting and x.approach == approach]
    first, second = ({x.seed: x for x in mine if x.stage == one} for one in ("base", stage))
    seeds = sorted(first.keys() & second.keys())
    over_rows = None
    if len(seeds) == 1 and first[seeds[0]].right and second[seeds[0]].right:
        over_rows = paired_rates(
            list(zip(first[seeds[0]].right, second[seeds[0]].right, strict=True))
        )
    return [second[seed].score - first[seed].score for seed in seeds], over_rows


def verdict(low: float, high: float) -> str:
    """What an interval of a difference allows to say, with the margin of a race."""
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    if low > -MARGIN and high < MARGIN:
        return "equal enough"
    return "cannot be told"


def told(given: Sequence[float], over_rows: Measured | None = None) -> str:
    """A mean difference with interval, n and verdict; one or two seeds decide nothing."""
    if not given:
        return "-"
    middle, low, high = paired(given)
    if over_rows is not None:
        width = f"{over_rows.low:+.3f} to {over_rows.high:+.3f}"
        return f"{middle:+.3f}, one seed (exact, over rows {width})"
    if len(given) < FEWEST:
        return f"{middle:+.3f}, {FEW[len(given)]}"
    return f"{middle:+.3f} ({low:+.3f} to {high:+.3f}), n = {len(given)}, {verdict(low, high)}"


def mean_of(every: Sequence[Point], setting: Setting, stage: str, approach: str) -> str:
    """Mean score of an arm and its number of seeds."""
    scores = [
        x.score
        for x in every
        if (x.setting, x.stage, x.approach) == (setting, stage, approach)
    ]  # fmt: skip
    return f"{fmean(scores):.3f}" if scores else "-"


def show_stages(every: Sequence[Point]) -> None:
    """Rows x stage: where do the curves cross?"""
    print("| source | task | rows | row visits | approach | Base | Instruct | Chat |"
          " Instruct minus Base | Chat minus Base |\n" + "|---" * 10 + "|")  # fmt: skip
    for setting in settings(every):
        for approach in ("lora", "full"):
            means = " | ".join(mean_of(every, setting, stage, approach) for stage in STAGES)
            gaps = [told(*differences(every, setting, approach, stage)) for stage in STAGES[1:]]
            cells = (
                setting.source,
                setting.task,
                str(setting.rows),
                str(setting.visits),
                approach,
                means,
                *gaps,
            )
            print("| " + " | ".join(cells) + " |")


def show_bits(every: Sequence[Point]) -> None:
    """The same in bits a byte of the right answers, which have no ceiling; below 0 is better."""
    print("\n| source | task | rows | row visits | approach | Base | Instruct minus Base |"
          " Chat minus Base |\n" + "|---" * 8 + "|")  # fmt: skip
    for setting in settings(every):
        for approach in ("lora", "full"):
            mine = [x for x in every if (x.setting, x.approach) == (setting, approach)]
            bits = {(x.stage, x.seed): x.bits for x in mine if x.bits is not None}
            base = [bits[key] for key in bits if key[0] == "base"]
            if not base:
                continue
            gaps = [
                told_plainly(
                    [
                        bits[s, n] - bits["base", n]
                        for s, n in bits
                        if s == stage and ("base", n) in bits
                    ]
                )
                for stage in STAGES[1:]
            ]
            cells = [*map(str, setting), approach, f"{fmean(base):.3f}", *gaps]
            print("| " + " | ".join(cells) + " |")


def told_plainly(given: Sequence[float]) -> str:
    """A mean difference with interval and n, without a verdict: no margin is agreed on."""
    if not given:
        return "-"
    middle, low, high = paired(given)
    if len(given) < FEWEST:
        return f"{middle:+.3f}, {FEW[len(given)]}"
    return f"{middle:+.3f} ({low:+.3f} to {high:+.3f}), n = {len(given)}"


def pairs_of(every: Sequence[Point], setting: Setting) -> list[tuple[int, float, float]]:
    """Seed, score by LoRA and score in full, of every stage and seed that has both."""
    lora, full = (
        {(x.stage, x.seed): x.score for x in every if (x.setting, x.approach) == (setting, name)}
        for name in ("lora", "full")
    )
    return [(key[1], lora[key], full[key]) for key in sorted(lora.keys() & full.keys())]


def approach_differences(every: Sequence[Point], setting: Setting, share: float) -> list[float]:
    """By seed: LoRA minus `share` of full, the mean over stages."""
    by_seed: dict[int, list[float]] = {}
    for seed, lora, full in pairs_of(every, setting):
        by_seed.setdefault(seed, []).append(lora - share * full)
    return [fmean(one) for one in by_seed.values()]


def show_approaches(every: Sequence[Point]) -> None:
    """LoRA against full by rows: means over the stages that a seed has both of."""
    print("| source | task | rows | row visits | LoRA | full | LoRA of full | LoRA minus full |"
          " LoRA minus .95 full |\n|---|---|---|---|---|---|---|---|---|")  # fmt: skip
    for setting in settings(every):
        both = pairs_of(every, setting)
        if not both:
            continue
        lora, full = fmean(one[1] for one in both), fmean(one[2] for one in both)
        gaps = [
            told(approach_differences(every, setting, share)) for share in (1.0, ENOUGH_OF_FULL)
        ]
        part = f"{lora / full:.0%}" if full else "-"
        cells = [*map(str, setting), f"{lora:.3f}", f"{full:.3f}", part, *gaps]
        print("| " + " | ".join(cells) + " |")


def show_forgetting(grid: Lines) -> None:
    """General ability before, and after each approach, of the tuned checkpoints and of Base."""
    print("| stage | ability | before | after LoRA | after full | LoRA minus before, by cell |"
          " LoRA minus full, by cell |\n" + "|---" * 7 + "|")  # fmt: skip
    for stage in STAGES:
        for kind in ABILITIES[:1] if stage == "base" else (*ABILITIES, ALL):
            start = [share_right(x, kind) for x in grid if not x["rows"] and x["stage"] == stage]
            after = kept(grid, stage, kind)
            if after and start:
                lora, full = fmean(one[0] for one in after), fmean(one[1] for one in after)
                lost = told([one[0] - start[0] for one in after])
                gaps = told([one[0] - one[1] for one in after])
                means = f"{start[0]:.2f} | {lora:.2f} | {full:.2f}"
                print(f"| {stage} | {kind} | {means} | {lost} | {gaps} |")


def kept(grid: Lines, stage: str, kind: str) -> list[tuple[float, float]]:
    """Ability after LoRA and after full on the same rows, for as long, with the same seed."""
    cells: dict[tuple[str, int, int, int], dict[str, float]] = {}
    for x in grid:
        if x["rows"] and x["stage"] == stage and x["factor"] == 1.0:
            key = (x["task"], x["rows"], x["visits"], x["seed"])
            cells.setdefault(key, {})[x["approach"]] = share_right(x, kind)
    return [(one["lora"], one["full"]) for one in cells.values() if len(one) == 2]


def show_rates(grid: Lines) -> None:
    """Scores along the bracket, and below them Instruct minus Base, each at its best rate of it."""
    print(
        "| task | rows | approach | stage | a third | centre | three times |\n" + "|---" * 7 + "|"
    )
    found: dict[tuple[str, int, str, str], dict[float, float]] = {}
    for x in grid:
        if x["rows"] and x["seed"] == 0 and x["longer"] == 1:
            key = (x["task"], x["rows"], x["approach"], x["stage"])
            found.setdefault(key, {})[x["factor"]] = x["score"]
    whole = {key: one for key, one in found.items() if len(one) == len(FACTORS)}
    for key, one in sorted(whole.items()):
        print("| " + " | ".join([*map(str, key), *(f"{one[f]:.3f}" for f in FACTORS)]) + " |")
    print()
    for task, rows, approach, stage in sorted(whole):
        base = whole.get((task, rows, approach, "base"))
        if stage == "instruct" and base:
            best = max(whole[task, rows, approach, stage].values()) - max(base.values())
            print(f"- {task}, {rows} rows, {approach}: Instruct minus Base {best:+.3f}")


def share_right(line: dict[str, Any], kind: str) -> float:
    """Right answers of a kind of ability, or of all four."""
    kinds = ABILITIES if kind == ALL else (kind,)
    right = sum(line["general"][one][0] for one in kinds)
    return float(right / sum(line["general"][one][1] for one in kinds))


def show(which: str, lines: Lines) -> None:
    """Print one of the four tables."""
    every = points(lines)
    if which == "a":
        show_stages(every)
        show_bits(every)
    elif which == "b":
        show_approaches(every)
    elif which == "rates":
        show_rates([x for x in lines if "general" in x])
    elif which == "c":
        show_forgetting([x for x in lines if "general" in x])
    else:
        from stage_ranks import show_ranks

        show_ranks(every, before(lines))
