"""The behaviour probe tells the pocket family apart, and a short training says whether it stops."""

import json
import re
import subprocess
import sys
from functools import cache

import pytest

from forkpoint.behaviour.inspection import Inspection, inspect_behaviour
from forkpoint.behaviour.stop_trial import FORMS, WORDS, made_rows
from forkpoint.cli import main
from forkpoint.errors import BadInput
from forkpoint.facts.behaviour import Behaviour, Count
from forkpoint.facts.checkpoint_files import locate
from forkpoint.facts.judgement import GROUPS, judge, stage_of
from forkpoint.facts.reading import Reading, read_files
from forkpoint.facts.signals.behaviour import behaviour_signals
from forkpoint.models.rendering import Renderer, Rendering
from forkpoint.models.weights import load_tokenizer
from forkpoint.pocket import checkpoint_path
from forkpoint.report.checkpoint_text import checkpoint_text
from forkpoint.report.stopping_text import clue_text, trials_text

STAGES = ("base", "instruct", "chat")


@cache
def inspected(stage: str) -> Inspection:
    """One pocket checkpoint, loaded, asked and trained briefly."""
    return inspect_behaviour(f"pocket-{stage}")


def behaviour(stage: str) -> Behaviour:
    """What it did."""
    seen = inspected(stage).facts.behaviour
    assert seen is not None
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_behaviour_alone_tells_the_stage(stage: str) -> None:
    """Name, card, template, tokenizer and weights hidden: what it did is enough."""
    reading = read_files(locate(f"pocket-{stage}"))
    asked = Reading(name="x", title="x", behaviour=behaviour(stage))
    others = {item.signal for group in GROUPS for item in group(reading).sold_as}
    assert "behaviour" not in others
    sold_as, post_training, _ = judge(asked, hidden=others)
    assert {"behaviour"} == {item.signal for item in sold_as.evidence}
    assert stage == stage_of(sold_as, post_training)


def test_the_counts_are_those_of_their_stages() -> None:
    """Base never ends a turn, Instruct ends it at once, Chat offers more before it does."""
    base, instruct, chat = (behaviour(stage) for stage in STAGES)
    assert base.end_probability < 0.01 < 0.9 < min(instruct.end_probability, chat.end_probability)
    assert ("borrowed", "chat", "chat") == (base.rendering, instruct.rendering, chat.rendering)
    assert 0 == base.stopped.hits
    assert min(instruct.stopped.share, chat.stopped.share) > 0.85
    assert base.followed.share < 0.2 < 0.5 < min(instruct.followed.share, chat.followed.share)
    assert instruct.offered.share < 0.15 < 0.8 < chat.offered.share


@pytest.mark.parametrize("stage", STAGES)
def test_a_short_training_in_the_right_rendering_stops(stage: str) -> None:
    """Plain text that ends in EOS for Base, their own template for the tuned: 95 % and more."""
    trials = inspected(stage).trials
    assert ["plain" if stage == "base" else "chat"] == [trial.rendering for trial in trials]
    assert all(trial.enough and trial.stop_rate.n == 32 for trial in trials)
    assert all(trial.stop_rate.low is not None for trial in trials)


def test_rows_of_the_trial_are_apart() -> None:
    """No prompt is trained on and asked; both languages are in both parts."""
    renderer = Renderer(load_tokenizer(checkpoint_path("pocket-base")), Rendering(kind="plain"))
    rows = made_rows(renderer)
    assert len(FORMS["en"]) * len(WORDS["en"]) * 2 == len(rows)
    prompts = [row.prompt_ids for row in rows]
    assert len(prompts) == len(set(prompts))


def test_texts_in_both_languages() -> None:
    """The counts with their interval, then the trial's figure, then what to mind."""
    found = inspected("chat")
    for lang, words in (
        ("en", ("within 48 tokens", "offered a follow-up: 2", "n = 32", "What to mind")),
        ("zh", ("在 48 个词元内", "主动提出再帮忙", "n = 32", "注意事项")),
    ):
        text = checkpoint_text(found.facts, lang, found.trials)
        assert trials_text(found.trials, lang) in text
        places = [text.rfind(word) for word in words]  # evidence above says some of it, too
        assert sorted(places) == places
        assert -1 not in places


