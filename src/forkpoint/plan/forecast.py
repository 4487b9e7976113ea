"""How long a race will take: one model for the plan, for every trial, and for the bar."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple

from forkpoint.ledger import ArmPlan, Correction, RungPlan, Settings, Speed

STATIONS = ("untrained", "bracket", "racing", "finishing", "test", "general")
RESERVE_SHARE = 0.9  # of the budget at most kept for full lengths and seeds [docs/studies/bank.md]
FOLDS_RESERVE_SHARE = 0.6  # the same where every row is tested once: folds decide what n is
WIDENINGS = 0.45  # trials an arm that widen a bracket, on average [docs/studies/time.md]
RACING_SHARE = 0.85  # of full length, the mean trial of the racing [docs/studies/time.md]
RACING_LEFT = 0.5  # trials' worth of tokens left over at the end of the racing, on average
RESERVE_SPENT = 0.95  # share of the reserve that is spent, on average [docs/studies/time.md]
LEADERS = 2  # arms brought to full length and repeated with further seeds
FEWEST_FULL = 2  # full lengths: a reserve that pays for fewer compares nobody, and is raced instead
FINALISTS = 3  # arms whose test answers are taken, usually
ALONE_ROWS = 8  # answered one by one, to time an answer that nobody shares a batch with
ALONE_SECONDS = 20.0  # after which no further one is begun
GENERAL_SPANS = 200  # choices of the questions about general ability that are scored
GENERAL_ASKED = 250  # questions that are answered
DRIFT_ASKED = 30  # general prompts that the start answers, before both are compared on them
TASK_SPANS = 800  # choices of a retained task that are scored: 200 questions of four
GENERAL_TOKENS = 24  # after which most of a batch of untuned answers has ended [the same study]


class Asking(NamedTuple):
    """One way to ask an untrained checkpoint."""

    checkpoint: str
    arm: str
    longer: float  # its prompts over the rows' own


class Course(NamedTuple):
    """What a race will run over, before its budget is known."""

    arms: Sequence[ArmPlan]
    rungs: Sequence[RungPlan]
    settings: Settings
    speeds: Mapping[str, Speed]  # by checkpoint
    limits: Mapping[str, int]  # checkpoint -> tokens of an untuned checkpoint's answer
    rung_rows: int
    test_rows: int
    corrections: Mapping[str, Correction] = {}
    asking: Sequence[Asking] = ()  # none: every checkpoint is asked once, as it is
    racing_at_once: int = 1  # trials of the racing that run side by side [EnginePlan.parallel]


def answer_seconds(speed: Speed, rows: int, tokens: int, longer: float = 1.0) -> float:
    """A child that loads weights, scores the rows' likelihood and answers them.

    `longer`: its prompts over the rows' own; the likelihood of longer ones is not scored.
    """
    batches = ceil(rows / speed.answer_batch)
    reading = longer * speed.answer_prompt_seconds
    answering = batches * (reading + tokens * speed.answer_step_seconds)
    return (
        speed.start_seconds
        + speed.load_seconds
        + (rows * speed.score_row_seconds if longer <= 1.0 else 0.0)
        + speed.answer_warmup_seconds
        + answering
    )


def alone_seconds(speed: Speed, tokens: int) -> float:
    """Timing a few answers asked by themselves; 0 where the speed probe did not look."""
    if speed.alone_prompt_seconds is None or speed.alone_step_seconds is None:
        return 0.0
    each = speed.alone_prompt_seconds + tokens * speed.alone_step_seconds
    return min(ALONE_ROWS * each, ALONE_SECONDS + each)


def answers_per_second(speed: Speed) -> float:
    """Prompts that a tuned checkpoint answers in a second, once it is loaded."""
    batch = speed.answer_prompt_seconds + speed.answer_tokens * speed.answer_step_seconds
    return speed.answer_batch / max(batch, 1e-6)


def trial_seconds(
    speed: Speed, approach: str, tokens: float, rows: int, correction: Correction | None = None
) -> float:
    """A child that trains on so many tokens and answers so many rows."""
    training = speed.setup_seconds[approach] + tokens / speed.train_tokens_per_second[approach]
    factor = correction.factor if correction else 1.0
    return factor * (training + answer_seconds(speed, rows, speed.answer_tokens))


def general_seconds(speed: Speed, tokens: int) -> float:
    """A child that answers the questions about general ability with so many tokens each."""
    answered = answer_seconds(speed, GENERAL_ASKED, tokens)
    return answered + (GENERAL_SPANS - GENERAL_ASKED) * speed.score_row_seconds


def drift_seconds(speed: Speed) -> float:
    """A child that has the start answer general prompts, and scores them with the tuned one."""
    answered = answer_seconds(speed, DRIFT_ASKED, GENERAL_TOKENS)
    return answered + speed.load_seconds + DRIFT_ASKED * speed.score_row_seconds


def reserve_tokens(
    arms: Sequence[ArmPlan], rungs: Sequence[RungPlan], settings: Settings, budget_tokens: float
) -> float:
    """What is kept of a budget, after every arm's bracket, for full lengths and further seeds."""
    full = float(arms[0].full_tokens)
    left = budget_tokens - opening_tokens(arms, rungs, settings) - len(arms)  # rounding, at most
    share = FOLDS_RESERVE_SHARE if settings.folds else RESERVE_SHARE
    return reserve_of(left, share * budget_tokens, full, 1 + settings.repeats)


