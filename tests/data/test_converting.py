"""Formats into formats: nothing is lost unnoticed."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forkpoint.data import Row, Turn, load
from forkpoint.data.converting import TARGETS, convert, converted_row
from forkpoint.data.reader import row_of
from forkpoint.errors import BadInput, ForkpointError

SHARED = Path(os.environ.get("FORKPOINT_SHARED", "../shared")) / "data" / "formats"
DIALOGUE = ("alpaca", "sharegpt", "messages", "prompt")
SAID = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=40
).filter(lambda text: not text.isspace())
SAMPLES = (
    "a\nb",
    "\n\nAssistant: x",
    "Human: y",
    '{"name": "f", "arguments": {}}',
    "[1]",
    "“”",
    " x ",
)


def turns(roles: tuple[str, ...], draw) -> list[dict]:
    return [{"role": role, "content": draw(SAID | st.sampled_from(SAMPLES))} for role in roles]


@st.composite
def messages(draw) -> dict:
    """A row of messages: with or without system prompt, tools, several turns, odd texts."""
    pairs = draw(st.integers(1, 3))
    roles: tuple[str, ...] = ("system",) * draw(st.integers(0, 1)) + ("user", "assistant") * pairs
    if draw(st.booleans()) and draw(st.booleans()):
        roles = (*roles[:-1], "assistant", "tool", "assistant")
    row = {"messages": turns(roles, draw)}
    if draw(st.booleans()):
        row["tools"] = [{"name": "f", "parameters": {}}]
    if draw(st.booleans()):
        row |= {"id": draw(st.integers()), "topic": draw(SAID), "nested": {"a": [1, None]}}
    return row


def read(value: dict, format: str) -> Row:
    row = row_of(value, format)
    assert row is not None
    return row


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(row=messages(), path=st.lists(st.sampled_from(DIALOGUE), min_size=1, max_size=4))
def test_round_trips_between_dialogue_formats(row, path):
    """Through any formats and back, a row is the same, but for what was named as lost."""
    first = read(row, "messages")
    value, kind, lost = row, "messages", set()
    for name in [*path, "messages"]:
        told = converted_row(read(value, kind), value, TARGETS[name])
        if isinstance(told, str):
            assert "shape" == told
            assert "alpaca" == name  # the others have room for every conversation
            return
        value, kind = told.value, TARGETS[name]
        lost.update(told.lost)
    last = read(value, "messages")
    assert first.turns == last.turns
    assert first.tools == last.tools or "tools" in lost
    assert lost <= {"tools", "fields", "tool_calls"}
    for name in ("id", "topic", "nested"):
        assert row.get(name) == value.get(name)


@settings(max_examples=100, deadline=None)
@given(row=messages(), worse=SAID)
def test_preference_pairs_there_and_back(row, worse):
    """A pair keeps its worse answer among preference shapes and is said to lose it elsewhere."""
    row["messages"] = (
        row["messages"][:2] if row["messages"][0]["role"] == "user" else row["messages"][:3]
    )
    better = row["messages"][-1]["content"]
    if better == worse:
        return
    pair = {"prompt": row["messages"][:-1], "chosen": [row["messages"][-1]],
            "rejected": [{"role": "assistant", "content": worse}]}  # fmt: skip
    first = read(pair, "preference")
    told = converted_row(first, pair, "messages")
    assert not isinstance(told, str)
    assert "worse_answer" in told.lost
    assert first.turns == read(told.value, "messages").turns
    assert "no_worse_answer" == converted_row(
        read(told.value, "messages"), told.value, "preference"
    )


ROWS = {
    "alpaca": {"instruction": "Add.", "input": "1 and 2", "output": "3", "id": 5},
    "sharegpt": {"conversations": [
        {"from": "human", "value": "Weather?"},
        {"from": "function_call", "value": '{"name": "weather", "arguments": {"city": "Bonn"}}'},
        {"from": "observation", "value": '{"rain": true}'},
        {"from": "gpt", "value": "It rains.", "weight": 1}], "tools": '[{"name": "weather"}]'},
    "messages": {"messages": [
        {"role": "user", "content": [{"type": "text", "text": "What "},
                                     {"type": "text", "text": "now?"}]},
        {"role": "assistant", "content": "Wait."}], "label": "x"},
    "preference": {"prompt": "Tea?", "chosen": "Yes, please.", "rejected": "No."},
    "text": {"text": "Once upon a time.", "source": "book"},
}  # fmt: skip
LOST = {
    ("alpaca", "messages"): {"input_field"}, ("alpaca", "prompt"): {"input_field"},
    ("alpaca", "text"): {"input_field", "roles"}, ("sharegpt", "messages"): set(),
    ("sharegpt", "prompt"): {"tool_calls", "message_fields"},
    ("messages", "sharegpt"): {"content_parts"},
    ("preference", "alpaca"): {"worse_answer"}, ("preference", "text"): {"worse_answer", "roles"},
    ("sharegpt", "alpaca"): None, ("messages", "preference"): None, ("text", "messages"): None,
}  # fmt: skip


@pytest.mark.parametrize(("source", "target"), LOST, ids=lambda name: name)
def test_what_is_lost_is_named(source, target, tmp_path):
    """On known rows exactly the expected losses are told; what cannot be written is refused."""
    path, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    path.write_text(json.dumps(ROWS[source]))
    if LOST[source, target] is None:
        with pytest.raises(BadInput, match="No row"):
            convert(path, target, out)
        assert not out.exists()
        return
    done = convert(path, target, out)
    assert LOST[source, target] == set(done.lost)
    assert TARGETS[target] == load(out).format
    kept = json.loads(out.read_text())
    for name in ("id", "label", "source"):
        assert ROWS[source].get(name) == kept.get(name)


@pytest.mark.parametrize(
    ("said", "role"),
    [('{"name":"weather","arguments":{"city":"Bonn"}}', "assistant"),
     ('{"name": "weather", "arguments": {"city": "Bonn"}}', "tool_call")],
)  # fmt: skip
def test_calls_of_tools_stay_calls(said, role, tmp_path):
    """ShareGPT's function_call becomes tool_calls, or keeps its text, and comes back as it was."""
    path, there, back = (tmp_path / name for name in ("a.jsonl", "b.jsonl", "c.jsonl"))
    row = json.loads(json.dumps(ROWS["sharegpt"]))
    row["conversations"][1]["value"] = said
    path.write_text(json.dumps(row))
    assert {} == convert(path, "messages", there).lost
    call = json.loads(there.read_text())["messages"][1]
    assert (role, role == "assistant") == (call["role"], "tool_calls" in call)
    assert {} == convert(there, "sharegpt", back).lost
    assert load(path).rows[0].id == load(back).rows[0].id
    assert row["conversations"] == json.loads(back.read_text())["conversations"]


