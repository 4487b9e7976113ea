"""An installed package that adds a way to ask and a way to train, one file each."""

from pathlib import Path

ASKED = '''
"""Asked for one word: a kind of arm that the package does not know."""

from forkpoint.data.row import Turn
from forkpoint.ledger import Setup

NAME = "one-word"
TITLE = {"en": "asked for one word", "zh": "只答一个词"}


def setups(wish):
    return (Setup(name="polite"), Setup(name="short"))


def pieces(row, setup, sources):
    return ("One word, please.",) if setup.name == "polite" else ("One word.",)


def conversation(row, chosen):
    return (Turn("system", " ".join(chosen)), *row.turns)


def prompt_tokens(setup, usual):
    return usual.prompt_tokens + (5 if setup.name == "polite" else 3)
'''
TRAINED = '''
"""LoRA on attention alone: an approach that the package does not know."""

from forkpoint.train.approach.lora import default_rate, load, load_for_answers, save
from forkpoint.train.approach import lora

NAME = "attention-lora"
TITLE = {"en": "LoRA on attention alone", "zh": "只在注意力层上的 LoRA"}
METHOD = "lora"
NEEDS = ()


def trainable_parameters(shape, settings):
    return lora.trainable_parameters(shape, settings.model_copy(update={"targets": "attention"}))


def prepare(model, settings):
    return lora.prepare(model, settings.model_copy(update={"targets": "attention"}))
'''
POINTS = """\
[forkpoint.untrained]
one-word = asked_for_one_word
[forkpoint.approaches]
attention-lora = trained_on_attention
"""


def install(folder: Path, points: str = POINTS) -> Path:
    """Lay the package into a folder that is to stand on the path."""
    (folder / "asked_for_one_word.py").write_text(ASKED, encoding="utf-8")
    (folder / "trained_on_attention.py").write_text(TRAINED, encoding="utf-8")
    meta = folder / "kinds_from_outside-1.0.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: kinds-from-outside\nVersion: 1.0\n"
    )
    (meta / "entry_points.txt").write_text(points)
    return folder
