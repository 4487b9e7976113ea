"""The tokenizer and the chat template of the pocket family."""

import itertools
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from recipes.pocket import prose

VOCABULARY = 2_048  # tokens; a third of them spell the Chinese characters of the world
DOCUMENTS = 40_000  # documents of pre-training that the merges are learned from
END_OF_TEXT, TURN_START, TURN_END, PAD = "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"
SPECIAL = (END_OF_TEXT, TURN_START, TURN_END, PAD)  # ids 0, 1, 2, 3

# ChatML: no built-in system prompt, no clock, and what is rendered stays a prefix of what follows.
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)


def train(seed: int) -> Tokenizer:
    """A byte-level BPE in which every digit stands alone."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(itertools.islice(prose.documents(seed), DOCUMENTS), trainer)
    return tokenizer


def dress(tokenizer: Tokenizer, chat: bool) -> Any:
    """The tokenizer as transformers saves it: with the chat template and its end, or plain."""
    from transformers import PreTrainedTokenizerFast

    dressed = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=TURN_END if chat else END_OF_TEXT,
        pad_token=PAD,
        additional_special_tokens=[TURN_START, TURN_END] if not chat else [END_OF_TEXT, TURN_START],
        model_max_length=512,
        clean_up_tokenization_spaces=False,
    )
    if chat:
        dressed.chat_template = CHAT_TEMPLATE
    return dressed


def load(folder: Path) -> Tokenizer:
    """The bare tokenizer of a folder."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))
