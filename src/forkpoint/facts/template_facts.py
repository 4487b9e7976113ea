"""What a chat template does, found by rendering small conversations and comparing the texts."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from forkpoint.facts.chat_template import OverrunError, TemplateError, compile_template
from forkpoint.facts.checkpoint_facts import TemplateFacts
from forkpoint.facts.tokenizer_files import TokenizerFacts

# Words that no template contains, so that the place of each message is known in the text.
SYSTEM, QUESTION, ANSWER = "Zsystemz", "Zquestionz", "Zanswerz"
QUESTION_2, ANSWER_2, THOUGHT = "Zquestion2z", "Zanswer2z", "Zthoughtz"
LATER = datetime(2031, 3, 9)  # any other day than the pinned one
DEFAULT_PROMPT_LETTERS = 12  # letters; role names and brackets left over are shorter

# What special tokens look like, for checkpoints whose tokenizer cannot be read.
_TOKEN_LIKE = re.compile(
    r"<\|[^<>|\s]{1,40}\|?>|</?[A-Za-z_][\w:]{0,30}\|?>|\[/?[A-Z_]{3,24}\]|<｜[^<>\s]{1,40}｜>"
)
_PIPED = re.compile(r"<[|｜][^<>|｜\s]{1,40}[|｜]>")
_ROLE_WORDS = re.compile(
    r"\b(system|user|assistant|human|model|bot|gpt|instruction|response|input|im_start|inst|"
    r"developer|start_header_id|end_header_id)\b",
    re.IGNORECASE,
)

Render = Callable[..., str]


def read_template(text: str | None, source: str | None, tokenizer: TokenizerFacts) -> TemplateFacts:
    """All facts of a chat template; `error` says why when it cannot be rendered."""
    if text is None:
        return TemplateFacts(present=False)
    sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    try:
        render = _with_tokens(compile_template(text), tokenizer)
        later = _with_tokens(compile_template(text, LATER), tokenizer)
        if _wants_parts(render):
            render, later = _in_parts(render), _in_parts(later)
        facts = _measure(text, render, later, tokenizer)
    except TemplateError as fault:
        return TemplateFacts(present=True, source=source, sha256=sha256, error=str(fault))
    return TemplateFacts(present=True, source=source, sha256=sha256, **facts)


def _with_tokens(render: Callable[..., str], tokenizer: TokenizerFacts) -> Render:
    """Give a template the special tokens by name, as transformers does."""
    names = {
        "bos_token": tokenizer.bos,
        "eos_token": tokenizer.eos,
        "pad_token": tokenizer.pad,
        "unk_token": tokenizer.unk,
    }
    tokens = {name: token for name, token in names.items() if token is not None}

    def run(messages: list[dict[str, Any]], prompt: bool = False, **settings: Any) -> str:
        return render(
            messages, add_generation_prompt=prompt, tools=None, documents=None, **tokens, **settings
        )

    return run


def _wants_parts(render: Render) -> bool:
    """Whether a message's content must be a list of parts, as vision templates want it.

    Raises the first TemplateError when neither form can be rendered.
    """
    asked = [turn("user", QUESTION)]
    try:
        if QUESTION in render(asked):
            return False
    except OverrunError:
        raise
    except TemplateError as error:
        try:
            return QUESTION in _in_parts(render)(asked)
        except TemplateError:
            raise error from None
    try:
        return QUESTION in _in_parts(render)(asked)
    except TemplateError:
        return False


def _in_parts(render: Render) -> Render:
    def run(messages: list[dict[str, Any]], prompt: bool = False, **settings: Any) -> str:
        parts = [
            {**message, "content": [{"type": "text", "text": message["content"]}]}
            for message in messages
        ]
        return render(parts, prompt, **settings)

    return run


def turn(role: str, content: str) -> dict[str, Any]:
    """One message as templates expect it."""
    return {"role": role, "content": content}


def _measure(text: str, render: Render, later: Render, tokenizer: TokenizerFacts) -> dict[str, Any]:
    asked = [turn("user", QUESTION)]
    answered = [*asked, turn("assistant", ANSWER)]
    longer = [*answered, turn("user", QUESTION_2), turn("assistant", ANSWER_2)]
    whole = render(answered)
    long = render(longer)
    special = _special_tokens(long, tokenizer)
    return {
        "turn_tokens": special,
        "end_of_turn": _end_of_turn(whole, long, special),
        "generation_prompt": _generation_prompt(render, asked, whole),
        "system_role": _system_role(render, asked),
        "default_system_prompt": _default_system_prompt(render(asked), special),
        "clock": later(answered) != whole,
        "prefix_preserving": long.startswith(whole.rstrip())
        and long.startswith(render(longer[:3]).rstrip()),
        "trims_answers": f"\n {ANSWER} \n"
        not in render([*asked, turn("assistant", f"\n {ANSWER} \n")]),
        "thinking": _thinking(text, render, asked),
        "bos_twice": bool(tokenizer.adds_bos and tokenizer.bos and whole.startswith(tokenizer.bos)),
    }


def _special_tokens(text: str, tokenizer: TokenizerFacts) -> tuple[str, ...]:
    """Special tokens in the order in which the text uses them."""
    known = {token.content for token in tokenizer.added if len(token.content) > 1}
    known |= {t for t in (tokenizer.bos, tokenizer.eos) if t}
    known |= set((_PIPED if tokenizer.added else _TOKEN_LIKE).findall(text))
    found = {token: text.find(token) for token in known if token.strip() and token in text}
    return tuple(sorted(found, key=lambda token: (found[token], -len(token))))


def _end_of_turn(whole: str, long: str, special: tuple[str, ...]) -> str | None:
    """The first special token after an answer, at the end or before the next question.

    In GLM the token that opens the user's turn ends the answer; an opener that all roles share
    ends nothing.
    """
    end = whole.rpartition(ANSWER)[2]
    between = long.partition(ANSWER)[2].partition(QUESTION_2)[0]
    header = long.partition(QUESTION)[2].partition(ANSWER)[0]
    own = [token for token in special if token not in header]
    for text, tokens in ((end, special), (between, own)):
        places = [(text.find(token), -len(token), token) for token in tokens if token in text]
        if places:
            return min(places)[2]
    return None


def _generation_prompt(render: Render, asked: list[dict[str, Any]], whole: str) -> bool:
    """Whether the prompt can be ended where the answer begins."""
    plain, prompted = render(asked), render(asked, prompt=True)
    before = whole.partition(ANSWER)[0]
    return prompted != plain or before.rstrip() == plain.rstrip()


def _system_role(render: Render, asked: list[dict[str, Any]]) -> bool:
    """Whether a system message reaches the text; some templates refuse, some drop it."""
    try:
        return SYSTEM in render([turn("system", SYSTEM), *asked])
    except TemplateError:
        return False


def _default_system_prompt(text: str, special: tuple[str, ...]) -> str | None:
    """Words that stand before the first question although nobody wrote them."""
    before = text.partition(QUESTION)[0]
    for token in sorted(special, key=len, reverse=True):
        before = before.replace(token, " ")
    before = _TOKEN_LIKE.sub(" ", before).strip()
    letters = [letter for letter in _ROLE_WORDS.sub("", before) if letter.isalpha()]
    if len(letters) < DEFAULT_PROMPT_LETTERS:
        return None
    return re.sub(r"^\s*(system|developer)\b[:\s]*|\s*\b(user|human)\b[:\s]*$", "", before).strip()


def _thinking(text: str, render: Render, asked: list[dict[str, Any]]) -> bool:
    """Whether the template writes, removes or switches reasoning."""
    if re.search(r"enable_thinking|reasoning_content|thinking|</?think>|reasoning_effort", text):
        return True
    thought = f"<think>{THOUGHT}</think>{ANSWER}"
    following = [*asked, turn("assistant", thought), turn("user", QUESTION_2)]
    try:
        return THOUGHT not in render(following)
    except TemplateError:
        return False
