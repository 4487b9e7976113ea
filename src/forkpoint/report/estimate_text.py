"""An estimate of memory as text: the peak, its parts, what fits and what would help."""

from collections.abc import Sequence

from rich.cells import cell_len

from forkpoint.estimate.fitting import Fit
from forkpoint.estimate.memory import MemoryEstimate
from forkpoint.estimate.reading import Measured
from forkpoint.estimate.sizes import size_text
from forkpoint.report.paragraph import wrap
from forkpoint.report.visible import visible
from forkpoint.words import say

FILES_DIFFER = 0.02  # share of the parameters; below it are buffers and rounding


def estimate_text(measured: Measured, estimate: MemoryEstimate, fit: Fit | None, lang: str) -> str:
    """The text that `forkpoint estimate` prints for one checkpoint."""
    blocks = [
        "\n".join([visible(measured.name), *_counts(measured, lang), _setup(estimate, lang)]),
        "\n".join([_peak(estimate, lang), *_parts(estimate, lang)]),
        _phases(estimate, lang),
        "\n".join(_fit(estimate, fit, lang)) if fit is not None else "",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def largest_text(found: Sequence[tuple[Measured, MemoryEstimate, Fit | None]], lang: str) -> str:
    """Which of several checkpoints is the largest that fits."""
    approach = found[0][1].setup.approach
    fitting = [one for one in found if one[2] is not None and one[2].answer == "yes"]
    if not fitting:
        return wrap(_say("fit_none_of_these", lang, approach=approach)) + "\n"
    best = max(fitting, key=lambda one: one[1].parameters)
    return wrap(_say("fit_largest", lang, approach=approach, name=visible(best[0].name))) + "\n"


def _say(key: str, lang: str, **values: object) -> str:
    return say(f"estimate.{key}", lang, **values)


def number(count: int, lang: str) -> str:
    """A count of parameters as people say it."""
    if lang == "zh":
        return f"{count / 1e8:.2f} 亿" if count >= 1e8 else f"{count / 1e4:.1f} 万"
    return f"{count / 1e9:.2f} billion" if count >= 1e9 else f"{count / 1e6:.2f} million"


def _counts(measured: Measured, lang: str) -> list[str]:
    network = measured.network
    total, active = network.parameters, network.active_parameters
    values = {"parameters": number(total, lang), "kind": visible(network.model_type)}
    lines = [
        _say("text_counts_dense", lang, **values)
        if active == total
        else _say("text_counts", lang, active=number(active, lang), **values)
    ]
    files = measured.parameters_in_files
    if files is not None and abs(files - total) > FILES_DIFFER * total:
        note = _say(
            "text_files_differ", lang, files=number(files, lang), counted=number(total, lang)
        )
        lines.append(wrap(note))
    return lines


def _setup(estimate: MemoryEstimate, lang: str) -> str:
    setup = estimate.setup
    devices = _say("text_one_gpu", lang)
    if setup.devices > 1:
        devices = _say("text_gpus", lang, count=setup.devices, sharding=setup.sharding)
    if estimate.device == "cpu":
        devices = _say("text_cpu", lang)
    if setup.approach == "prompt":
        return _say("text_setup_prompt", lang, rows=setup.answer_batch, devices=devices)
    approach = _say(
        f"text_approach_{setup.approach}",
        lang,
        rank=setup.rank,
        bits=setup.bits,
        trained=number(estimate.trainable_parameters, lang),
    )
    text = _say(
        "text_setup",
        lang,
        approach=approach,
        context=f"{setup.context_tokens:,}",
        batch=setup.batch,
        optimizer=setup.optimizer,
        checkpointing=_say("text_checkpointed" if setup.checkpointing else "text_kept", lang),
        attention=setup.attention,
        devices=devices,
    )
    return wrap(text)


def _peak(estimate: MemoryEstimate, lang: str) -> str:
    text = _say(
        "text_peak",
        lang,
        value=size_text(estimate.estimated_bytes),
        low=size_text(estimate.low_bytes),
        high=size_text(estimate.high_bytes),
        phase=_say(f"phase_{estimate.peak}", lang),
    )
    return wrap(text + ("。" if lang == "zh" else "."))


def _parts(estimate: MemoryEstimate, lang: str) -> list[str]:
    rows = [
        (
            _say(f"part_{part.name}", lang),
            size_text(part.bytes),
            part.bytes / estimate.estimated_bytes,
        )
        for part in estimate.parts
    ]
    width = max(cell_len(name) for name, _, _ in rows)
    lines = [
        f"  {name}{' ' * (width - cell_len(name))}  {text:>9}  {share:>4.0%}"
        for name, text, share in rows
    ]
    part = _say(f"part_{estimate.dominates}", lang)
    lines.append("  " + _say("text_dominates", lang, part=part))
    if estimate.host_bytes:
        lines.append("  " + _say("text_host", lang, size=size_text(estimate.host_bytes)))
    return lines


def _phases(estimate: MemoryEstimate, lang: str) -> str:
    rows = [
        (_say(f"phase_{phase.name}", lang), size_text(phase.bytes)) for phase in estimate.phases
    ]
    width = max(cell_len(name) for name, _ in rows)
    lines = [f"  {name}{' ' * (width - cell_len(name))}  {text:>9}" for name, text in rows]
    return "\n".join([_say("text_phases", lang), *lines])


def _fit(estimate: MemoryEstimate, fit: Fit, lang: str) -> list[str]:
    comma = "、" if lang == "zh" else ", "
    memory = size_text(fit.memory_bytes)
    lines = [_say(f"fit_{fit.answer}", lang, memory=memory, needs=size_text(estimate.high_bytes))]
    if fit.most:
        dials = [
            _say(
                "fit_dial",
                lang,
                dial=_say(f"dial_{dial}", lang),
                value=f"{value:,}" if value is not None else _say("fit_none", lang),
            )
            for dial, value in fit.most.items()
        ]
        lines.append(_say("fit_most", lang, dials=comma.join(dials)))
    approaches = [
        _say(
            f"fit_approach_{answer or 'impossible'}",
            lang,
            approach=name,
            needs=size_text(fit.needs_bytes.get(name, 0)),
        )
        for name, answer in fit.approaches.items()
    ]
    lines.append(_say("fit_approaches", lang, approaches=comma.join(approaches)))
    if fit.answer != "yes":
        lines.append(_remedy(fit, lang))
    return [wrap(line, "  ", "") for line in lines]


def _remedy(fit: Fit, lang: str) -> str:
    if fit.remedy is None:
        return _say("fit_no_remedy", lang)
    changes = [change_text(one.dial, one.before, one.after, lang) for one in fit.remedy.changes]
    estimate = fit.remedy.estimate
    return _say(
        "fit_remedy",
        lang,
        changes=("；" if lang == "zh" else "; ").join(changes),
        value=size_text(estimate.estimated_bytes),
        low=size_text(estimate.low_bytes),
        high=size_text(estimate.high_bytes),
    )


def change_text(dial: str, before: str, after: str, lang: str) -> str:
    """One dial turned, in words."""
    values = {"before": _value(before, lang), "after": _value(after, lang)}
    return _say("fit_change", lang, dial=_say(f"dial_{dial}", lang), **values)


def _value(text: str, lang: str) -> str:
    return _say(f"value_{text}", lang) if text in ("True", "False") else text
