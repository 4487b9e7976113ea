"""A data profile as calm text: what the rows are, how that is known, what is wrong with some."""

import unicodedata

from forkpoint.data.bad_row import fault_sentence
from forkpoint.data.checks import wilson
from forkpoint.data.profile_record import ContentCheck, DataProfile, FlaggedRow, Spread
from forkpoint.words import say

FAULTS_SHOWN = 10  # broken rows told in full; --json lists the rest
LABELS_SHOWN = 12
LEAST_SHARE = 0.005  # a share below is not worth a word
EXAMPLES_SHOWN = 3  # rows quoted for each check; --json has more


def data_text(profile: DataProfile, lang: str) -> str:
    """The text that `forkpoint inspect DATA` prints."""
    blocks = [_head(profile, lang), _table(_lines(profile, lang))]
    if profile.notices:
        told = [f"  {printable(say(n.key, lang, **n.values))}" for n in profile.notices]
        blocks.append("\n".join([_word("text_notices", lang), *told]))
    if profile.checks:
        blocks.append(_checks(profile, lang))
    if profile.fault_count:
        blocks.append(_faults(profile, lang))
    return "\n\n".join(blocks) + "\n"


def printable(text: str) -> str:
    """Text of a file without control characters, so that it cannot steer a terminal."""
    return "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text).strip()


def _word(key: str, lang: str, **values: object) -> str:
    return say(f"data.{key}", lang, **values)


def _head(profile: DataProfile, lang: str) -> str:
    names = ", ".join(profile.files[:3]) + (" ..." if len(profile.files) > 3 else "")
    head = _word("text_head", lang, rows=f"{profile.rows:,}", job=_word(f"job_{profile.job}", lang))
    return f"{printable(names)}\n{head}"


def _lines(profile: DataProfile, lang: str) -> list[tuple[str, str]]:
    kinds = _shares(profile.answer_kinds, profile.rows, lang, "kind")
    found = [
        ("rows", _word("value_rows", lang, usable=f"{profile.rows:,}",
                       broken=f"{profile.fault_count:,}",
                       copies=f"{profile.exact_duplicates:,}")),
        ("format", _word("value_format", lang, format=_word(f"format_{profile.format}", lang),
                         file=profile.file_format, evidence=profile.format_evidence)),
        ("job", _job(profile, lang)),
        ("answers", kinds),
        ("labels", _labels(profile, lang)),
        ("languages", _languages(profile, lang)),
        ("turns", _turns(profile, lang)),
        ("roles", ", ".join(f"{name} {count:,}" for name, count in profile.roles.items())),
        ("system", _system(profile, lang)),
        ("tools", _share_line(profile.tools_share)),
        ("images", _share_line(profile.image_share)),
        ("prompt", "" if profile.format == "text"
         else _spread(profile.prompt_characters, lang, "characters")),
        ("answer", _spread(profile.answer_characters, lang, "characters")),
    ]  # fmt: skip
    lines = [(_word(f"text_{key}", lang), value) for key, value in found if value]
    for name, tokens in profile.tokens.items():
        note = _word("value_sample", lang, rows=f"{profile.token_sample_rows:,}")
        label = _word("text_tokens", lang, name=printable(name))
        lines.append((label, f"{_spread(tokens, lang, 'tokens')} {note}"))
    lines.append((_word("text_sha256", lang), profile.sha256))
    return lines


def _job(profile: DataProfile, lang: str) -> str:
    """The kind of job with the facts that say so."""
    reasons = []
    for fact in profile.job_evidence:
        name, _, value = fact.partition("=")
        if name == "answer_kind":
            value = _word(f"kind_{value}", lang)
        elif name == "format":
            value = _word(f"format_{value}", lang)
        else:
            value = f"{float(value):.0%}"
        reasons.append(_word(f"evidence_{name}", lang, value=value))
    job, because = _word(f"job_{profile.job}", lang), _word("list_comma", lang).join(reasons)
    return _word("value_job", lang, job=job, because=because)


def _shares(shares: dict[str, float], rows: int, lang: str, prefix: str) -> str:
    told = [
        f"{_word(f'{prefix}_{name}', lang)} {share:.0%}"
        for name, share in shares.items()
        if share >= LEAST_SHARE
    ]
    return _word("list_comma", lang).join(told)


def _labels(profile: DataProfile, lang: str) -> str:
    told = [f"{printable(name)} {count:,}" for name, count in profile.labels.items()]
    more = len(told) - LABELS_SHOWN
    text = _word("list_comma", lang).join(told[:LABELS_SHOWN])
    return text + (_word("value_more", lang, count=more) if more > 0 else "")


def _languages(profile: DataProfile, lang: str) -> str:
    """Shares, with their 95 % interval where only a sample was looked at."""
    n = profile.language_sample_rows
    told = []
    for code, share in profile.languages.items():
        if share < LEAST_SHARE:
            continue
        text = f"{_language(code, lang)} {share:.0%}"
        if n < profile.rows:
            low, high = wilson(share, n)
            text += f" ({100 * low:.0f}–{100 * high:.0f})"
        told.append(text)
    note = _word("value_sample", lang, rows=f"{n:,}")
    return f"{_word('list_comma', lang).join(told)} {note}"


