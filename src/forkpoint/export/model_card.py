"""The card of a tuned checkpoint: what it was made from, on which data, and how it scored."""

from pathlib import Path

from forkpoint.export.finished_arm import FinishedArm
from forkpoint.record import Figure
from forkpoint.report.visible import visible
from forkpoint.report.wording import named, number
from forkpoint.train.approach import approach as train_approach
from forkpoint.train.merge import Proof
from forkpoint.verdict.verdict_record import ArmResult
from forkpoint.words import say

UNKNOWN_LICENCE = "other"  # the Hub's word for a licence that is none of its list


def model_card(arm: FinishedArm, proof: Proof | None = None, lang: str = "en") -> str:
    """Markdown with the Hub's front matter; `proof` for a merged checkpoint, None for a recipe."""
    import yaml

    facts = arm.facts
    front: dict[str, object] = {
        "license": (facts.licence or UNKNOWN_LICENCE).lower(),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "base_model": parent_name(arm),
        "base_model_relation": _relation(arm, proof),
    }
    if front["license"] == UNKNOWN_LICENCE:
        front["license_name"] = "of-the-base-model"
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True)
    parts = [f"---\n{head}---", f"# {_safe(arm.plan.name)}"]
    parts += [_opening(arm, proof, lang), _made_of(arm, lang), _scores(arm, lang)]
    if proof is not None:
        parts.append(_proven(proof, lang))
    parts.append(_limits(arm, lang))
    return "\n\n".join(parts) + "\n"


def parent_name(arm: FinishedArm) -> str:
    """The checkpoint's name for others: a Hub id as it is, of a local folder only its name."""
    name = arm.plan.checkpoint
    if name.startswith((".", "/", "~")) or Path(name).is_dir():
        return Path(name).name
    return name


def _relation(arm: FinishedArm, proof: Proof | None) -> str:
    """How the Hub calls it: an adapter only as long as it has not been merged."""
    adapters = train_approach(arm.plan.approach).METHOD != "full"
    return "adapter" if proof is None and adapters else "finetune"


def _opening(arm: FinishedArm, proof: Proof | None, lang: str) -> str:
    key = "export.card_opening" if proof is not None else "export.card_opening_recipe"
    approach = named("approach", arm.plan.approach, lang)
    return say(key, lang, parent=_safe(parent_name(arm)), approach=approach)


def _made_of(arm: FinishedArm, lang: str) -> str:
    agreed, facts = arm.run.agreement, arm.facts
    settings = agreed.settings
    files = ", ".join(_safe(Path(name).name) for name in agreed.data_files)
    system = settings.system_prompt
    rows = {
        "parent": f"`{_safe(parent_name(arm))}`",
        "revision": f"`{facts.revision or '–'}`",
        "identity": f"`{facts.identity}`",
        "licence": f"{facts.licence or '–'}; "
        + say(f"export.card_use_{facts.commercial_use}", lang),
        "data": f"{files} (SHA-256 `{agreed.data_sha256}`)",
        "rows": f"{len({row for step in arm.steps for row in step}):,}",
        "amount": say(
            "export.card_amount_value", lang, steps=len(arm.steps), rows=settings.rows_per_step,
            passes=f"{arm.rung.passes:g}",
        ),
        "rate": f"{agreed.run_rate(arm.trial):.3g}, {settings.schedule}",
        "seed": str(arm.trial.seed),
        "rendering": say(f"export.card_rendering_{arm.trial.rendering}", lang),
        "system": f"`{_safe(system)}`" if system else "–",
        "versions": ", ".join(f"{name} {value}" for name, value in agreed.versions.items()),
    }  # fmt: skip
    lines = [f"| {say(f'export.card_{key}', lang)} | {value} |" for key, value in rows.items()]
    return "\n".join([f"## {say('export.card_made', lang)}", "", "| | |", "|---|---|", *lines])


def _scores(arm: FinishedArm, lang: str) -> str:
    """The race's scores with their intervals; on test rows where the test was opened."""
    title = f"## {say('export.card_scores', lang)}"
    verdict = arm.run.verdict
    result = next(
        (one for one in verdict.results if one.arm == arm.plan.name), None
    ) if verdict else None  # fmt: skip
    if verdict is None or result is None:
        return f"{title}\n\n{say('export.card_no_scores', lang)}"
    metric = named("metric", verdict.metric, lang)
    head = "| " + " | ".join(say(f"export.card_{key}", lang)
                             for key in ("measure", "value", "interval", "n")) + " |"  # fmt: skip
    lines = [head, "|---|---|---|---|"]
    for key, figure in _figures(result).items():
        if figure is not None:
            label = say(f"export.card_{key}", lang, metric=metric)
            lines.append(_figure_line(label, figure))
    changes = [
        _figure_line(
            say("export.card_change", lang, ability=named("ability", change.ability, lang)),
            change.difference, signed=True,
        )
        for change in verdict.changes if change.subject == arm.plan.name
    ]  # fmt: skip
    notes = [say("export.card_scores_note", lang, openings=verdict.test_openings)]
    return "\n".join([title, "", *lines, *changes, "", *notes])


def _figures(result: ArmResult) -> dict[str, Figure | None]:
    return {
        "on_test": result.test,
        "on_validation": result.validation,
        "before": result.untrained,
        "stops": result.stop_rate,
    }


def _figure_line(label: str, figure: Figure, signed: bool = False) -> str:
    span = "–"
    if figure.low is not None and figure.high is not None:
        span = f"{number(figure.low, 3, signed)} – {number(figure.high, 3, signed)}"
    count = "–" if figure.n is None else str(figure.n)
    return f"| {label} | {number(figure.value, 3, signed)} | {span} | {count} |"


def _proven(proof: Proof, lang: str) -> str:
    text = say(
        "export.card_proven", lang, dtype=proof.dtype, kl=f"{proof.mean_kl:.2g}",
        top1=f"{proof.top1:.1%}", same=f"{proof.same_text:.0%}", rows=proof.rows,
        places=proof.places,
    )  # fmt: skip
    return f"## {say('export.card_proof', lang)}\n\n{text}"


def _limits(arm: FinishedArm, lang: str) -> str:
    facts = arm.facts
    text = say("export.card_limits_text", lang)
    if facts.licence is None:
        text += " " + say("export.card_licence_unknown", lang)
    return f"## {say('export.card_limits', lang)}\n\n{text}"


def _safe(text: str) -> str:
    """Text of the data or of a name as inert Markdown in one line."""
    kept = " ".join(visible(text).split())
    return kept.replace("`", "'").replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")
