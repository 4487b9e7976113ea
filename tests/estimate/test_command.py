"""`forkpoint estimate` as a user types it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = {
    "model_type": "llama",
    "hidden_size": 2048,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 8192,
    "vocab_size": 128256,
    "tie_word_embeddings": True,
    "max_position_embeddings": 131072,
}


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command."""
    from forkpoint.cli import main

    try:
        main(["estimate", *map(str, words)])
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config.json."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG))
    return path


def test_json_is_one_document_with_parts_phases_and_interval(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything that the text says, for a program."""
    code, out, _ = run(capsys, config, "--gpu", "24GB", "--json")
    found = json.loads(out)
    assert 0 == code
    estimate = found["estimate"]
    assert estimate["low_bytes"] < estimate["estimated_bytes"] < estimate["high_bytes"]
    assert ["loss", "backward", "step", "answers"] == [p["name"] for p in estimate["phases"]]
    assert "yes" == found["fit"]["answer"]


@pytest.mark.parametrize(("lang", "word"), [("en", "Peak"), ("zh", "峰值")])
def test_text_speaks_both_languages(
    config: Path, capsys: pytest.CaptureFixture[str], lang: str, word: str
) -> None:
    """A remedy and every approach are said in either."""
    code, out, _ = run(capsys, config, "--gpu", "8GB", "--approach", "full", "--lang", lang)
    assert 0 == code
    assert word in out
    assert "qlora" in out


def test_several_checkpoints_name_the_largest_that_fits(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reverse question over checkpoints."""
    large = tmp_path / "large.json"
    large.write_text(json.dumps({**CONFIG, "num_hidden_layers": 200}))
    code, out, _ = run(capsys, config, large, "--gpu", "8GB", "--lang", "en")
    assert 0 == code
    assert f"Largest of these that fits with lora: {config}." in " ".join(out.split())


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        ({"model_type": "nonesuch"}, (), "nonesuch"),
        ({"hidden_size": None}, (), "hidden_size"),
        ({}, ("--gpu", "lots"), "lots"),
        ({}, ("--approach", "magic"), "magic"),
        ({}, ("--batch", "0"), "--batch 0"),
        ({}, ("--stack", "none"), "none"),
        ({}, ("--cpu", "--approach", "qlora"), "CPU"),
        ({"quantization_config": {"quant_method": "awq", "bits": 4}},
         ("--approach", "qlora"), "quantised already"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_a_sentence_and_exit_code_2(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, object],
    words: tuple[str, ...],
    said: str,
) -> None:
    """What was found, and no traceback."""
    config.write_text(json.dumps({**CONFIG, **change}))
    code, out, err = run(capsys, config, *words, "--lang", "en")
    assert (2, "") == (code, out)
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00"])
def test_a_config_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """A broken file is named."""
    path = tmp_path / "config.json"
    path.write_text(text)
    code, _, err = run(capsys, path, "--lang", "en")
    assert 2 == code
    assert str(path) in err


def test_an_estimate_never_loads_torch(config: Path) -> None:
    """A light command starts in a moment."""
    code = (
        "import sys; from forkpoint.cli import main; "
        f"main(['estimate', {str(config)!r}, '--gpu', '24GB', '--json']); "
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert 0 == done.returncode, done.stderr


def test_activations_are_kept_where_they_fit_and_computed_twice_where_they_do_not(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a race does; `on` and `off` are taken at their word."""
    found = {}
    for how, memory in (("auto", "80GB"), ("auto", "8GB"), ("on", "80GB"), ("off", "8GB")):
        words = ("--context", 8192, "--gpu", memory, "--checkpointing", how, "--json")
        _, out, _ = run(capsys, config, *words)
        found[how, memory] = json.loads(out)["estimate"]["setup"]["checkpointing"]
    expected = {("auto", "80GB"): False, ("auto", "8GB"): True}
    assert {**expected, ("on", "80GB"): True, ("off", "8GB"): False} == found
    code, _, err = run(capsys, config, "--checkpointing", "maybe", "--lang", "en")
    assert 2 == code
    assert "maybe" in err
