"""`forkpoint compare` as a user types it, on the pocket family."""

import json
from pathlib import Path

import pytest

from forkpoint.behaviour import Comparison, Request, compare, prompts_from, shipped_probes
from forkpoint.behaviour.room import make_room
from forkpoint.behaviour.talker import Decoding, Talker
from forkpoint.cli import main
from forkpoint.errors import BadInput, DoesNotFit
from forkpoint.facts import read_checkpoint
from forkpoint.facts.machine import MachineFacts
from forkpoint.models.generation import Answer, generate
from forkpoint.report.compare_page import comparison_page
from forkpoint.report.compare_text import comparison_text, difference_sentences

FAMILY = ("pocket-base", "pocket-instruct", "pocket-chat")
EASY = tuple(probe for probe in shipped_probes() if probe.kind == "instruction")[:10]


@pytest.fixture(scope="module")
def family() -> Comparison:
    """The three pocket checkpoints on ten easy instructions."""
    return compare(Request(checkpoints=FAMILY, probes=EASY, decoding=Decoding(limit_tokens=40)))


def ran(capsys, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command."""
    code = 0
    try:
        main(["compare", *words])
    except SystemExit as left:
        code = int(left.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def clear(found: Comparison) -> set[tuple[str, str, str]]:
    """Clear differences as (feature, who shows it more, way)."""
    said = set()
    for one in found.differences:
        if one.clear:
            more = one.second if one.second_minus_first.value > 0 else one.first
            said.add((one.feature, found.checkpoints[more].name, one.way))
    return said


def test_the_family_differs_as_its_stages_do(family: Comparison) -> None:
    """Base does not stop on bare text and plays other roles; Chat offers more than Instruct."""
    found = clear(family)
    assert ("unstopped", "pocket-base", "raw") in found
    assert ("echoed", "pocket-base", "raw") in found
    assert ("offered", "pocket-chat", "template") in found
    counts = {(t.checkpoint, t.way, t.feature): t.hits for t in family.tallies}
    assert counts[1, "template", "unstopped"] == counts[2, "template", "unstopped"] == 0


def test_a_base_without_template_is_asked_with_bare_text_only(family: Comparison) -> None:
    """What cannot be asked is said, not guessed."""
    for one in family.said:
        assert (one.answer is None) == (one.checkpoint == 0 and one.way == "template")
    for lang, words in (("en", "no chat template"), ("zh", "没有可用的对话模板")):
        assert words in comparison_text(family, lang)


def test_streamed_answers_are_the_batch_answers() -> None:
    """Token by token gives what the race's own generation gives."""
    talker = Talker(read_checkpoint("pocket-chat"), "float32", "cpu")
    for probe in EASY[:3]:
        prompt = talker.prompt(probe, "template")
        assert prompt is not None
        ends = talker.end_ids("template")
        pieces = list(talker.say(prompt, ends, Decoding(limit_tokens=30)))
        batch = generate(talker.model, talker.tokenizer, [prompt], ends, 30)[0]
        last = pieces[-1]
        assert isinstance(last, Answer)
        assert (batch.text, batch.tokens, batch.stopped) == (last.text, last.tokens, last.stopped)
        assert batch.text.startswith("".join(str(piece) for piece in pieces[:-1]))


def test_drawing_repeats_with_its_seed() -> None:
    """The same seed draws the same answer; another one draws another somewhere."""
    request = Request(checkpoints=("pocket-base", "pocket-base"), probes=EASY[:3], ways=("raw",))
    texts = []
    for seed in (1, 1, 2):
        decoding = Decoding(limit_tokens=16, temperature=1.0, top_p=0.9, seed=seed)
        found = compare(request.model_copy(update={"decoding": decoding}))
        texts.append([one.answer.text for one in found.said if one.answer])
    assert texts[0] == texts[1] != texts[2]


def test_memory_decides_how_many_are_loaded() -> None:
    """Together, one at a time, or a sentence with what is needed."""
    facts = [read_checkpoint(name) for name in FAMILY]
    machine = MachineFacts(system="x", cores=2, memory_bytes=1, available_bytes=10**10,
                           disk_free_bytes=1)  # fmt: skip
    together = make_room(facts, machine, 512)
    assert ("all", "float32") == (together.at_once, together.dtype)
    need = max(together.needs_bytes)
    alone = machine.model_copy(update={"available_bytes": round(1.2 * need)})
    assert "one" == make_room(facts, alone, 512).at_once
    with pytest.raises(DoesNotFit) as caught:
        make_room(facts, machine.model_copy(update={"available_bytes": need // 10}), 512)
    assert 3 == caught.value.exit_code
    assert "GB" in caught.value.message("zh")


def test_one_at_a_time_says_the_same(family: Comparison, monkeypatch) -> None:
    """Short memory changes the order of work, not the result."""
    from forkpoint.behaviour import side_by_side

    def short(facts, machine, tokens):
        return make_room(facts, machine, tokens).model_copy(update={"at_once": "one"})

    monkeypatch.setattr(side_by_side, "make_room", short)
    again = compare(family.request)
    key = lambda one: (one.checkpoint, one.probe, one.way)  # noqa: E731
    assert sorted(family.said, key=key) == sorted(again.said, key=key)
    assert "One at a time" in comparison_text(again, "en")


def test_differences_come_from_the_answers_not_from_the_label(family: Comparison) -> None:
    """The same answers under other names and stages give the same sentences."""
    renamed = family.model_copy(
        update={
            "checkpoints": tuple(
                one.model_copy(update={"name": f"made-{n}-Base", "stage": "base"})
                for n, one in enumerate(family.checkpoints)
            )
        }
    )
    before, after = (difference_sentences(one, "en") for one in (family, renamed))
    for n, name in enumerate(FAMILY):
        before = [sentence.replace(name, f"made-{n}-Base") for sentence in before]
    assert before == after


@pytest.mark.parametrize(("lang", "word"), [("en", "What differs"), ("zh", "差别在哪里")])
def test_the_command_in_both_languages(lang, word, capsys) -> None:
    """Answers, counts and differences on stdout, exit 0."""
    code, out, _ = ran(capsys, "pocket-instruct", "pocket-chat", "-p", "Repeat this text: tree",
                       "-p", "重复下面的文字：月亮", "--tokens", "24", "--lang", lang)  # fmt: skip
    assert 0 == code
    assert word in out
    assert "月亮" in out


def test_json_is_the_whole_comparison(capsys) -> None:
    """--json reads back as the record, with every interval."""
    code, out, _ = ran(capsys, "pocket-base", "pocket-chat", "-p", "Hello", "--tokens", "8",
                       "--json")  # fmt: skip
    assert 0 == code
    found = Comparison.from_json(out)
    assert 8 == found.request.decoding.limit_tokens
    assert all(tally.share.low is not None for tally in found.tallies)


def test_the_page_is_one_harmless_file(family: Comparison, tmp_path: Path, capsys) -> None:
    """Hostile answers and names are text on the page, in both languages."""
    hostile = "<script>alert(1)</script>\x1b[31m\u202e<img src=x onerror=alert(2)>"
    said = tuple(
        one.model_copy(update={"answer": one.answer.model_copy(update={"text": hostile})})
        if one.answer else one
        for one in family.said
    )  # fmt: skip
    checkpoints = tuple(one.model_copy(update={"name": hostile}) for one in family.checkpoints)
    spoiled = family.model_copy(update={"said": said, "checkpoints": checkpoints})
    page = comparison_page(spoiled, "zh")
    assert 1 == page.lower().count("<script") == page.lower().count("</script")
    assert "<img" not in page
    assert not {"\x1b", "\u202e"} & set(page)
    assert not {"\x1b", "\u202e"} & set(comparison_text(spoiled, "en"))
    target = tmp_path / "page.html"
    ran(capsys, "pocket-instruct", "pocket-chat", "-p", "Hello", "--tokens", "4",
        "--format", "html", "-o", str(target))  # fmt: skip
    assert "并排回答" in target.read_text() and "side by side" in target.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pocket-base",), "at least two"),
        (("pocket-base", "pocket-chat", "--way", "x"), "--way"),
        (("pocket-base", "pocket-chat", "--tokens", "0"), "1 - 4096"),
        (("pocket-base", "pocket-chat", "--temperature", "-1"), "0 - 10"),
        (("pocket-base", "pocket-chat", "--format", "pdf"), "--format"),
        (("pocket-base", "./none"), "There is no file or folder"),
        (("pocket-base", "pocket-chat", "--prompts", "none.txt"), "cannot be read"),
    ],
)
def test_slips_are_sentences(words, said, capsys) -> None:
    """Exit 2 and what to do."""
    code, out, err = ran(capsys, *words, "--lang", "en")
    assert (2, "") == (code, out)
    assert said in err and "Traceback" not in err


def test_prompt_files(tmp_path: Path) -> None:
    """A line each, or JSON lines with prompt or messages; a bad line is named."""
    plain = tmp_path / "a.txt"
    plain.write_text("One?\n\n二？\n", encoding="utf-8")
    assert ["One?", "二？"] == [probe.text for probe in prompts_from(str(plain))]
    rows = tmp_path / "a.jsonl"
    turns = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi"},
             {"role": "assistant", "content": "Hello"}]  # fmt: skip
    rows.write_text(
        "\n".join(json.dumps(row) for row in ("One?", {"prompt": "Two?"}, {"messages": turns}))
    )
    found = prompts_from(str(rows))
    assert ["One?", "Two?", "Hi"] == [probe.text for probe in found]
    assert ["system", "user"] == [turn.role for turn in found[2].turns]
    for bad in ("{", "[1]", '{"prompt": 3}', '{"messages": [{"role": "dog"}]}', "7"):
        rows.write_text('"fine"\n' + bad)
        with pytest.raises(BadInput) as caught:
            prompts_from(str(rows))
        assert "line 2" in caught.value.message("en")
    plain.write_text("")
    with pytest.raises(BadInput):
        prompts_from(str(plain))


def test_streaming_shows_what_is_kept(family: Comparison, capsys) -> None:
    """Pieces on the terminal add up to the answers, and nothing in them acts."""
    from forkpoint.behaviour.side_by_side import Piece
    from forkpoint.report.compare_stream import Stream

    stream = Stream(family.request, "en")
    one = next(said for said in family.said if said.answer and said.way == "template")
    assert one.answer is not None
    place = {"checkpoint": one.checkpoint, "probe": one.probe, "way": one.way}
    stream.show(Piece(**place, text="\x1b[2Jhello\n"))
    stream.show(Piece(**place, text="world"))
    stream.show(Piece(**place, answer=one.answer))
    out = capsys.readouterr().out
    assert "␛[2Jhello\n    │ world\n" in out
    assert family.checkpoints[one.checkpoint].name in out
