"""What a measurement is: figures with where they were read, and the rules they bear on."""

from typing import Literal

from forkpoint.record import Figure, Record

Direction = Literal["supports", "against", "undecided"]
Scale = Literal["task_score", "likelihood", "benchmark", "judged", "none"]


class StudyFigure(Record):
    """One figure of a study; its name is the catalogue key `sources.NAME`."""

    name: str
    figure: Figure
    of: str = ""  # the checkpoint or setting it was measured on, verbatim


class Bearing(Record):
    """What a study says about one rule: its direction, and the figure that shows it."""

    rule: str
    direction: Direction
    figure: str  # StudyFigure.name; the first of that name


class Study(Record):
    """A measurement; title and lesson are `sources.study_KEY` and `sources.lesson_KEY`."""

    key: str
    address: str
    read: Literal["data", "paper", "abstract", "thread", "own"]  # what was read of it
    scale: Scale
    parameters: tuple[int, int] | None  # smallest and largest checkpoint measured
    figures: tuple[StudyFigure, ...] = ()
    bearings: tuple[Bearing, ...] = ()
    own: bool = False  # this project's, on its pocket family: quoted, never counted


def published(value: float, unit: str, source: str, n: int | None = None) -> Figure:
    """A figure as its source gives it."""
    return Figure(value=value, unit=unit, n=n, origin="published", source=source)
