"""From a run folder to the View: finished, under way or interrupted, always one record."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from forkpoint.data.profile_record import DataProfile
from forkpoint.ledger import Agreement, AnswersMade, ArmPlan
from forkpoint.record import Figure
from forkpoint.report.again import command_of
from forkpoint.report.agreed import excluded_of, hashes_of, settings_of, splits_of
from forkpoint.report.answers import (
    bad_cases,
    counts_of,
    masks_of,
    side_by_side,
)
from forkpoint.report.asked import prompts_of, untrained_views
from forkpoint.report.enough_text import read_enough
from forkpoint.report.foreseen import foreseen
from forkpoint.report.guides import Guides, guides_of
from forkpoint.report.history import (
    History,
    asked_line,
    history_of,
    result_of,
    state_of,
    trial_view,
    untrained,
)
from forkpoint.report.series import in_order
from forkpoint.report.view_record import (
    AnswerCounts,
    ArmView,
    CostView,
    Progress,
    RowView,
    RungView,
    Saying,
    View,
)
from forkpoint.run.answers import Answers, answers_of
from forkpoint.run.folder import RunFolder, read_folder
from forkpoint.run.outcome import expectations
from forkpoint.verdict.untrained_result import figure
from forkpoint.verdict.verdict_record import Comparison, Verdict
from forkpoint.votes import strengths
from forkpoint.votes.ballot import VOTES

SIDE_BY_SIDE = 4  # trained arms shown beside each other
FAULTS_SHOWN = 20  # broken rows listed one by one; all are counted
TOKENS = "tokens"
SECONDS = "s"


def read_view(folder: Path) -> View:
    """Everything to show of a run folder; raises BadInput or Unreadable for one without a race."""
    run = read_folder(folder)
    agreed = run.agreement
    history = history_of(run.lines)
    progress = _progress(run, history)
    verdict = run.verdict if history.ended else None
    arms = tuple(_arm(agreed, history, plan, verdict, progress) for plan in agreed.arms)
    said = _said(run, history, arms, verdict)
    profile = _profile(agreed)
    guides = _guides(agreed)
    return View(
        run=folder.resolve().name,
        progress=progress,
        created=agreed.created,
        updated=history.updated,
        forkpoint_version=agreed.forkpoint_version,
        goal=agreed.goal,
        data_files=agreed.data_files,
        metric=agreed.settings.metric,
        margin=agreed.settings.margin,
        verdict=verdict,
        end_reason=_end_reason(history),
        missing=_missing(run, history, verdict, said.answers, profile, guides),
        notices=_notices(run, history),
        arms=arms,
        comparisons=_comparisons(verdict),
        changes=verdict.changes if verdict else (),
        general_before=_general_before(history),
        untrained=_untrained(agreed, history, "test"),
        untrained_validation=_untrained(agreed, history, "validation"),
        rank_agreement=verdict.likelihood_rank_agreement if verdict else None,
        cost=_cost(agreed, history, verdict),
        foreseen=foreseen(agreed),
        rungs=tuple(RungView(**rung.model_dump()) for rung in agreed.rungs),
        side_by_side=said.side_by_side,
        bad_cases=said.bad_cases,
        bad_arm=said.bad_arm,
        answer_counts=said.counts,
        masks=masks_of(run),
        splits=splits_of(agreed),
        excluded=excluded_of(agreed),
        profile=profile,
        guides=guides.rules if guides else (),
        disagreements=guides.disagreements if guides else (),
        advised=guides.order if guides else (),
        settings=settings_of(agreed),
        checkpoints=agreed.checkpoints,
        machine=agreed.machine,
        versions=agreed.versions,
        hashes=hashes_of(run, history),
        command=command_of(agreed),
        votes=strengths(folder) if (folder / VOTES).is_file() else None,
        asked=untrained_views(agreed, history, verdict),
        costs=verdict.costs if verdict else (),
        prompts=prompts_of(run),
        enough=read_enough(folder),
    )


class _Said(NamedTuple):
    """What the arms answered, as the report shows it."""

    answers: dict[str, Answers]  # by subject
    side_by_side: tuple[RowView, ...]
    bad_cases: tuple[RowView, ...]
    bad_arm: str | None
    counts: tuple[AnswerCounts, ...]


def _said(
    run: RunFolder, history: History, arms: tuple[ArmView, ...], verdict: Verdict | None
) -> _Said:
    split, answers = _answers(run, history)
    expected = expectations(run)
    bad_arm = _bad_arm(verdict, history, arms, answers)
    higher = run.agreement.settings.metric != "bits_per_byte"
    shown = _shown_together(in_order(arms, higher), answers, run.agreement.prompt_of)
    return _Said(
        answers=answers,
        side_by_side=side_by_side(run, shown, split, expected),
        bad_cases=bad_cases(run, bad_arm, answers[bad_arm], split, expected) if bad_arm else (),
        bad_arm=bad_arm,
        counts=tuple(counts_of(arm, split, found, expected) for arm, found in answers.items()),
    )


def _progress(run: RunFolder, history: History) -> Progress:
    if history.ended:
        return "ended"
    return "under_way" if run.writer_alive else "interrupted"


def _arm(
    agreed: Agreement,
    history: History,
    plan: ArmPlan,
    verdict: Verdict | None,
    progress: Progress,
) -> ArmView:
    facts = agreed.checkpoints.get(plan.checkpoint)
    state = state_of(history, plan.name, verdict.arm if verdict else None)
    told = {result.arm: result for result in verdict.results} if verdict else {}
    dropped = history.dropped.get(plan.name)
    views = [
        trial_view(history, trial, progress == "under_way") for trial in history.trials(plan.name)
    ]
    trials = tuple(view for view in views if view)
    chosen = history.chosen.get(plan.name)
    reached = [trial.tokens or 0 for trial in trials if dropped and trial.rung == dropped.rung]
    return ArmView(
        name=plan.name,
        checkpoint=plan.checkpoint,
        approach=plan.approach,
        stage=plan.stage,
        sold_as=facts.sold_as.value if facts else None,
        post_training=facts.post_training.value if facts else None,
        parameters=facts.shape.parameters if facts else None,
        trainable_parameters=plan.trainable_parameters,
        renderings=plan.renderings,
        state=state,
        fate=Saying(key=dropped.key, values=dropped.values) if dropped else None,
        out_at_rung=dropped.rung if dropped else None,
        out_at_tokens=max(reached, default=None),
        centre_rate=plan.centre_rate,
        rate_reason=Saying(key=plan.rate_reason, values=plan.rate_values),
        rate_at_edge=bool(chosen and chosen.at_edge),
        full_tokens=plan.full_tokens,
        result=told.get(plan.name) or result_of(history, plan, state),
        trials=trials,
        subset=plan.subset,
        replay=plan.replay,
    )


def _answers(run: RunFolder, history: History) -> tuple[str, dict[str, Answers]]:
    """The split whose answers are shown, and every subject's answers to it."""
    tests = [line for line in history.answers if line.split == "test"]
    if tests:
        return "test", answers_of(run, tests)
    best = [line for plan in run.agreement.arms if (line := history.best(plan.name))]
    before: list[AnswersMade] = [
        line
        for line in history.answers
        if line.split == "validation"
        and (line.setup is None or line is asked_line(history, line.arm, "validation"))
    ]
    return "validation", answers_of(run, [*best, *before])