def _language(code: str, lang: str) -> str:
    try:
        return _word(f"language_{code}", lang)
    except KeyError:
        return code


def _turns(profile: DataProfile, lang: str) -> str:
    if profile.format == "text":
        return ""
    turns = profile.turns
    return _word(
        "value_turns", lang, median=f"{turns.median:g}", smallest=f"{turns.smallest:g}",
        largest=f"{turns.largest:g}", multi=f"{profile.multi_turn_share:.0%}",
    )  # fmt: skip


def _system(profile: DataProfile, lang: str) -> str:
    if profile.format == "text":
        return ""
    if not profile.system_prompts:
        return _word("value_no_system", lang)
    return _word("value_system", lang, count=f"{profile.system_prompts:,}",
                 share=f"{profile.system_prompt_share:.0%}")  # fmt: skip


def _share_line(share: float) -> str:
    return f"{share:.0%}" if share else ""


def _spread(spread: Spread, lang: str, unit: str) -> str:
    return _word(
        f"value_{unit}", lang, median=f"{spread.median:,.0f}", p10=f"{spread.p10:,.0f}",
        p90=f"{spread.p90:,.0f}", largest=f"{spread.largest:,.0f}",
    )  # fmt: skip


def _faults(profile: DataProfile, lang: str) -> str:
    """The first broken rows, each with how to mend it, and how many more there are."""
    lines = [_word("text_faults", lang, count=f"{profile.fault_count:,}")]
    lines += ["  " + printable(fault_sentence(f, lang)) for f in profile.faults[:FAULTS_SHOWN]]
    more = profile.fault_count - min(len(profile.faults), FAULTS_SHOWN)
    if more > 0:
        lines.append("  " + _word("text_more_faults", lang, count=f"{more:,}"))
    return "\n".join(lines)


def _checks(profile: DataProfile, lang: str) -> str:
    """Every content check: what was found first, then what was not, then what was left out."""
    n = profile.sample_rows
    key = "text_checks" if n < profile.rows else "text_checks_all"
    lines = [_word(key, lang, looked=f"{n:,}", rows=f"{profile.rows:,}")]
    for check in sorted(profile.checks, key=lambda one: -one.count):
        if check.count:
            lines += _check(check, lang)
    clear = [_check_name(one, lang) for one in profile.checks if not one.count and not one.skipped]
    if clear:
        told = _word("list_comma", lang).join(clear)
        lines.append("  " + _word("check_none", lang, checks=told))
    lines += [
        "  " + _word("check_skipped", lang, check=_check_name(one, lang),
                     reason=say(one.skipped, lang))
        for one in profile.checks if one.skipped
    ]  # fmt: skip
    return "\n".join(lines)


def _check_name(check: ContentCheck, lang: str) -> str:
    return _word(f"check_{check.check}", lang)


def _check(check: ContentCheck, lang: str) -> list[str]:
    """One check's count with its certainty, some rows, and what to do."""
    share = check.count / check.n
    count = _word("check_share", lang, count=f"{check.count:,}", n=f"{check.n:,}",
                  share=f"{share:.1%}")  # fmt: skip
    notes = []
    if check.at_least:
        notes.append(_word("check_at_least", lang))
    elif check.low is not None and check.high is not None:
        notes.append(
            _word("check_interval", lang, low=f"{100 * check.low:.1f}", high=f"{check.high:.1%}")
        )
    if check.kinds:
        told = [f"{_word(f'kind_of_{check.check}_{kind}', lang)} {number:,}"
                for kind, number in check.kinds.items()]  # fmt: skip
        notes.append(_word("check_kinds", lang, kinds=_word("list_comma", lang).join(told)))
    lines = [f"  {_check_name(check, lang)}", f"    {count}"]
    lines += [f"    {note}" for note in notes]
    lines += [f"      {_flagged(one, lang)}" for one in check.examples[:EXAMPLES_SHOWN]]
    more = check.count - len(check.examples[:EXAMPLES_SHOWN])
    if more > 0:
        lines.append("      " + _word("check_more", lang, count=f"{more:,}"))
    return [*lines, "    → " + _word(f"check_{check.check}_do", lang)]


def _flagged(row: FlaggedRow, lang: str) -> str:
    quote = printable(row.quote)
    if row.other_line is None:
        return _word("check_line", lang, line=row.line, quote=quote)
    key = "check_lines" if row.other_file == row.file else "check_lines_file"
    return _word(key, lang, line=row.line, other=row.other_line, quote=quote,
                 file=printable(row.other_file))  # fmt: skip


def _table(rows: list[tuple[str, str]]) -> str:
    """Two columns; Chinese characters take two cells."""
    width = max(_cells(label) for label, _ in rows)
    return "\n".join(f"  {label}{' ' * (width - _cells(label))}  {value}" for label, value in rows)


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
