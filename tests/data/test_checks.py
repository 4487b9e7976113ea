"""Content checks find what is wrong and leave what is right alone."""

import json
import os
import random
from pathlib import Path

import pytest
from correct_rows import EN_MAIL, pairs
from planted_rows import HELD_OUT, TUNING, planted

from forkpoint.data import Row, Turn, bundled, load, profile
from forkpoint.data.checks import CHECKS, HeldOut
from forkpoint.data.checks.label_imbalance import rare_labels
from forkpoint.data.checks.private import masked, secrets_in
from forkpoint.data.profiling import counted

SHARED = Path(os.environ.get("FORKPOINT_SHARED", "../shared")) / "data" / "formats"
MOST_FLAGGED = 0.01  # of correct rows
LEAST_FOUND = 0.95  # of planted faults
PLANTED_AT_ONCE = 10  # among some 300 correct rows, as faults are in files


def rows_of(found: list[dict[str, str]]) -> list[Row]:
    return [Row(f"{place:016x}", "f.jsonl", place + 1,
                (Turn("user", one["prompt"]), Turn("assistant", one["answer"])))
            for place, one in enumerate(found)]  # fmt: skip


def correct() -> list[dict[str, str]]:
    return [{"prompt": asked, "answer": told} for asked, told in pairs()]


def flagged(kind: str, rows: list[Row]) -> set[int]:
    return {flag.place for flag in CHECKS[kind](rows, counted(rows).labels())}


def test_at_most_one_correct_row_in_a_hundred_is_flagged():
    """On 300 and more right rows, all checks together flag at most 1 %."""
    rows = rows_of(correct())
    assert 300 <= len(rows)
    found = {kind: flagged(kind, rows) for kind in CHECKS}
    every = set().union(*found.values())
    told = {kind: [rows[p].turns for p in places] for kind, places in found.items() if places}
    assert len(every) <= MOST_FLAGGED * len(rows), told


