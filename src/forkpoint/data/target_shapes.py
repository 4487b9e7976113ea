"""How a conversation is written in each format: the plainest shape first, then fuller ones."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from forkpoint.data.conversation import CHAT_FIELDS
from forkpoint.data.profile_record import Format
from forkpoint.data.row import Row, Turn

SHAREGPT_NAMES = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}
CALL_ROLES = frozenset(("function_call", "tool_call"))
MESSAGE_FIELDS = frozenset(
    ("role", "content", "from", "value", "tool_calls", "function_call")
)  # of a message itself; others (a name, a weight) are carried along
JOINT = "\n\n"  # between turns written as raw text


class Draft(NamedTuple):
    """A row with what its turns do not say: which are calls, which fields messages had."""

    turns: tuple[Turn, ...]
    rejected: str | None
    text: str | None
    tools: str | None
    calls: tuple[bool, ...]  # by turn: a call of a tool
    others: tuple[dict[str, Any], ...]  # by turn: other fields of its message
    message_fields: bool
    parts: bool  # some content was a list of parts
    split_input: bool  # instruction and input stood in two fields


Shape = Callable[[Draft], dict[str, Any] | None]  # None where it does not fit


def draft_of(row: Row, value: Mapping[str, Any]) -> Draft:
    """A row with what its raw value says beyond it."""
    messages: list[Any] = next(
        (value[f] for f in CHAT_FIELDS if isinstance(value.get(f), list)), []
    )
    before = len(row.turns) - len(messages)
    aligned = before in (0, 1) and all(isinstance(m, dict) for m in messages)
    if not aligned:
        messages, before = [], len(row.turns)
    calls = [False] * before + [_is_call(m) for m in messages]
    others = [{}] * before + [
        {name: item for name, item in m.items() if name not in MESSAGE_FIELDS} for m in messages
    ]
    return Draft(
        turns=row.turns, rejected=row.rejected, text=row.text, tools=row.tools,
        calls=tuple(calls), others=tuple(others), message_fields=any(others),
        parts=any(isinstance(m.get("content", m.get("value")), list) for m in messages),
        split_input=bool(value.get("input") or value.get("context")) and "instruction" in value,
    )  # fmt: skip


def _is_call(message: Mapping[str, Any]) -> bool:
    name = message.get("role") or message.get("from")
    return name in CALL_ROLES or "tool_calls" in message or "function_call" in message


def _with_tools(core: dict[str, Any], draft: Draft) -> dict[str, Any]:
    """The core with its tools, as a list where they are one."""
    if draft.tools is None:
        return core
    try:
        listed = orjson.loads(draft.tools)
    except orjson.JSONDecodeError:
        return {**core, "tools": draft.tools}
    same = orjson.dumps(listed).decode() == draft.tools
    return {**core, "tools": listed if same and isinstance(listed, list) else draft.tools}


def _message(turn: Turn, call: bool, others: Mapping[str, Any]) -> dict[str, Any]:
    """A message; a call of a tool as `tool_calls` where its text says just that."""
    if call:
        calls = [_call(line) for line in turn.content.split("\n")]
        if all(calls):
            return {"role": "assistant", "content": "", "tool_calls": calls, **others}
        return {"role": "tool_call", "content": turn.content, **others}
    return {"role": turn.role, "content": turn.content, **others}


def _call(line: str) -> dict[str, Any] | None:
    """One call from its line of JSON, if it comes out of it again unchanged."""
    try:
        call = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(call, dict) or list(call) != ["name", "arguments"]:
        return None
    if orjson.dumps(call).decode() != line:
        return None
    return {"type": "function", "function": call}


def _messages(draft: Draft) -> dict[str, Any]:
    told = zip(draft.turns, draft.calls, draft.others, strict=True)
    return _with_tools({"messages": [_message(*one) for one in told]}, draft)


def _plain_messages(draft: Draft) -> dict[str, Any]:
    return _with_tools({"messages": _listed(draft.turns)}, draft)


def _listed(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    return [{"role": turn.role, "content": turn.content} for turn in turns]


def _sharegpt(draft: Draft) -> dict[str, Any] | None:
    turns, others, calls = draft.turns, draft.others, draft.calls
    core: dict[str, Any] = {}
    if turns[0].role == "system" and turns[0].content and len(turns) > 1:
        core["system"] = turns[0].content
        turns, others, calls = turns[1:], others[1:], calls[1:]
    return _with_tools({"conversations": _said(turns, calls, others), **core}, draft)


def _sharegpt_inside(draft: Draft) -> dict[str, Any]:
    """The system prompt as the first message, where a field of its own would say something else."""
    told = _said(draft.turns, draft.calls, draft.others)
    return _with_tools({"conversations": told}, draft)


def _said(
    turns: Sequence[Turn], calls: Sequence[bool], others: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    return [
        {
            "from": "function_call" if call else SHAREGPT_NAMES[turn.role],
            "value": turn.content,
            **other,
        }
        for turn, call, other in zip(turns, calls, others, strict=True)
    ]


def _alpaca(draft: Draft) -> dict[str, Any] | None:
    """Instruction and output, with system and history where there are any; no tools' turns."""
    turns = draft.turns
    core: dict[str, Any] = {}
    if turns[0].role == "system":
        if not turns[0].content:
            return None
        core["system"] = turns[0].content
        turns = turns[1:]
    if len(turns) % 2 or any(
        turn.role != ("user", "assistant")[place % 2] for place, turn in enumerate(turns)
    ):
        return None
    told = [turn.content for turn in turns]
    history = [[told[place], told[place + 1]] for place in range(0, len(told) - 2, 2)]
    if history:
        core["history"] = history
    whole = {"instruction": told[-2], "input": "", "output": told[-1], **core}
    return _with_tools(whole, draft)


def _prompt(draft: Draft) -> dict[str, Any] | None:
    turns = draft.turns
    core: dict[str, Any] = {}
    if turns[0].role == "system":
        core["system"] = turns[0].content
        turns = turns[1:]
    if len(turns) != 2 or turns[0].role != "user":
        return None
    return _with_tools({"prompt": turns[0].content, "completion": turns[1].content, **core}, draft)


def _prompt_messages(draft: Draft) -> dict[str, Any]:
    told = _listed(draft.turns)
    return _with_tools({"prompt": told[:-1], "completion": told[-1:]}, draft)


def _preference(draft: Draft) -> dict[str, Any] | None:
    if len(draft.turns) != 2 or draft.turns[0].role != "user":
        return None
    asked, told = (turn.content for turn in draft.turns)
    return _with_tools({"prompt": asked, "chosen": told, "rejected": draft.rejected}, draft)


def _preference_messages(draft: Draft) -> dict[str, Any]:
    told = _listed(draft.turns)
    worse = [{"role": "assistant", "content": draft.rejected}]
    return _with_tools({"prompt": told[:-1], "chosen": told[-1:], "rejected": worse}, draft)


def _text(draft: Draft) -> dict[str, Any]:
    if draft.text is not None:
        return {"text": draft.text}
    return {"text": JOINT.join(turn.content for turn in draft.turns)}


SHAPES: dict[Format, tuple[Shape, ...]] = {
    "messages": (_messages, _plain_messages),
    "sharegpt": (_sharegpt, _sharegpt_inside),
    "alpaca": (_alpaca,),
    "prompt_completion": (_prompt, _prompt_messages),
    "preference": (_preference, _preference_messages),
    "text": (_text,),
}