def test_one_json_list_and_the_columns(tmp_path):
    """A name that ends in .json gives a list; --columns reach the conversion."""
    path, out = tmp_path / "a.csv", tmp_path / "b.json"
    path.write_text("said,wanted,day\nWhere?,Here.,Monday\n")
    done = convert(path, "alpaca", out, columns={"prompt": "said", "answer": "wanted"})
    assert {} == done.lost
    assert [
        {"instruction": "Where?", "input": "", "output": "Here.", "day": "Monday"}
    ] == json.loads(out.read_text())
    with pytest.raises(BadInput, match="no format to convert to"):
        convert(path, "xml", tmp_path / "c.json")


@pytest.mark.skipif(not SHARED.is_dir(), reason="FORKPOINT_SHARED holds no data/formats")
@pytest.mark.parametrize("name", ["lf_glaive_toolcall_zh_demo.json", "lf_v1_sft_demo.jsonl",
                                  "lf_alpaca_en_demo.json", "lf_dpo_zh_demo.json"])  # fmt: skip
@pytest.mark.parametrize("target", ["messages", "sharegpt", "prompt"])
def test_real_files_keep_every_conversation(name, target, tmp_path):
    """All rows of published files come out with the same turns."""
    done = convert(SHARED / name, target, tmp_path / "out.jsonl")
    before, after = load(SHARED / name).rows, load(tmp_path / "out.jsonl").rows
    assert (len(before), 0) == (done.rows, sum(done.left_out.values()))
    assert [row.turns for row in before] == [row.turns for row in after]


def test_mutated_files_convert_or_say_why(tmp_path):
    """Whatever a file holds, its good rows are converted and read back, or a sentence says why."""
    from test_fuzz import files

    for number, (name, content, kept) in enumerate(files(20_260_702, 60)):
        source, out = tmp_path / f"{number}-{name}", tmp_path / f"{number}-out.jsonl"
        source.write_bytes(content)
        try:
            done = convert(source, "messages", out)
        except ForkpointError as error:
            assert error.message("en") and error.message("zh")
            assert not kept, (number, error)
            continue
        assert done.rows == len(load(out).rows)
        if kept:
            good = tmp_path / "good.jsonl"
            good.write_bytes(b"\n".join(kept))
            told = {row.turns for row in load(out).rows}
            assert {row.turns for row in load(good).rows} <= told, number


def test_turns_are_plain_tuples():
    """A turn can be a key: two rows with the same turns are the same conversation."""
    assert {(Turn("user", "a"),)} == {(Turn("user", "a"),)}
