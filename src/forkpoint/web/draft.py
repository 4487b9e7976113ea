"""A race that is being set up: what has been chosen so far, in draft.json of its folder."""

from datetime import UTC, datetime
from pathlib import Path

from forkpoint.errors import BadInput
from forkpoint.facts.stopping import TemplateWish
from forkpoint.ledger import write_whole
from forkpoint.record import Record
from forkpoint.train.approach import approaches as known_approaches
from forkpoint.web.folders import AGREEMENT, DRAFT, folder_of

APPROACHES = ("lora", "full")  # ticked at first


class Draft(Record):
    """What a person chose on the start pages."""

    schema_version: int = 1
    created: str
    data: str  # as forkpoint is given it: a path, a bundled set's name, a Hub data set
    uploaded: bool
    goal: str = ""
    models: tuple[str, ...] = ()
    approaches: tuple[str, ...] = APPROACHES
    corpus: str = ""  # the file of raw text that some approaches read first
    documents: str = ""  # the folder that RAG retrieves from
    template: TemplateWish = "auto"  # whose template rows are written in
    budget: str = "auto"

    @property
    def ready(self) -> bool:
        """Whether there are two arms to race, one of which is trained."""
        trained = any(one in known_approaches() for one in self.approaches)
        return trained and len(self.models) * len(self.approaches) >= 2

    def profile_words(self, lang: str) -> list[str]:
        """The command that reads the data."""
        return ["inspect", "--json", f"--lang={lang}", "--", self.data]

    def race_words(self, lang: str) -> list[str]:
        """The command of the race, without where to and whether to start."""
        words = ["race", f"--budget={self.budget}", f"--lang={lang}"]
        words += [f"--model={name}" for name in self.models]
        words += [f"--approach={name}" for name in self.approaches]
        words += [f"--template={self.template}"] if self.template != "auto" else []
        words += [f"--corpus={self.corpus}"] if self.corpus else []
        words += [f"--documents={self.documents}"] if self.documents else []
        words += [f"--goal={self.goal}"] if self.goal else []
        return words

    def plan_words(self, lang: str) -> list[str]:
        """The command that says what the race would cost."""
        return [*self.race_words(lang), "--dry-run", "--json", "--", self.data]

    def start_words(self, folder: Path, lang: str) -> list[str]:
        """The command that races."""
        return [*self.race_words(lang), f"--out={folder}", "--yes", "--json", "--", self.data]


def new_draft(data: str, uploaded: bool, goal: str) -> Draft:
    """A draft of a race on these data."""
    return Draft(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data=data,
        uploaded=uploaded,
        goal=goal,
    )


def save(folder: Path, draft: Draft) -> None:
    """Write a draft."""
    write_whole(folder / DRAFT, draft.to_json(indent=1).encode())


def read(runs: Path, name: str) -> tuple[Path, Draft]:
    """The folder and the draft of a name; raises BadInput where there is none."""
    folder = folder_of(runs, name)
    try:
        return folder, Draft.from_json((folder / DRAFT).read_bytes())
    except FileNotFoundError:
        raise BadInput("web.no_draft", name=name) from None
    except ValueError:
        raise BadInput("web.bad_draft", file=folder / DRAFT) from None


def raced(folder: Path) -> bool:
    """Whether the race of a draft has been agreed on: from then on it is a run."""
    return (folder / AGREEMENT).exists()