def comparing_tokens(
    arms: Sequence[ArmPlan], rungs: Sequence[RungPlan], settings: Settings
) -> float:
    """The smallest budget whose reserve takes two arms to full length."""
    share = FOLDS_RESERVE_SHARE if settings.folds else RESERVE_SHARE
    full = FEWEST_FULL * float(arms[0].full_tokens)
    return max(full / share, opening_tokens(arms, rungs, settings) + len(arms) + full)


def reserve_of(left: float, most: float, full: float, seeds: int) -> float:
    """At most every seed of the leaders; nothing where that would not compare two arms."""
    reserve = min(LEADERS * seeds * full, most, left)
    return reserve if reserve >= FEWEST_FULL * full else 0.0


def opening_tokens(arms: Sequence[ArmPlan], rungs: Sequence[RungPlan], settings: Settings) -> float:
    """The brackets of all arms at the first rung, counted as the engine does: a rung is so many
    whole tokens of the first arm, and another arm's trial costs in proportion.
    """
    full = max(1, arms[0].full_tokens)
    each = max(1, round(rungs[0].share * full)) * len(settings.rate_factors)
    return each * sum(arm.full_tokens / full * len(arm.renderings) for arm in arms)


def forecast(course: Course, budget_tokens: float) -> dict[str, float]:
    """Seconds of every station of a race with this budget, in the order of `STATIONS`."""
    settings, at_once = course.settings, course.settings.workers
    reserve = reserve_tokens(course.arms, course.rungs, settings, budget_tokens)
    first = [_trial(course, arm, course.rungs[0].share) for arm in course.arms]
    tries = [len(settings.rate_factors) * len(arm.renderings) + WIDENINGS for arm in course.arms]
    opening = opening_tokens(course.arms, course.rungs, settings)
    widening = WIDENINGS * course.rungs[0].share * sum(arm.full_tokens for arm in course.arms)
    free = max(0.0, budget_tokens - reserve - opening - widening)
    mean_full = sum(arm.full_tokens for arm in course.arms) / len(course.arms)
    final_trials = (1.0 if settings.folds else RESERVE_SPENT) * reserve / mean_full
    middle = sum(_trial(course, arm, RACING_SHARE) for arm in course.arms) / len(course.arms)
    last = sum(_trial(course, arm, 1.0) for arm in course.arms) / len(course.arms)
    bracket = sum(seconds * count for seconds, count in zip(first, tries, strict=True))
    raced = free / (RACING_SHARE * mean_full) - RACING_LEFT if len(course.rungs) > 1 else 0.0
    return {
        "untrained": _side_by_side(
            [
                answer_seconds(
                    course.speeds[one.checkpoint],
                    course.rung_rows,
                    course.limits[one.checkpoint],
                    one.longer,
                )
                for one in _asking(course)
            ],
            at_once,
        ),
        "bracket": bracket / min(at_once, max(1.0, sum(tries))),
        "racing": max(0.0, raced) * middle / course.racing_at_once,
        "finishing": final_trials * last / min(at_once, max(1.0, final_trials)),
        "test": _side_by_side(_test_pieces(course, final_trials), at_once),
        "general": _side_by_side(_general_pieces(course), at_once),
    }


