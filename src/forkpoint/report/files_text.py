"""Two checkpoints' files beside each other as text."""

from forkpoint.facts.file_comparison import FileComparison
from forkpoint.report.compare_text import w
from forkpoint.report.paragraph import heading, wrap
from forkpoint.report.visible import visible

NAMED = 6  # of a list


def files_text(found: FileComparison, lang: str) -> str:
    """The text that `forkpoint compare --files` prints for one pair."""
    lines = [heading(w("files_title", lang, first=visible(found.first),
                       second=visible(found.second))).lstrip("\n")]  # fmt: skip
    if found.same:
        lines.append(wrap(w("files_same", lang)))
    lines += [wrap(text, "  ", "- ") for text in (
        w(f"files_weights_{found.weights}", lang, count=found.tensors_compared,
          names=_named(found.tensors_different, lang)),
        _tokens(found, lang),
        _files(found, lang),
    )]  # fmt: skip
    lines.append(wrap(w("files_template_" + ("same" if found.template_equal else "differs"), lang),
                      "  ", "- "))  # fmt: skip
    lines += [f"    {visible(line)}" for line in found.template]
    lines += _changes(found, lang)
    return "\n".join(lines) + "\n"


def _tokens(found: FileComparison, lang: str) -> str:
    tokens = found.tokens
    if tokens is None:
        return w("files_tokens_unread", lang)
    if not (tokens.only_first or tokens.only_second or tokens.moved):
        return w("files_tokens_same", lang, count=f"{tokens.first_tokens:,}")
    return w(
        "files_tokens_differ", lang, first=f"{tokens.first_tokens:,}",
        second=f"{tokens.second_tokens:,}", only_first=_named(tokens.only_first, lang),
        only_second=_named(tokens.only_second, lang), moved=_named(tokens.moved, lang),
    )  # fmt: skip


def _files(found: FileComparison, lang: str) -> str:
    by_state: dict[str, list[str]] = {}
    for pair in found.files:
        by_state.setdefault(pair.state, []).append(pair.file)
    differing = by_state.get("differs", [])
    told = {"en": " ({})", "zh": "（{}）"}[lang].format(_named(tuple(differing), lang))
    return w(
        "files_list", lang, same=len(by_state.get("same", [])), differs=len(differing),
        differing=told if differing else "",
        only_first=_named(tuple(by_state.get("only_first", [])), lang),
        only_second=_named(tuple(by_state.get("only_second", [])), lang),
    )  # fmt: skip


def _changes(found: FileComparison, lang: str) -> list[str]:
    real = [change for change in found.changes if not change.noise]
    lines = [wrap(w("files_changes", lang), "  ", "- ")] if real else []
    for change in real:
        values = [w("files_absent", lang) if value is None else visible(value)
                  for value in (change.first, change.second)]  # fmt: skip
        lines.append(wrap(w("files_change", lang, file=change.file, field=visible(change.field),
                            first=values[0], second=values[1]), "      ", "    "))  # fmt: skip
    noise = len(found.changes) - len(real)
    return [*lines, *([wrap(w("files_noise", lang, count=noise), "  ", "- ")] if noise else [])]


def _named(names: tuple[str, ...], lang: str) -> str:
    if not names:
        return "–"
    shown = ", ".join(visible(name) for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown}, ..."
