"""From the fields of one row to its turns: messages, ShareGPT, Alpaca, prompt and answer."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from forkpoint.data.bad_row import BadRow, json_type, shown
from forkpoint.data.row import Role, Turn

ROLES: dict[str, Role] = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user", "prompter": "user",
    "assistant": "assistant", "gpt": "assistant", "model": "assistant", "bot": "assistant",
    "chatgpt": "assistant", "bard": "assistant", "function_call": "assistant",
    "tool_call": "assistant",
    "tool": "tool", "function": "tool", "observation": "tool", "tool_response": "tool",
    "function_response": "tool", "ipython": "tool",
}  # fmt: skip
PROMPT_FIELDS = ("prompt", "question", "query", "instruction", "problem", "input", "source",
                 "text", "sentence", "问题", "提示", "指令", "输入")  # fmt: skip
ANSWER_FIELDS = (  # the first that is there is the answer
    "completion", "answer", "response", "output", "solution", "target", "label",
    "回答", "答案", "输出", "标签",
)  # fmt: skip
CHAT_FIELDS = ("messages", "conversations", "conversation", "dialogue", "dialog")
CONTEXT_FIELDS = ("input", "context")
IMAGE_FIELDS = ("images", "image")
IMAGE_PARTS = frozenset({"image", "image_url", "input_image"})
_BESIDE = frozenset(("system", "history", "context", *IMAGE_FIELDS))  # what takes a second look
MAX_TURNS = 10_000  # turns in one row; more is a broken file, not a conversation


class Parts(NamedTuple):
    """What a row is made of, before it has an id."""

    turns: tuple[Turn, ...]
    rejected: str | None = None
    text: str | None = None
    images: int = 0


def spoken(value: Any, field: str) -> str:
    """The text of a field: a string as it is, other JSON values as their JSON text."""
    if type(value) is str:
        return value
    if value is None:
        raise BadRow("data.fault_missing", field=field)
    if isinstance(value, bool | int | float):
        return orjson.dumps(value).decode()
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    raise BadRow("data.fault_type", field=field, found=json_type(value))


def _content(message: Mapping[str, Any], field: str) -> tuple[str, int]:
    """The text of a message and how many images it holds."""
    content = message.get(field)
    if type(content) is str:
        text, images = content, 0
    elif isinstance(content, list):
        text, images = _joined_parts(content)
    elif content is None:
        text, images = "", 0
    else:
        text, images = spoken(content, field), 0
    calls = message.get("tool_calls") or message.get("function_call")
    if calls:
        text = "\n".join(filter(None, (text, *_calls(calls))))
    elif content is None:
        raise BadRow("data.fault_missing", field=field)
    return text, images


def _calls_tools(message: Mapping[str, Any]) -> bool:
    return "tool_calls" in message or "function_call" in message


def _joined_parts(content: list[Any]) -> tuple[str, int]:
    texts, images = [], 0
    for part in content:
        if isinstance(part, str):
            texts.append(part)
        elif not isinstance(part, dict):
            raise BadRow("data.fault_type", field="content", found=json_type(part))
        elif part.get("type") in IMAGE_PARTS:
            images += 1
        else:
            text = part.get("text", part.get("value"))
            texts.append(spoken(text, "content"))
    return "".join(texts), images


def _calls(calls: Any) -> list[str]:
    """Each tool call as one line of JSON with its name and its arguments."""
    lines = []
    for call in calls if isinstance(calls, list) else [calls]:
        inner = call.get("function", call) if isinstance(call, dict) else None
        if not isinstance(inner, dict) or "name" not in inner:
            raise BadRow("data.fault_tool_call", found=shown(call))
        arguments = inner.get("arguments", {})
        if isinstance(arguments, str):
            try:
                arguments = orjson.loads(arguments)
            except orjson.JSONDecodeError:
                arguments = str(arguments)
        lines.append(orjson.dumps({"name": inner["name"], "arguments": arguments}).decode())
    return lines


def messages_of(value: Any, field: str) -> tuple[list[Turn], int]:
    """The turns of a list of messages (role and content, or from and value) and its images."""
    if type(value) is not list:
        raise BadRow("data.fault_type", field=field, found=json_type(value))
    if len(value) > MAX_TURNS:
        raise BadRow("data.fault_turns", found=len(value), limit=MAX_TURNS)
    turns = []
    images = 0
    made, roles = tuple.__new__, ROLES
    for message in value:
        if type(message) is not dict:
            raise BadRow("data.fault_type", field=field, found=json_type(message))
        name = message.get("role")
        body = "content"
        if name is None and "from" in message:
            name, body = message["from"], "value"
        role = roles.get(name) if type(name) is str else None
        text = message.get(body)
        if role is not None and type(text) is str and len(message) == 2:
            turns.append(made(Turn, (role, text)))
            continue
        if role is None:
            role = ROLES.get(name.strip().lower()) if isinstance(name, str) else None
            if role is None:
                raise BadRow("data.fault_role", found=shown(name))
        if type(text) is not str or (len(message) > 2 and _calls_tools(message)):
            text, seen = _content(message, body)
            images += seen
        turns.append(Turn(role, text))
    return turns, images


def _exchange(messages: Any) -> Parts | None:
    """One question and one answer in plain text; None for all else, which takes longer to read."""
    if type(messages) is not list or len(messages) != 2:
        return None
    first, second = messages
    try:
        if len(first) != 2 or len(second) != 2:
            return None
        if "role" in first:
            asker, asked = first["role"], first["content"]
            teller, told = second["role"], second["content"]
        else:
            asker, asked = first["from"], first["value"]
            teller, told = second["from"], second["value"]
        if ROLES[asker] != "user" or ROLES[teller] != "assistant":
            return None
    except (KeyError, TypeError):
        return None
    return _plain(asked, told)


def _plain(asked: Any, told: Any) -> Parts | None:
    """A row of these two texts; None where they are none, or nothing is said."""
    if type(asked) is not str or type(told) is not str or not asked or not told:
        return None
    if asked.isspace() or told.isspace():
        return None
    new = tuple.__new__  # a million times: what the constructors do, without their calls
    turns = (new(Turn, ("user", asked)), new(Turn, ("assistant", told)))
    parts: Parts = new(Parts, (turns, None, None, 0))
    return parts


def checked(turns: list[Turn], images: int = 0) -> Parts:
    """The turns as parts of a row that ends in an answer; raises BadRow when it does not."""
    if not turns:
        raise BadRow("data.fault_no_turns")
    last = turns[-1]
    if last.role != "assistant":
        raise BadRow("data.fault_no_answer", role=last.role)
    if not last.content or last.content.isspace():
        raise BadRow("data.fault_empty_answer")
    check_prompt(turns[:-1], images)
    return Parts(tuple(turns), None, None, images)


def check_prompt(turns: list[Turn], images: int = 0) -> None:
    """Raise BadRow unless somebody asks something in these turns."""
    for turn in turns:
        if turn.role != "system" and turn.content and not turn.content.isspace():
            return
    if not images:
        raise BadRow("data.fault_empty_prompt")


def with_system(row: Mapping[str, Any], turns: list[Turn]) -> list[Turn]:
    """The turns with the row's own `system` field in front, unless one is there already."""
    system = row.get("system")
    if system and not (turns and turns[0].role == "system"):
        turns.insert(0, Turn("system", spoken(system, "system")))
    return turns