def _shown_together(
    arms: list[ArmView], answers: dict[str, Answers], prompt_of: Callable[[str], str]
) -> dict[str, Answers]:
    """The leaders' answers and, to compare, those of the leader's checkpoint untrained."""
    leaders = [arm for arm in arms if arm.name in answers][:SIDE_BY_SIDE]
    names = [arm.name for arm in leaders]
    before = [prompt_of(leaders[0].checkpoint)] if leaders else []
    return {name: answers[name] for name in (*names, *before) if name in answers}


def _bad_arm(
    verdict: Verdict | None,
    history: History,
    arms: tuple[ArmView, ...],
    answers: Mapping[str, Answers],
) -> str | None:
    """The arm whose bad cases are shown: the named one, else the leader on validation."""
    if verdict and verdict.arm in answers:
        return verdict.arm
    scored = [arm for arm in arms if arm.name in answers and arm.result.validation]
    leader = max(
        scored,
        key=lambda arm: arm.result.validation.value if arm.result.validation else 0.0,
        default=None,
    )
    return leader.name if leader else None


def _profile(agreed: Agreement) -> DataProfile | None:
    try:
        profile = DataProfile.from_json(agreed.profile_json)
    except ValidationError:
        return None
    return profile.model_copy(update={"faults": profile.faults[:FAULTS_SHOWN]})


