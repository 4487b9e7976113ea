"""The checkpoints of a race: read before it, and held to what they were when it is taken up."""

from pathlib import Path

from forkpoint import facts
from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.form import NO_TEXT
from forkpoint.facts.stopping import stop_plan
from forkpoint.ledger import Agreement
from forkpoint.race.request import RaceRequest


def read_local(name: str) -> CheckpointFacts:
    """A checkpoint that lies on this machine, fetched first where it does not."""
    found = facts.read_checkpoint(name)
    if found.path is None:
        facts.fetch_weights(name)
        found = facts.read_checkpoint(name)
    return found


def read_checkpoints(request: RaceRequest) -> dict[str, CheckpointFacts]:
    """Short name -> facts, weights fetched where they are only on the Hub; raises BadInput."""
    found: dict[str, CheckpointFacts] = {}
    for name in request.models:
        checkpoint = read_local(name)
        _writes_text(name, checkpoint)
        if request.template == "own" and stop_plan(checkpoint, "own").remedy == "plain":
            raise BadInput("race.no_template", name=name)
        short = Path(name).name.lower() if Path(name).exists() else name.split("/")[-1].lower()
        unique, number = short, 2
        while unique in found:
            unique, number = f"{short}-{number}", number + 1
        found[unique] = checkpoint
    return found


def _writes_text(name: str, checkpoint: CheckpointFacts) -> None:
    """Refuse a file that is made for running only, and a network whose files give no text.

    A name alone refuses nothing: only what config.json and the list of files say counts here.
    """
    codes = {notice.code for notice in checkpoint.notices}
    if "gguf" in codes:
        raise BadInput("race.starts_from_gguf", name=name)
    if "no-text" in codes and any(
        clue.says in NO_TEXT if clue.weight > 0 else clue.says == "text"
        for clue in checkpoint.kind.evidence
        if clue.signal == "architecture"
    ):
        raise BadInput("race.writes_no_text", name=name)


def check_checkpoints(agreement: Agreement) -> None:
    """Refuse to go on with a checkpoint whose files have changed; raises BadInput."""
    for name, agreed in (*agreement.checkpoints.items(), *agreement.twins.items()):
        now = facts.read_checkpoint(str(agreed.path))
        if now.identity != agreed.identity:
            raise BadInput("race.changed_checkpoint", name=name, path=agreed.path)