def budget_within(course: Course, seconds: float, most_tokens: float) -> float:
    """The largest budget in tokens whose race should end within so many seconds."""
    low, high = 0.0, most_tokens
    if sum(forecast(course, high).values()) <= seconds:
        return high
    for _ in range(40):  # halvings: to a millionth of a millionth
        middle = (low + high) / 2
        if sum(forecast(course, middle).values()) <= seconds:
            low = middle
        else:
            high = middle
    return low


def _asking(course: Course) -> Sequence[Asking]:
    return course.asking or [Asking(name, name, 1.0) for name in course.speeds]


def _trial(course: Course, arm: ArmPlan, share: float) -> float:
    return trial_seconds(
        course.speeds[arm.checkpoint],
        arm.approach,
        arm.full_tokens * share,
        course.rung_rows,
        course.corrections.get(arm.approach),
    )


def _test_pieces(course: Course, final_trials: float) -> list[float]:
    """Test answers of the finalists' trials, and of their checkpoints untrained."""
    speeds = list(course.speeds.values())
    rows = ceil(course.test_rows / max(1, course.settings.folds))
    tuned = sum(answer_seconds(s, rows, s.answer_tokens) for s in speeds) / len(speeds)
    finalists = min(FINALISTS, len(course.arms))
    asked = _asking(course)
    untuned = [
        answer_seconds(
            course.speeds[one.checkpoint],
            course.test_rows,
            course.limits[one.checkpoint],
            one.longer,
        )
        for one in asked
    ]
    mean = sum(untuned) / len(untuned)
    alone = sum(alone_seconds(s, s.answer_tokens) for s in speeds) / len(speeds)
    mean += sum(alone_seconds(s, course.limits[name]) for name, s in course.speeds.items()) / len(
        speeds
    )
    kinds = len({one.arm.removeprefix(one.checkpoint) for one in asked})
    checkpoints = min(finalists, len(speeds)) + max(0, kinds - 1 if course.asking else 0)
    return [
        *[tuned + alone] * finalists,
        *[tuned] * round(final_trials),
        *[mean] * checkpoints,
    ]


def _general_pieces(course: Course) -> list[float]:
    """Before for each finalist's checkpoint, after for each finalist, the null control."""
    speeds = list(course.speeds.values())
    settings, finalists = course.settings, min(FINALISTS, len(course.arms))
    count = finalists + min(finalists, len(speeds))
    kept: list[float] = []
    if settings.drift:
        asked = sum(drift_seconds(speed) for speed in speeds) / len(speeds)
        kept += [asked] * (finalists + 1)
    if settings.retain:
        spans = TASK_SPANS * len(settings.retain)
        run = sum(
            one.start_seconds + one.load_seconds + spans * one.score_row_seconds for one in speeds
        )
        kept += [run / len(speeds)] * count
    if not settings.general_set:
        return kept
    before = sum(general_seconds(speed, GENERAL_TOKENS) for speed in speeds) / len(speeds)
    after = sum(general_seconds(speed, speed.answer_tokens) for speed in speeds) / len(speeds)
    return [*[after] * finalists, *[before] * (count - finalists + 1), *kept]


def _side_by_side(pieces: Sequence[float], at_once: int) -> float:
    """Pieces handed out in their order to whoever is free."""
    busy = [0.0] * max(1, at_once)
    for piece in pieces:
        busy[busy.index(min(busy))] += piece
    return max(busy)
