"""Answers shown on a terminal as they are made."""

from forkpoint.behaviour.features import features
from forkpoint.behaviour.side_by_side import Piece, Request
from forkpoint.report.compare_text import deed, prompt_title, w
from forkpoint.report.paragraph import wrap
from forkpoint.report.visible import visible

BAR = "    │ "


class Stream:
    """Prints pieces under the name of who says them; nothing in them acts on the terminal."""

    def __init__(self, request: Request, lang: str) -> None:
        self._request = request
        self._lang = lang
        self._probes = {probe.id: probe for probe in request.probes}
        self._prompt: str | None = None
        self._speaking: tuple[int, str, str] | None = None

    def show(self, piece: Piece) -> None:
        """One piece, with headings where prompt or speaker change."""
        if piece.missing:
            return
        probe = self._probes[piece.probe]
        self._introduce(piece)
        if piece.answer is None:
            print(visible(piece.text).replace("\n", "\n" + BAR), end="", flush=True)
            return
        if not piece.answer.text.strip():
            print(w("said_nothing", self._lang), end="")
        seen = features(probe, piece.answer, raw=piece.way == "raw")
        print("\n" + wrap(deed(seen, piece.answer, self._lang), "      ", "    → "), flush=True)
        self._speaking = None

    def _introduce(self, piece: Piece) -> None:
        """The prompt once for everybody in a row, the speaker before each answer."""
        if self._prompt != piece.probe:
            self._prompt = piece.probe
            print("\n" + wrap(prompt_title(self._probes[piece.probe], self._lang)))
        speaker = (piece.checkpoint, piece.probe, piece.way)
        if self._speaking != speaker:
            self._speaking = speaker
            name = visible(self._request.checkpoints[piece.checkpoint])
            print(f"  {name} - {w(f'way_{piece.way}', self._lang)}\n{BAR}", end="", flush=True)
