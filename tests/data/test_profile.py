"""What a data set is, on known cases."""

import json
import random
import time

import orjson
import pytest

from forkpoint.data import DataProfile, RowStream, bundled, load, profile
from forkpoint.data.answers import AnswerTally, kind_of_text
from forkpoint.data.language import language_shares
from forkpoint.data.profiling import counted, spread
from forkpoint.data.sampling import Sample
from forkpoint.errors import BadInput


def rows_of(tmp_path, rows):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
    return load(path)


KINDS = {
    "42": "number", "-3.5": "number", "$1,200": "number", "12 %": "number", " 7. ": "number",
    "3 + 4 = 7\n#### 7": "number", "42 apples": "short", "2024-05-01": "short",
    '{"a": 1}': "json", "[1, 2]": "json", "{not json}": "short", "[sic]": "short",
    "```python\nx = 1\n```": "code", "def f(x):\n    return x": "code", "SELECT a FROM b": "code",
    "import this": "code", "yes": "short", "物流": "short", "": "short",
    "a\nb": "long", "x" * 81: "long", "退" * 27: "long", "退" * 26: "short",
}  # fmt: skip


@pytest.mark.parametrize("answer", KINDS)
def test_kinds_of_single_answers(answer):
    """Each kind on its side of the threshold."""
    assert KINDS[answer] == kind_of_text(answer)


def tally(answers):
    counted = AnswerTally()
    for answer in answers:
        counted.add(answer)
    return counted


def test_labels_are_few_and_shared():
    """A few answers that nearly all rows share are labels; names, sums and phrases are none."""
    draw = random.Random(0)
    assert {"yes": 60, "no": 40} == tally(["yes"] * 60 + ["no"] * 40).labels()
    assert {"yes": 600, "no": 390, "unsure": 2} == tally(
        ["yes"] * 600 + ["no"] * 390 + ["unsure"] * 2
    ).labels()
    assert {} == tally([str(draw.randrange(200)) for _ in range(3000)]).labels()
    assert 5 == len(tally([str(draw.randrange(1, 6)) for _ in range(300)]).labels())
    assert {} == tally([f"{n}: some answer" for n in range(200)] + ["I do not know"] * 100).labels()
    assert {} == tally(["always the same"] * 100).labels()


def test_the_bundled_tickets():
    """A one-shot task in two languages with six labels, all figures exact."""
    found = profile(load(bundled("tickets")))
    assert ("messages", "jsonl", 1000) == (found.format, found.file_format, found.rows)
    assert ("task", "label") == (found.job, found.answer_kind)
    assert {"label": 1.0} == found.answer_kinds
    assert 6 == len(found.labels)
    assert 1000 == sum(found.labels.values())
    assert {"user": 1000, "assistant": 1000} == found.roles
    assert {"zh", "en"} == set(list(found.languages)[:2])
    assert abs(found.languages["zh"] - 0.52) < 0.02
    assert (0, 0, 0) == (found.fault_count, found.exact_duplicates, found.system_prompts)
    assert found == DataProfile.from_json(found.to_json())


JOBS = {
    "dialogue": [{"messages": [{"role": "user", "content": f"hello {n}"},
                               {"role": "assistant", "content": "hi"},
                               {"role": "user", "content": f"and {n}?"},
                               {"role": "assistant", "content": f"Well, {n} it is, I suppose."}]}
                 for n in range(9)],
    "knowledge": [{"question": f"Who built house {n}?", "answer": f"It was built by man {n}."}
                  for n in range(9)],
    "task": [{"instruction": f"Shorten the sentence below. {n}", "output": f"It is {n} long."}
             for n in range(9)],
    "raw_text": [{"text": f"Once upon a time there were {n} kings."} for n in range(9)],
    "preference": [{"prompt": f"Say {n}", "chosen": f"{n}!", "rejected": "No."} for n in range(9)],
    "images": [{"messages": [{"role": "user", "content": [{"type": "image"},
                                                          {"type": "text", "text": f"What? {n}"}]},
                             {"role": "assistant", "content": f"A cat, {n}."}]} for n in range(9)],
}  # fmt: skip


