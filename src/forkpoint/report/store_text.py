"""The store of earlier races as text: what is kept, and how it corrects estimates."""

from collections.abc import Sequence

from forkpoint.plan.clock import minutes
from forkpoint.report.visible import visible
from forkpoint.store import PastRace, experience, seed_sd, stage_tally
from forkpoint.words import say


def store_text(races: Sequence[PastRace], file: str, lang: str, *, is_on: bool) -> str:
    """Kept races, oldest first, then what follows from them for the next."""
    switch = say("store.is_on" if is_on else "store.is_off", lang)
    if not races:
        return f"{say('store.none', lang)}\n{switch}\n"
    lines = [say("store.title", lang, count=len(races), file=visible(file))]
    lines += [f"  {_line(race, lang)}" for race in races]
    if is_on:
        for machine in dict.fromkeys(race.machine for race in races):
            lines += _corrections(races, machine, lang)
        lines += [*_seed_noise(races, lang), *_stages(races, lang)]
    return "\n".join([*lines, switch]) + "\n"


def _line(race: PastRace, lang: str) -> str:
    return say(
        "store.line",
        lang,
        id=race.race_id[:8],
        ended=race.ended[:16].replace("T", " "),
        verdict=say(f"store.kind_{race.verdict}", lang),
        arm=visible(race.arm or "-"),
        arms=len(race.arms),
        rows=race.rows,
        metric=visible(race.metric),
        predicted=minutes(race.predicted_seconds, lang),
        seconds=minutes(race.seconds, lang),
    )


def _seed_noise(races: Sequence[PastRace], lang: str) -> list[str]:
    lines = []
    for metric in dict.fromkeys(race.metric for race in races):
        if found := seed_sd(races, metric):
            values = {"sd": f"{found.sd:.3g}", "repeats": found.repeats, "races": found.races}
            lines.append(say("store.seed_noise", lang, metric=visible(metric), **values))
    return lines


def _stages(races: Sequence[PastRace], lang: str) -> list[str]:
    lines = []
    for job, answers in dict.fromkeys((race.job, race.answer_kind) for race in races):
        tally = stage_tally(races, job, answers)
        if tally.races:
            wins = say("advice.comma", lang).join(
                say("advice.own_wins", lang, stage=stage.capitalize(), n=tally.wins[stage])
                for stage in sorted(tally.wins, key=lambda one: (-tally.wins[one], one))
            )
            kind = {"job": visible(job), "answers": visible(answers)}
            lines.append(say("store.stages", lang, races=tally.races, wins=wins, **kind))
    return lines


def _corrections(races: Sequence[PastRace], machine: str, lang: str) -> list[str]:
    lines = []
    for of, key in (("seconds", "store.time_here"), ("bytes", "store.memory_here")):
        for approach, found in experience(races, machine, of).items():
            lines.append(
                say(
                    key,
                    lang,
                    machine=visible(machine),
                    approach=approach,
                    factor=f"{found.factor:.2f}",
                    trials=found.trials,
                    races=found.races,
                )
            )
    return lines
