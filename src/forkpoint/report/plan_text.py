"""The plan of a race as a person reads it before saying yes."""

import orjson

from forkpoint.data.bad_row import fault_sentence
from forkpoint.data.profile_record import DataProfile
from forkpoint.ledger import Agreement
from forkpoint.plan.clock import minutes
from forkpoint.plan.forecast import comparing_tokens
from forkpoint.plan.price import read_price
from forkpoint.report.data_text import printable
from forkpoint.report.foreseen import own_seed_text
from forkpoint.report.plan_engine import engine_lines
from forkpoint.report.plan_memory import memory_lines
from forkpoint.report.untrained_text import plan_lines
from forkpoint.words import say

FAULTS_SHOWN = 3  # broken rows told before a race


def plan_text(agreement: Agreement, lang: str) -> str:
    """What will be done with which rows, what it costs, and what it can show."""
    settings = agreement.settings
    lines = [
        say(
            "race.plan_rows",
            lang,
            train=len(agreement.train_ids),
            validation=len(agreement.validation_ids),
            test=len(agreement.test_ids),
            removed=len(agreement.removed),
            excluded=len(agreement.excluded),
        ),
        *_broken(agreement, lang),
        *_folds(agreement, lang),
        *_cut(agreement, lang),
        say(
            "race.plan_arms",
            lang,
            count=len(agreement.arms),
            arms=", ".join(arm.name for arm in agreement.arms),
        ),
        *plan_lines(agreement, lang),
        say(
            "race.plan_rungs",
            lang,
            steps=" / ".join(str(rung.steps) for rung in agreement.rungs),
            size=settings.rows_per_step,
            passes=settings.passes,
            rates=len(settings.rate_factors),
        ),
        *_rows_of_arms(agreement, lang),
        *_stopping(agreement, lang),
        *_needs(agreement, lang),
        *memory_lines(agreement, lang),
        *engine_lines(agreement, lang),
        say("race.plan_metric", lang, metric=settings.metric, margin=settings.margin),
        say("race.plan_power", lang, difference=agreement.smallest_difference),
        say(
            "race.plan_cost",
            lang,
            tokens=agreement.budget_tokens,
            share=agreement.budget_tokens / max(agreement.brute_force_tokens, 1),
            time=minutes(agreement.predicted_seconds, lang),
        ),
        *_small_budget(agreement, lang),
        *_time_and_money(agreement, lang),
    ]
    title = say("race.plan_title", lang)
    return "\n".join([title, *(f"  {line}" for line in lines)])


def _broken(agreement: Agreement, lang: str) -> list[str]:
    """Rows that could not be read, the first of them with how to mend them."""
    profile = DataProfile.from_json(agreement.profile_json)
    if not profile.fault_count:
        return []
    shown = [fault_sentence(fault, lang) for fault in profile.faults[:FAULTS_SHOWN]]
    told = [say("race.plan_broken", lang, rows=profile.fault_count)]
    return told + [f"  {printable(sentence)}" for sentence in shown]


def _cut(agreement: Agreement, lang: str) -> list[str]:
    """That some answers are trained without their end, where they are."""
    return [say("race.plan_cut", lang, rows=len(agreement.cut))] if agreement.cut else []


def _folds(agreement: Agreement, lang: str) -> list[str]:
    """That every row is tested once, where it is."""
    if not agreement.folds:
        return []
    return [say("race.plan_folds", lang, folds=len(agreement.folds), rows=len(agreement.test_ids))]


def _small_budget(agreement: Agreement, lang: str) -> list[str]:
    """That a budget compares no two arms at full length, where it does not."""
    enough = comparing_tokens(agreement.arms, agreement.rungs, agreement.settings)
    if len(agreement.arms) < 2 or agreement.budget_tokens >= enough:
        return []
    share = enough / max(agreement.brute_force_tokens, 1)
    return [say("race.plan_small_budget", lang, tokens=enough, share=share)]


def _time_and_money(agreement: Agreement, lang: str) -> list[str]:
    """Where the time goes, how earlier races moved it, and what it costs at the user's price."""
    lines = []
    if agreement.stations:
        parts = [
            say(f"estimate.station_{name}", lang, time=minutes(seconds, lang))
            for name, seconds in agreement.stations.items()
            if seconds >= 1
        ]
        comma = "；" if lang == "zh" else ", "
        lines.append(say("estimate.plan_time", lang, stations=comma.join(parts)))
    if agreement.own_seed_noise:
        lines.append(own_seed_text(agreement.own_seed_noise, agreement.settings.metric, lang))
    for approach, found in agreement.corrections.items():
        values = {"factor": f"{found.factor:.2f}", "trials": found.trials, "races": found.races}
        lines.append(say("estimate.plan_time_corrected", lang, approach=approach, **values))
    if agreement.price:
        money = read_price(agreement.price).of(agreement.predicted_seconds)
        lines.append(say("estimate.plan_price", lang, money=money, price=agreement.price))
    return lines


def _needs(agreement: Agreement, lang: str) -> list[str]:
    """Raw text and twins where approaches use them."""
    lines = []
    if agreement.corpus_ids:
        file = printable(str(orjson.loads(agreement.request_json).get("corpus") or ""))
        pieces, left = len(agreement.corpus_ids), agreement.corpus_left_out
        lines.append(say("race.plan_corpus", lang, pieces=pieces, file=file, left_out=left))
    for name, twin in agreement.twins.items():
        lines.append(say("race.plan_twin", lang, checkpoint=name, twin=printable(twin.name)))
    return lines


def _stopping(agreement: Agreement, lang: str) -> list[str]:
    """How each checkpoint's arms learn to end their answers, and why so."""
    lines = []
    comma = "；" if lang == "zh" else "; "
    for name, plan in agreement.stopping.items():
        why = printable(say(plan.key, lang, **plan.values))
        lines.append(say("race.plan_stopping", lang, checkpoint=name, why=why))
        rows = [
            say("race.plan_token_row" if row.start else "race.plan_token_row_mean", lang,
                token=printable(row.token), start=printable(row.start or ""))
            for row in plan.rows
        ]  # fmt: skip
        if rows:
            lines.append(say("race.plan_token_rows", lang, rows=comma.join(rows)))
    return lines


def _rows_of_arms(agreement: Agreement, lang: str) -> list[str]:
    """Subsets and rows against forgetting, where arms have them."""
    lines = []
    for name, subset in agreement.subsets.items():
        left = max(0, subset.named_rows - len(subset.ids))
        key = "race.plan_subset_some" if left else "race.plan_subset"
        lines.append(say(key, lang, name=name, rows=len(subset.ids), left=left))
    for name, ids in agreement.replay_ids.items():
        lines.append(say("race.plan_replay", lang, checkpoint=name, rows=len(ids)))
    return lines