def _guides(agreed: Agreement) -> Guides | None:
    names = {facts.name: name for name, facts in agreed.checkpoints.items()}
    return guides_of(agreed.advice_json, names)


def _end_reason(history: History) -> Saying | None:
    if history.racing_end:
        return history.racing_end
    return Saying(key=history.ended.reason) if history.ended else None


def _missing(
    run: RunFolder,
    history: History,
    verdict: Verdict | None,
    answers: Mapping[str, Answers],
    profile: DataProfile | None,
    guides: Guides | None,
) -> tuple[Saying, ...]:
    """What this report cannot show, and why."""
    found = [Saying(key="report.broken_file", values={"file": name}) for name in run.broken]
    absent = {
        "report.missing_verdict": history.ended is not None and verdict is None,
        "report.missing_test": not any(line.split == "test" for line in history.answers),
        "report.missing_general": not any(line.moment == "after" for line in history.general),
        "report.missing_answers": not answers,
        "report.missing_masks": not run.masks,
        "report.missing_rows": not run.rows,
        "report.missing_profile": profile is None,
        "report.missing_advice": guides is None,
    }
    return (*found, *(Saying(key=key) for key, is_so in absent.items() if is_so))


def _notices(run: RunFolder, history: History) -> tuple[Saying, ...]:
    """What a reader should know before believing the rest."""
    found = []
    if history.openings > 1:
        found.append(Saying(key="report.test_reopened", values={"times": history.openings}))
    if history.ended and run.verdict_bytes is not None:
        digest = hashlib.sha256(run.verdict_bytes).hexdigest()
        if digest != history.ended.verdict_sha256:
            found.append(Saying(key="report.verdict_changed"))
    return tuple(found)


def _comparisons(verdict: Verdict | None) -> tuple[Comparison, ...]:
    """The paired differences; n is the test rows where the record leaves it open."""
    if verdict is None:
        return ()
    return tuple(
        comparison
        if comparison.difference.n is not None
        else comparison.model_copy(
            update={"difference": comparison.difference.model_copy(update={"n": verdict.test_rows})}
        )
        for comparison in verdict.comparisons
    )


def _general_before(history: History) -> dict[str, dict[str, Figure]]:
    return {
        line.subject: {
            kind: found for kind, score in line.scores.items() if (found := figure(score))
        }
        for line in history.general
        if line.moment == "before"
    }


def _untrained(agreed: Agreement, history: History, split: str) -> dict[str, Figure]:
    """Checkpoint -> its primary score on a split before any training."""
    found = {name: untrained(history, name, split) for name in agreed.checkpoints}
    return {name: score for name, score in found.items() if score}


def _cost(agreed: Agreement, history: History, verdict: Verdict | None) -> CostView:
    done = history.done
    spent = verdict.spent_tokens if verdict else sum(line.tokens for line in done)
    brute = agreed.brute_force_tokens
    seconds = verdict.seconds if verdict else sum(line.seconds for line in done)
    share = Figure(value=spent / brute, origin="estimated", source="plan") if brute else None
    return CostView(
        spent=Figure(value=spent, unit=TOKENS, origin="measured", n=len(done)),
        brute_force=Figure(value=brute, unit=TOKENS, origin="estimated", source="plan"),
        budget=Figure(value=agreed.budget_tokens, unit=TOKENS, origin="ruled"),
        budget_text=agreed.budget_text,
        share=share,
        seconds=Figure(value=seconds, unit=SECONDS, origin="measured", n=len(done)),
        predicted_seconds=Figure(
            value=agreed.predicted_seconds, unit=SECONDS, origin="estimated", source="speed probe"
        ),
        trials=len(history.scored),
        failed_trials=len(history.failures),
        resumed=history.resumed,
    )