def share_found(kind: str, forms: list, count: int) -> tuple[float, list[str]]:
    hit, missed = 0, []
    for seed in range(count // PLANTED_AT_ONCE):
        found, bad = correct(), []
        for one in planted(kind, forms, PLANTED_AT_ONCE, seed):
            found += one
            bad.append(len(found) - 1)
        places = flagged(kind, rows_of(found))
        hit += len(places & set(bad))
        missed += [f"{found[p]['prompt'][-50:]} | {found[p]['answer'][-50:]}"
                   for p in bad if p not in places]  # fmt: skip
    return hit / count, missed


@pytest.mark.parametrize("kind", HELD_OUT)
def test_planted_faults_the_checks_were_not_tuned_on(kind):
    """Of 300 faults in forms that were held out, at least 95 % are found."""
    share, missed = share_found(kind, HELD_OUT[kind], 300)
    assert share >= LEAST_FOUND, missed


@pytest.mark.parametrize("kind", TUNING)
def test_planted_faults_the_checks_were_tuned_on(kind):
    """Of faults in the forms that the checks were tuned on, at least 95 % are found."""
    share, missed = share_found(kind, TUNING[kind], 100)
    assert share >= LEAST_FOUND, missed


def test_rare_labels_among_even_ones():
    """Of 300 sets of labels with one that is too rare it is named; of 300 even ones none is."""
    draw = random.Random(0)
    named = wrongly = 0
    for _ in range(300):
        even = {f"label {n}": draw.randint(60, 180) for n in range(draw.randint(2, 9))}
        wrongly += bool(rare_labels(even))
        rare = draw.randint(1, max(1, sum(even.values()) // (12 * (len(even) + 1))))
        named += "rare" in rare_labels({**even, "rare": rare})
    assert named >= LEAST_FOUND * 300
    assert wrongly <= MOST_FLAGGED * 300


def test_a_label_that_always_rules_is_told():
    """Where one label holds 90 % of the rows, the others are too rare."""
    assert ("no", "unsure") == rare_labels({"yes": 950, "unsure": 30, "no": 20})
    assert () == rare_labels({"yes": 700, "no": 300})


LEAK_FORMS = (
    lambda text: text,
    lambda text: text.upper() if text.isascii() else text + "　",
    lambda text: text.rstrip("?？.。") + " !",
    lambda text: f"Here is a question. {text} Please answer.",
    lambda text: f"题目如下：\n{text}\n请作答。",
    lambda text: text.replace(" ", "  ").replace("，", ", "),
)


def long_question(place: int, draw: random.Random) -> str:
    text, _ = draw.choice(EN_MAIL)
    who, city = (
        draw.choice(["Ann", "Boris", "Chen", "Dora"]),
        draw.choice(["Leeds", "Bonn", "Xi'an"]),
    )
    if place % 2:
        return (
            f"顾客{who}来自{city}，订单号{draw.randint(10**6, 10**7)}，"
            f"反映第{place}件商品有问题，要求在{draw.randint(2, 28)}日前处理，应当怎么答复？"
        )
    return (
        f"{who} from {city} wrote on day {draw.randint(1, 365)} about order "
        f"{draw.randint(10**6, 10**7)}: {text} What should item {place} of the reply say?"
    )


def test_leaks_are_found_and_siblings_are_none():
    """Of 300 leaked questions at least 95 % are found; questions of one template leak nothing."""
    draw = random.Random(1)
    held = rows_of([{"prompt": long_question(n, draw), "answer": "x"} for n in range(300)])
    siblings = [{"prompt": long_question(n, draw), "answer": "y"} for n in range(300, 700)]
    leaked = [
        {"prompt": draw.choice(LEAK_FORMS)(row.turns[0].content), "answer": "z"} for row in held
    ]
    in_answer = [
        {"prompt": "Write something.", "answer": f"Well: {row.turns[0].content}"} for row in held
    ]
    search = HeldOut(held)
    found = {leak.place: leak.held for leak in search.leaks(rows_of(leaked))}
    assert sum(found.get(n) == n for n in range(300)) >= LEAST_FOUND * 300
    assert len(list(search.leaks(rows_of(in_answer)))) >= LEAST_FOUND * 300
    assert len(list(search.leaks(rows_of(siblings)))) <= MOST_FLAGGED * len(siblings)


def test_short_questions_leak_only_as_a_whole():
    """ "2+2?" leaks as itself; it does not leak into "2-2?" or a longer question."""
    search = HeldOut(rows_of([{"prompt": "2+2?", "answer": "4"}]))
    asked = ["2+2?", " 2+2 ", "2-2?", "What is 12+2?"]
    found = list(search.leaks(rows_of([{"prompt": one, "answer": "0"} for one in asked])))
    assert [0, 1] == [leak.place for leak in found]


SECRETS = ("13912345671", "11010519491231002X", "sk-" + "aB3dE6gH9" * 4, "anna.k@gmail.com",
           "4539578763621486", "ghp_" + "x8Yz1Qw2" * 5)  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_never_shown_whole(secret, tmp_path, capsys):
    """Neither text nor JSON of inspect holds a secret, wherever it stands in the row."""
    from forkpoint.cli import main

    rows = [{"prompt": f"Question {n}: what now?", "answer": "Wait and see."} for n in range(40)]
    rows[7]["answer"] = f"N/A {secret}"
    rows[8]["prompt"] = f"My data: {secret}"
    rows[9]["id"] = rows[10]["id"] = secret
    rows += [{"prompt": f"Repeat this: {secret} and then stop, please, at once.",
              "answer": f"Repeat this: {secret} and then stop, please, at once."}] * 2  # fmt: skip
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + f'\n{{"prompt": "x {secret}')
    assert list(secrets_in(f"x {secret} y"))
    assert secret not in masked(f"x {secret} y")
    for form in ("text", "json"):
        with pytest.raises(SystemExit) as left:
            main(["inspect", str(path), "--format", form, "--lang", "en"])
        assert not left.value.code
        assert secret not in capsys.readouterr().out


def test_checksums_decide():
    """One wrong digit and an identity or card number is none; reserved names are no addresses."""
    for text in ("110105199003078516", "4539578763621487", "4111 1111 1111 1111",
                 "me@example.com", "sk-xxxxxxxxxxxxxxxxxxxxxxxx", "AKIAIOSFODNN7EXAMPLE",
                 "1700000000000", "110105199013078515"):  # fmt: skip
        assert [] == list(secrets_in(f"see {text}, please")), text


def test_the_bundled_tickets_are_clean_but_for_nothing():
    """The profile of the bundled tickets lists every check, and flags hardly any row."""
    found = profile(load(bundled("tickets")))
    assert [*CHECKS] == [check.check for check in found.checks]
    assert sum(check.count for check in found.checks) <= 0.01 * found.rows
    assert all(check.n == 1000 and not check.sampled for check in found.checks)


@pytest.mark.skipif(not SHARED.is_dir(), reason="FORKPOINT_SHARED holds no data/formats")
def test_real_rows_that_are_mostly_right():
    """Of a thousand published rows each check flags few, beside refusals, which are there."""
    found = profile(load(SHARED / "lf_alpaca_zh_demo.json"))
    counts = {check.check: check.count for check in found.checks}
    assert 20 <= counts.pop("refusals") <= 60
    assert 5 <= counts.pop("wrong_language") <= 12  # English answers to Chinese questions
    assert max(counts.values()) <= 0.01 * found.rows, counts
