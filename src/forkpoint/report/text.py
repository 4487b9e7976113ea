"""The report on a terminal: the verdict, one table, cost, forgetting, what would help."""

import io
from typing import TYPE_CHECKING, Any

from forkpoint.record import Figure
from forkpoint.report.enough_text import enough_sentences
from forkpoint.report.foreseen import notes
from forkpoint.report.kept_text import kept_sentences
from forkpoint.report.opening import opening
from forkpoint.report.replay_table import replay_tables
from forkpoint.report.series import ordered
from forkpoint.report.untrained_tables import asked_table, cost_table, indented, votes_table
from forkpoint.report.untrained_text import shortened_sentences
from forkpoint.report.view_record import ArmView, View
from forkpoint.report.visible import bounded, visible
from forkpoint.report.votes_text import votes_told
from forkpoint.report.wording import (
    chance,
    count,
    duration,
    named,
    number,
    percent,
    span,
    tight_span,
    told,
    w,
)
from forkpoint.words import say

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 100  # characters, where the terminal does not say
NARROWEST = 60  # below this a table of arms cannot be read; lines may then wrap
NAME_WHOLE = 28  # characters of an arm's name that are never broken over lines
LONGEST = 400  # characters of one text on a terminal


def text(view: View, lang: str = "en", *, width: int | None = None, colour: bool = False) -> str:
    """The report as terminal text; ANSI styles only with `colour`."""
    from rich.console import Console

    out = io.StringIO()
    console = Console(
        file=out,
        width=max(NARROWEST, width or WIDTH),
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    _Writer(console, view, lang).write()
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def _safe(value: str) -> str:
    kept, more = bounded(value.replace("\n", " ").replace("\t", " "), LONGEST)
    return visible(kept) + (f" … +{more:,}" if more else "")


class _Writer:
    """Writes one view to one console."""

    def __init__(self, console: "Console", view: View, lang: str) -> None:
        self.console = console
        self.view = view
        self.lang = lang

    def write(self) -> None:
        first = opening(self.view, self.lang)
        self.line()
        self.line(first.headline, "bold")
        for sentence in first.sentences:
            self.line(sentence)
        for notice in self.view.notices:
            self.line(f"! {told(notice, self.lang)}")
        self.line()
        self.table()
        self.asked()
        self.preferred()
        self.fates()
        self.answer_costs()
        self.cost()
        self.forgotten()
        self.listed(w("kept_title", self.lang), tuple(kept_sentences(self.view.verdict, self.lang)))
        self.replayed()
        self.enough()
        self.votes()
        self.listed(w("help_title", self.lang), first.help)
        self.line()
        self.line(w("text_more", self.lang, run=self.view.run), "dim")

    def line(self, words: str = "", style: str = "") -> None:
        """One paragraph, indented by two."""
        from rich.padding import Padding
        from rich.text import Text

        self.console.print(Padding(Text(_safe(words), style=style), (0, 0, 0, 2)))

    def table(self) -> None:
        """The arms with their scores and intervals."""
        from rich.padding import Padding
        from rich.table import Table

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        tested = any(arm.result.test for arm in self.view.arms)
        longest = max((len(_safe(arm.name)) for arm in self.view.arms), default=0)
        table.add_column(w("arm", self.lang), overflow="fold", no_wrap=longest <= NAME_WHOLE)
        if tested:
            table.add_column(w("test", self.lang), overflow="fold")
        table.add_column(w("validation", self.lang), overflow="fold")
        for key in ("text_best", "text_stops", "text_tokens"):
            table.add_column(w(key, self.lang), justify="right", overflow="fold")
        table.add_column("", overflow="fold")
        for arm in ordered(self.view):
            table.add_row(*self.cells(arm, tested))
        self.console.print(Padding(table, (0, 0, 0, 2)))
        self.line()
        self.line(self.legend(), "dim")

    def cells(self, arm: ArmView, tested: bool) -> list[Any]:
        """One row of the table."""
        from rich.text import Text

        result = arm.result
        style = {"winner": "bold", "dropped": "dim", "failed": "dim"}.get(arm.state, "")
        cells = [_safe(arm.name)]
        if tested:
            cells.append(self.score(result.test))
        cells += [
            self.score(result.validation),
            chance(result.p_best),
            percent(result.stop_rate.value if result.stop_rate else None),
            count(result.tokens, self.lang),
            w(f"state_{arm.state}", self.lang),
        ]
        return [Text(cell, style=style) for cell in cells]

    def score(self, figure: Figure | None) -> str:
        """A score with its interval, in the least room."""
        if figure is None:
            return "–"
        interval = tight_span(figure, self.lang)
        return f"{number(figure.value)}  {interval}" if interval else number(figure.value)

    def legend(self) -> str:
        """What the scores are, and over how many rows."""
        return w(
            "text_legend",
            self.lang,
            metric=named("metric", self.view.metric, self.lang),
            test=self.rows([arm.result.test for arm in self.view.arms]),
            validation=self.rows([arm.result.validation for arm in self.view.arms]),
        )

    def rows(self, figures: list[Figure | None]) -> str:
        """The n of a column."""
        return ", ".join(f"{n:,}" for n in sorted({f.n for f in figures if f and f.n})) or "–"

    def asked(self) -> None:
        """The arms that cost no training."""
        if self.view.asked:
            self.line()
            self.console.print(indented(asked_table(self.view, self.lang)))
            for words in shortened_sentences(self.view, self.lang):
                self.line(words)

    def answer_costs(self) -> None:
        """What one answer of each arm costs."""
        if self.view.costs:
            self.line()
            self.console.print(indented(cost_table(self.view, self.lang, self.console.width)))
            self.line(say("untrained.cost_legend", self.lang), "dim")

    def fates(self) -> None:
        """Who is out, and why."""
        out = [arm for arm in ordered(self.view) if arm.fate]
        self.listed(
            w("who_is_out", self.lang),
            tuple(f"{arm.name}: {told(arm.fate, self.lang)}" for arm in out if arm.fate),
        )

    def cost(self) -> None:
        """What it cost, against brute force."""
        cost = self.view.cost
        key = "line_cost" if self.view.verdict else "line_cost_open"
        self.listed(
            w("text_cost", self.lang),
            (
                w(
                    key,
                    self.lang,
                    tokens=count(cost.spent.value, self.lang),
                    time=duration(cost.seconds.value, self.lang),
                    share=percent(cost.share.value if cost.share else None),
                    brute=count(cost.brute_force.value, self.lang),
                    budget=count(cost.budget.value, self.lang),
                ),
                *notes(
                    self.view.foreseen, cost.seconds.value, cost.predicted_seconds.value, self.lang
                ),
            ),
        )

    def forgotten(self) -> None:
        """General ability before and after."""
        named_arm = self.view.verdict.arm if self.view.verdict else None
        changes = [c for c in self.view.changes if c.subject == named_arm] or self.view.changes
        lines = tuple(
            w(
                "line_forgot",
                self.lang,
                arm=c.subject,
                ability=named("ability", c.ability, self.lang),
                before=number(c.before.value, 2),
                after=number(c.after.value, 2),
                difference=number(c.difference.value, 2, True),
                interval=span(c.difference, self.lang, 2),
                n=c.difference.n or "–",
            )
            for c in changes
        )
        self.listed(w("text_forgot", self.lang), lines or (w("line_forgot_none", self.lang),))

    def replayed(self) -> None:
        """Task score and change of each ability by share of rows against forgetting."""
        for table in replay_tables(self.view):
            lines = []
            for row in table.rows:
                changes = [
                    f"{named('ability', ability, self.lang)} {number(c.difference.value, 2, True)} "
                    f"{span(c.difference, self.lang, 2)}"
                    for ability, c in zip(table.abilities, row.changes, strict=True)
                    if c
                ]
                values = {
                    "share": percent(row.share),
                    "metric": named("metric", self.view.metric, self.lang),
                    "score": self.score(row.score),
                    "changes": "; ".join(changes) or "–",
                }
                lines.append(w("line_replay", self.lang, **values))
            self.listed(w("replay_title", self.lang), tuple(lines))

    def preferred(self) -> None:
        """How often each arm finds the chosen answer likelier, where the rows are pairs."""
        lines = tuple(
            w(
                "line_preferred",
                self.lang,
                arm=arm.name,
                share=number(found.value, 2),
                interval=span(found, self.lang, 2),
                n=found.n or "–",
            )
            for arm in ordered(self.view)
            if (found := arm.result.preferred)
        )
        self.listed(w("preferred_title", self.lang), lines)

    def enough(self) -> None:
        """Whether more rows would help, where it was asked."""
        for found in self.view.enough:
            title = say("enough.title", self.lang, arm=found.arm)
            self.listed(title, tuple(enough_sentences(found, self.lang)))

    def votes(self) -> None:
        """What people and judges preferred, and what was sent to judges."""
        if self.view.votes is not None:
            told = votes_told(self.view.votes, self.lang)
            self.line()
            self.line(told.title, "bold")
            for caption, rows in told.tables:
                self.console.print(indented(votes_table(_safe(caption), rows)))
                self.line()
            for sentence in told.sentences[:-1]:
                self.line(sentence)

    def listed(self, title: str, lines: tuple[str, ...]) -> None:
        """A title with its lines; nothing where there are none."""
        if not lines:
            return
        self.line()
        self.line(title, "bold")
        for words in lines:
            self.line(words)