def field_in(row: Mapping[str, Any], names: tuple[str, ...], but: str = "") -> str | None:
    """The first of some names that is a field of the row."""
    for name in names:
        if name in row and name != but:
            return name
    return None


def images_in(row: Mapping[str, Any]) -> int:
    """How many images a row's own image field names."""
    for field in IMAGE_FIELDS:
        if value := row.get(field):
            return len(value) if isinstance(value, list) else 1
    return 0


def chat(row: Mapping[str, Any]) -> Parts:
    """A row of OpenAI messages or ShareGPT conversations."""
    for field in CHAT_FIELDS:
        if field in row:
            alone = len(row) == 1
            if alone and (parts := _exchange(row[field])):
                return parts
            said, images = messages_of(row[field], field)
            if alone:
                return checked(said, images)
            return checked(with_system(row, said), images + images_in(row))
    raise BadRow("data.fault_missing", field="messages")


def alpaca_prompt(row: Mapping[str, Any]) -> list[Turn]:
    """The turns before the answer: system, history, instruction with its input below it."""
    turns: list[Turn] = []
    history = row.get("history") or []
    for pair in history if isinstance(history, list) else [history]:
        if not isinstance(pair, list) or len(pair) != 2:
            raise BadRow("data.fault_history", found=shown(pair))
        turns.append(Turn("user", spoken(pair[0], "history")))
        turns.append(Turn("assistant", spoken(pair[1], "history")))
    text = spoken(row.get("instruction"), "instruction")
    for field in CONTEXT_FIELDS:
        context = row.get(field)
        if context:
            context = spoken(context, field)
            text = f"{text}\n{context}" if text else context
            break
    turns.append(Turn("user", text))
    return with_system(row, turns)


def alpaca(row: Mapping[str, Any]) -> Parts:
    """A row of instruction, input, output, system and history."""
    if row.keys().isdisjoint(_BESIDE):
        asked, context = row.get("instruction"), row.get("input")
        if context and asked and type(context) is type(asked) is str:
            asked, context = f"{asked}\n{context}", None
        if not context and (parts := _plain(asked, row.get("output"))):
            return parts
    turns = alpaca_prompt(row)
    turns.append(Turn("assistant", _answer(row, ANSWER_FIELDS)))
    return checked(turns, images_in(row))


def pair(row: Mapping[str, Any]) -> Parts:
    """A row of a prompt and its answer, under any of their usual names."""
    prompt_field = field_in(row, PROMPT_FIELDS)
    if prompt_field is None:
        raise BadRow("data.fault_missing", field="prompt")
    if row.keys().isdisjoint(_BESIDE):
        answer_field = field_in(row, ANSWER_FIELDS, prompt_field)
        if answer_field and (parts := _plain(row[prompt_field], row[answer_field])):
            return parts
    prompt, images = row[prompt_field], images_in(row)
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], dict):
        turns, seen = messages_of(prompt, prompt_field)
        images += seen
    else:
        turns = [Turn("user", spoken(prompt, prompt_field))]
    turns = with_system(row, turns)
    answers = [f for f in ANSWER_FIELDS if f != prompt_field]
    answer = next((row[f] for f in answers if f in row), None)
    if isinstance(answer, list) and answer and isinstance(answer[0], dict) and "role" in answer[0]:
        more, seen = messages_of(answer, "completion")
        return checked(turns + more, images + seen)
    turns.append(Turn("assistant", _answer(row, answers)))
    return checked(turns, images)


def _answer(row: Mapping[str, Any], fields: tuple[str, ...] | list[str]) -> str:
    for field in fields:
        if field in row:
            return spoken(row[field], field)
    raise BadRow("data.fault_missing", field=fields[0])
