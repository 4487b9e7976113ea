"""The store of earlier races as text: what is kept, and how it corrects estimates."""

from collections.abc import Sequence

from forkpoint.plan.clock import minutes
from forkpoint.report.visible import visible
from forkpoint.store import PastRace, experience
from forkpoint.words import say


def store_text(races: Sequence[PastRace], file: str, lang: str, *, is_on: bool) -> str:
    """Kept races, oldest first, then the corrections that follow from them."""
    switch = say("store.is_on" if is_on else "store.is_off", lang)
    if not races:
        return f"{say('store.none', lang)}\n{switch}\n"
    lines = [say("store.title", lang, count=len(races), file=visible(file))]
    lines += [f"  {_line(race, lang)}" for race in races]
    if is_on:
        for machine in dict.fromkeys(race.machine for race in races):
            lines += _corrections(races, machine, lang)
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
