"""What an export wrote and what it could not say, for a terminal."""

from forkpoint.export.exported import Exported
from forkpoint.report.paragraph import wrap
from forkpoint.report.visible import visible
from forkpoint.report.wording import count
from forkpoint.words import say


def export_text(exported: Exported, lang: str) -> str:
    """The answer of `forkpoint export`."""
    lines = [
        say(
            "export.done", lang, arm=exported.arm, tool=exported.tool, folder=exported.folder,
            train=exported.train_rows, validation=exported.validation_rows,
            tokens=count(exported.learned_tokens, lang),
        ),
        *_stages(exported, lang),
        say("export.run", lang, folder=exported.folder, command=exported.command),
        say("export.checked", lang, tool=exported.tool, version=exported.checked),
        say("export.gaps", lang),
    ]  # fmt: skip
    text = "\n".join(wrap(line, "  ") for line in lines)
    rows = " ".join(visible(token) for token in exported.token_rows)
    gaps = [wrap(say(key, lang, count=exported.retokenised, rows=rows), "    ", "  - ")
            for key in exported.gaps]  # fmt: skip
    return "\n".join([text, *gaps]) + "\n"


def _stages(exported: Exported, lang: str) -> list[str]:
    """How they are run, where there are several."""
    if len(exported.stages) < 2:
        return []
    comma = "、" if lang == "zh" else ", "
    names = comma.join(say(f"export.stage_{stage}", lang) for stage in exported.stages)
    return [
        say("export.stages", lang, count=len(exported.stages), stages=names,
            command=exported.command)
    ]  # fmt: skip
