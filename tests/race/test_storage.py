"""A worker that does not see the run folder: its files come from an address and go back there."""

import json
import shutil
import uuid
from pathlib import Path

import pytest
from race_records import agreement

from forkpoint.errors import BadInput
from forkpoint.ledger import Trial
from forkpoint.race.executor import note_path
from forkpoint.race.ground import ground_named
from forkpoint.race.storage import (
    Home,
    Mirror,
    Storage,
    bring_weights,
    checkpoint_name,
    send_checkpoint,
)
from forkpoint.race.work import WORK, AnswerWork, TrialWork

TRIAL = Trial(arm="pocket-base.full", rung=1, rate=1e-3, seed=0, rendering="plain")
FILES = ("weights/model.safetensors", "weights/config.json", "answers.jsonl")


@pytest.fixture(params=["memory", "file"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """An empty one, in this process's memory or in a folder."""
    if request.param == "memory":
        return Storage(f"memory://{uuid.uuid4().hex}/run")
    return Storage(f"file://{tmp_path}/store")


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"what {name} holds")


def driver(folder: Path) -> str:
    """A run folder and a checkpoint that only the driver sees."""
    checkpoint = folder / "model"
    write(checkpoint, "model.safetensors", "config.json", "tokenizer.json", "pickle.bin")
    ids = tuple(f"{number:016x}" for number in range(30))
    agreed = agreement((ids[:10], ids[10:20], ids[20:]), lambda text: text)
    found = agreed.checkpoints["pocket-base"].model_copy(update={"path": str(checkpoint)})
    agreed = agreed.model_copy(update={"checkpoints": {"pocket-base": found}})
    (folder / "race.json").write_text(agreed.to_json())
    write(folder, "rows.jsonl", "ledger.jsonl", "children.log")
    return str(checkpoint)


def test_a_trial_elsewhere_leaves_everything_but_weights(tmp_path: Path, storage: Storage) -> None:
    """The run folder gets answers at once, weights at the end; swept weights go there too."""
    home_folder, away = tmp_path / "run", tmp_path / "away"
    path = driver(home_folder)
    home = Home(storage, home_folder, [path])
    home.provide()
    send_checkpoint(storage, path)
    shutil.rmtree(path)  # the worker's machine has none
    worker = Mirror(storage, home.paths, away / "1", away)
    (away / "1").mkdir(parents=True)
    work = TrialWork(trial=TRIAL)
    worker.take(WORK.dump_json(work))
    moved = json.loads((away / "1" / "race.json").read_text())["checkpoints"]["pocket-base"]["path"]
    assert str(away / checkpoint_name(path)) == moved
    assert "what model.safetensors holds" == (Path(moved) / "model.safetensors").read_text()
    assert not (Path(moved) / "pickle.bin").exists()
    assert not (away / "1" / "ledger.jsonl").exists()
    write(away / "1" / TRIAL.folder, *FILES)
    write(away / "1", "children.log")
    left = worker.leave(work)
    assert {f"{TRIAL.folder}/{name}" for name in FILES} == set(left)
    home.receive(left)
    trial = home_folder / TRIAL.folder
    assert (trial / "answers.jsonl").exists() and (trial / "weights/config.json").exists()
    assert not (trial / "weights/model.safetensors").exists()
    bring_weights(storage, home_folder)
    assert "what weights/model.safetensors holds" == (trial / FILES[0]).read_text()
    shutil.rmtree(trial / "weights")
    home.tidy()
    assert not [name for name in storage.sizes("arms") if "weights" in name]


def test_answers_are_given_where_the_weights_were_not_trained(
    tmp_path: Path, storage: Storage
) -> None:
    """Another worker fetches a trial's weights to answer with them, and leaves its answers."""
    home_folder = tmp_path / "run"
    path = driver(home_folder)
    Home(storage, home_folder, [path]).provide()
    first = Mirror(storage, [], tmp_path / "1", tmp_path)
    write(tmp_path / "1" / TRIAL.folder, *FILES)
    first.leave(TrialWork(trial=TRIAL))
    assert not (tmp_path / "1" / TRIAL.folder).exists()
    second = Mirror(storage, [], tmp_path / "2", tmp_path)
    work = AnswerWork(subject=TRIAL.arm, checkpoint="pocket-base", split="test", trial=TRIAL)
    second.take(WORK.dump_json(work))
    assert (tmp_path / "2" / TRIAL.folder / FILES[0]).exists()
    assert not (tmp_path / "2" / TRIAL.folder / "answers.jsonl").exists()
    write(tmp_path / "2", "answers/a.jsonl")
    assert ["answers/a.jsonl"] == second.leave(work)


def test_a_trial_goes_on_on_another_node(tmp_path: Path, storage: Storage) -> None:
    """What a lost worker had sent of its training is where the next one begins."""
    work = TrialWork(trial=TRIAL)
    first = Mirror(storage, [], tmp_path / "1", tmp_path)
    resume = f"{TRIAL.folder}/weights/resume"
    write(tmp_path / "1" / resume, "0-5.safetensors", "resume.json", "0-6.safetensors.part")
    note = note_path(tmp_path / "1", work, "progress")
    note.parent.mkdir()
    note.write_text(json.dumps({"step": 5, "steps": 9, "worker": "10.0.0.2 (7)"}))
    first.send_on(work)
    home = Home(storage, tmp_path / "run", [])
    home.fetch_notes()
    assert 5 == json.loads(note_path(tmp_path / "run", work, "progress").read_text())["step"]
    second = Mirror(storage, [], tmp_path / "2", tmp_path)
    second.take(WORK.dump_json(work))
    kept = {path.name for path in (tmp_path / "2" / resume).iterdir()}
    assert {"0-5.safetensors", "resume.json"} == kept
    second.leave(work)
    assert not [name for name in storage.sizes() if "resume" in name]


def test_a_storage_that_is_none_is_a_sentence() -> None:
    """What is missing and what to install; and no storage for one machine."""
    with pytest.raises(BadInput, match="nosuch://bucket") as raised:
        Storage("nosuch://bucket/run")
    assert "pip install" in raised.value.message("zh")
    with pytest.raises(BadInput, match="leave one"):
        ground_named("local", None, None, "s3://bucket/run")