@pytest.mark.parametrize("job", JOBS)
def test_kinds_of_job(job, tmp_path):
    """Each kind of job is told from its rows, with evidence."""
    found = profile(rows_of(tmp_path, JOBS[job]))
    assert job == found.job
    assert found.job_evidence


def test_two_latin_words_have_no_language():
    """Short texts in a script of many languages are not guessed at; longer ones are told."""
    assert language_shares(["hi\nyo", "pizza no"]) == {"und": 1.0}
    assert language_shares(["où est la bibliothèque, s'il vous plaît"]) == {"fr": 1.0}
    assert language_shares(["the invoice was paid twice"]) == {"en": 1.0}


def test_languages(tmp_path):
    """Sentences in five scripts are told apart; a number is in no language."""
    said = {
        "en": "The parcel has not arrived yet, please tell me where it is.",
        "zh": "包裹还没有到，请告诉我它在哪里。", "ja": "荷物がまだ届いていません。",
        "ko": "소포가 아직 도착하지 않았습니다.", "de": "Das Paket ist noch nicht angekommen.",
        "ru": "Посылка ещё не пришла, скажите, пожалуйста, где она.",
    }  # fmt: skip
    rows = [{"prompt": text, "answer": text} for text in said.values()]
    rows.append({"prompt": "3 + 4", "answer": "7"})
    found = profile(rows_of(tmp_path, rows))
    assert {*said, "und"} == set(found.languages)


def test_tokens_by_a_tokenizer(tmp_path):
    """Tokens of a row are those of its texts by the candidate's own tokenizer."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1, "b": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(2)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    data = rows_of(tmp_path, [{"prompt": "a b a b", "answer": "b"}, {"prompt": "a", "answer": "b"}])
    found = profile(data, {"mine": tmp_path / "tokenizer.json"})
    assert (2, 5, 2) == (
        found.tokens["mine"].smallest, found.tokens["mine"].largest, found.token_sample_rows,
    )  # fmt: skip
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(BadInput, match="cannot be read as a tokenizer"):
        profile(data, {"bad": tmp_path / "bad.json"})


def test_spread_of_known_numbers():
    """Percentiles and mean of 0 to 100."""
    found = spread(range(101))
    assert (0, 10, 50, 90, 100, 50) == (
        found.smallest, found.p10, found.median, found.p90, found.largest, found.mean,
    )  # fmt: skip


def test_copies_and_system_prompts(tmp_path):
    """Exact copies are counted beyond the first; system prompts by their text."""
    row = {"prompt": "a", "answer": "b", "system": "Be kind."}
    found = profile(rows_of(tmp_path, [row, row, row, {"prompt": "c", "answer": "d"}]))
    assert (2, 1, 0.75) == (
        found.exact_duplicates, found.system_prompts, found.system_prompt_share,
    )  # fmt: skip


def test_reading_and_counting_is_a_small_multiple_of_parsing(tmp_path):
    """Rows are read, checked and counted without a detour (benchmarks/data.py has the figure)."""
    draw = random.Random(0)
    words = [f"{draw.getrandbits(24):x}" for _ in range(500)]
    rows = [{"messages": [{"role": "user", "content": " ".join(draw.choices(words, k=60))},
                          {"role": "assistant", "content": " ".join(draw.choices(words, k=60))}]}
            for _ in range(5_000)]  # fmt: skip
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    ratios = []
    for _ in range(3):
        start = time.process_time()
        with path.open("rb") as file:
            for line in file:
                orjson.loads(line)
        middle = time.process_time()
        assert 5_000 == counted(Sample(100, 0).passing(RowStream(path).bare())).rows
        ratios.append((time.process_time() - middle) / (middle - start))
    assert min(ratios) < 10, ratios
