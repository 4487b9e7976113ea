"""What is typed after `forkpoint race` reaches the race."""

import pytest
import typer
from typer.testing import CliRunner

from forkpoint.cli import race as race_command
from forkpoint.race.request import RaceRequest

TYPED = {
    "--model": ("C", "models", ("A", "B", "C")),
    "--approach": ("cpt", "approaches", ("cpt",)),
    "--budget": ("1h", "budget", "1h"),
    "--goal": ("g", "goal", "g"),
    "--metric": ("chrf", "metric", "chrf"),
    "--margin": ("0.1", "margin", 0.1),
    "--threshold": ("0.9", "threshold", 0.9),
    "--seed": ("3", "seed", 3),
    "--passes": ("2", "passes", 2.0),
    "--rows-per-step": ("4", "rows_per_step", 4),
    "--context": ("99", "context_tokens", 99),
    "--lora-rank": ("8", "lora_rank", 8),
    "--system": ("S", "system_prompt", "S"),
    "--loss-turns": ("all", "loss_turns", "all"),
    "--finalist-seeds": ("2", "finalist_seeds", 2),
    "--test": ("t.jsonl", "test_file", "t.jsonl"),
    "--validation": ("v.jsonl", "validation_file", "v.jsonl"),
    "--group-by": ("who", "group_by", "who"),
    "--split": ("time:when", "time_field", "when"),
    "--data-format": ("text", "data_format", "text"),
    "--columns": ("prompt=ask,answer=said", "columns", {"prompt": "ask", "answer": "said"}),
    "--strict": ("", "strict", True),
    "--truncate": ("answers", "truncate", "answers"),
    "--template": ("plain", "template", "plain"),
    "--folds": ("3", "folds", 3),
    "--skip-general": ("", "skip_general", True),
    "--workers": ("2", "workers", 2),
    "--price": ("$2/h", "price", "$2/h"),
    "--subset": ("a=b", "subsets", ("a=b",)),
    "--replay": ("0.5", "replay", (0.5,)),
    "--replay-rows": ("r.jsonl", "replay_rows", "r.jsonl"),
    "--retain": ("a,b", "retain", ("a", "b")),
    "--floor": ("A:0.1", "floor", "A:0.1"),
    "--corpus": ("c.txt", "corpus", "c.txt"),
    "--twin": ("T", "twins", ("T",)),
    "--shots": ("2", "shots", (2,)),
    "--documents": ("d", "documents", "d"),
    "--max-latency": ("3", "max_latency", 3.0),
    "--max-memory": ("4GB", "max_memory", "4GB"),
    "--licence": ("commercial", "licence", "commercial"),
}


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> RaceRequest:
    """The request that a command line comes to."""
    requests: list[RaceRequest] = []
    monkeypatch.setattr(
        race_command, "_start", lambda request, *rest, **more: requests.append(request)
    )
    app = typer.Typer()
    app.command()(race_command.command("en"))
    done = CliRunner().invoke(app, ["rows.jsonl", "-m", "A", "-m", "B", *words])
    assert 0 == done.exit_code, done.output
    return requests[0]


@pytest.mark.parametrize("option", TYPED)
def test_an_option_reaches_its_field_and_no_other(
    monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    """All others stay as they are without it."""
    value, field, expected = TYPED[option]
    found = asked(monkeypatch, option, *([value] if value else []))
    plain = asked(monkeypatch)
    assert {field: expected} == {
        name: value for name, value in found if value != getattr(plain, name)
    }


def test_every_field_of_a_request_can_be_typed() -> None:
    """Nothing can be asked of a race that the command line cannot say."""
    assert {"data", *(field for _, field, _ in TYPED.values())} == set(RaceRequest.model_fields)