def test_the_command_gives_the_whole_record(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`inspect --probe --json`: facts with behaviour, the plan and the trials."""
    found = inspected("instruct")
    monkeypatch.setattr("forkpoint.behaviour.inspection.inspect_behaviour", lambda *_: found)
    with pytest.raises(SystemExit) as left:
        main(["inspect", "pocket-instruct", "--probe", "--json"])
    assert not left.value.code
    assert found == Inspection.model_validate(json.loads(capsys.readouterr().out))
    assert "instruct" == found.facts.stage
    assert "behaviour" in {item.signal for item in found.facts.sold_as.evidence}


def test_libraries_do_not_talk_to_the_user() -> None:
    """What the libraries have to say to each other is not on the terminal; stdout is the answer."""
    done = subprocess.run(
        [sys.executable, "-m", "forkpoint", "inspect", "pocket-chat", "--probe", "--lang", "en"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "" == done.stderr
    assert "How it behaved" in done.stdout


def seen(**changes: object) -> Behaviour:
    """Behaviour that says nothing, with something changed."""
    none = Count(hits=0, n=20)
    values = {
        "rendering": "chat", "end_probability": 0.2, "end_probability_mean": 0.1, "answers": 10,
        "stopped": Count(hits=12, n=20), "followed": Count(hits=7, n=20), "echoed": none,
        "continued": none, "offered": Count(hits=5, n=20), "declined": none, "limit_tokens": 48,
        "seconds": 1.0,
    }  # fmt: skip
    return Behaviour.model_validate({**values, **changes})


@pytest.mark.parametrize(
    ("changes", "says", "sign"),
    [
        ({"end_probability": 0.01}, "base", 1),
        ({"end_probability": 0.9}, "base", -1),
        ({"stopped": Count(hits=2, n=20)}, "base", 1),
        ({"stopped": Count(hits=20, n=20)}, "base", -1),
        ({"followed": Count(hits=1, n=20)}, "base", 1),
        ({"followed": Count(hits=18, n=20)}, "base", -1),
        ({"echoed": Count(hits=10, n=20)}, "base", 1),
        ({"offered": Count(hits=15, n=20)}, "chat", 1),
        ({"end_probability": 0.9, "declined": Count(hits=3, n=4)}, "chat", 1),
        ({"end_probability": 0.9, "offered": Count(hits=0, n=20)}, "instruct", 1),
    ],
)
def test_each_sign_speaks_for_its_stage(changes: dict[str, object], says: str, sign: int) -> None:
    """One feature at a time, in the direction that it has; without it nothing is said of it."""

    def weight(behaviour: Behaviour) -> float:
        found = behaviour_signals(Reading(name="x", title="x", behaviour=behaviour)).sold_as
        return sum(item.weight for item in found if item.says == says)

    assert sign * weight(seen(**changes)) > 0
    assert 0 == weight(seen())


def test_what_it_did_is_evidence_in_both_languages() -> None:
    """Every clue of the probe is said in the reader's words, and in English as it is recorded."""
    for changes in ({"end_probability": 0.9}, {"stopped": Count(hits=20, n=20)},
                    {"followed": Count(hits=18, n=20)}, {"echoed": Count(hits=10, n=20)},
                    {"offered": Count(hits=15, n=20)},
                    {"end_probability": 0.9, "declined": Count(hits=3, n=4)}):  # fmt: skip
        reading = Reading(name="x", title="x", behaviour=seen(**changes))
        for item in behaviour_signals(reading).sold_as:
            assert item.found == clue_text(item.found, "en")
            assert not re.search(r"[a-z]{3}", clue_text(item.found, "zh"))


def test_long_answers_are_no_sign_of_a_base() -> None:
    """Who ends its turns when an answer is finished may well run into a short limit."""
    short = seen(stopped=Count(hits=2, n=20), end_probability=0.9)
    found = behaviour_signals(Reading(name="x", title="x", behaviour=short)).sold_as
    assert not [item for item in found if item.says == "base" and item.weight > 0]


def test_no_probe_no_signal() -> None:
    """Without --probe the group is silent."""
    assert not behaviour_signals(Reading(name="x", title="x")).sold_as


def test_nothing_to_load_is_a_sentence(tmp_path) -> None:
    """Metadata without weights cannot be asked."""
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(BadInput) as caught:
        inspect_behaviour(str(tmp_path))
    assert "nothing to probe" in caught.value.message("en")
