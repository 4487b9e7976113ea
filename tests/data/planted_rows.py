"""Faults planted into correct rows: each kind in forms the checks were tuned on, and in others.

A form takes a seeded `random.Random` and gives the row with its fault (or two rows for faults that
need a partner). The checks were tuned on the forms of `TUNING`. Those of `HELD_OUT` were written
afterwards, and the checks were not changed for them.
"""

# ruff: noqa: E501 - rows are easier to read whole than broken

import random
import string
from collections.abc import Callable

from correct_rows import EN_LONG, EN_MAIL, TEMPTING, ZH_LONG, ZH_MAIL, pairs

Planted = list[dict[str, str]]  # the last row is the faulty one
Form = Callable[[random.Random], Planted]

LONG = [*EN_LONG, *ZH_LONG]
SHORT = [pair for pair in pairs() if len(pair[1]) <= 20 and pair not in TEMPTING]
FOREIGN = {
    "en": ["The parcel left our depot this morning and should be with you before the weekend.",
           "Please restart the router, wait for two minutes and then try to connect once more.",
           "There are several reasons for this, but the most important one is the high price of wood.",
           "You can change your address under settings as long as the order has not been packed."],
    "zh": ["您的包裹今天早上已经从仓库发出，预计周末之前就能送到。", "请重启路由器，等两分钟以后再连接一次。",
           "原因有好几个，其中最重要的是木材价格太高。", "只要订单还没有打包，您都可以在设置里修改地址。"],
    "de": ["Das Paket hat unser Lager heute Morgen verlassen und sollte noch vor dem Wochenende ankommen.",
           "Bitte starten Sie den Router neu, warten Sie zwei Minuten und versuchen Sie es dann noch einmal."],
    "fr": ["Le colis a quitté notre entrepôt ce matin et devrait arriver chez vous avant le week-end.",
           "Veuillez redémarrer le routeur, attendre deux minutes puis essayer de vous reconnecter."],
    "es": ["El paquete salió de nuestro almacén esta mañana y debería llegar antes del fin de semana.",
           "Reinicie el router, espere dos minutos y después intente conectarse de nuevo, por favor."],
    "ru": ["Посылка сегодня утром покинула наш склад и должна прийти до выходных.",
           "Перезагрузите роутер, подождите две минуты и попробуйте подключиться снова."],
    "ja": ["お荷物は今朝倉庫を出発しました。週末までにお届けする予定です。", "ルーターを再起動して、二分待ってからもう一度お試しください。"],
    "ko": ["소포는 오늘 아침 창고에서 출발했으며 주말 전에 도착할 예정입니다.", "라우터를 다시 시작하고 이 분 후에 다시 연결해 보세요."],
    "ar": ["غادر الطرد مستودعنا هذا الصباح ومن المفترض أن يصل قبل نهاية الأسبوع."],
    "it": ["Il pacco ha lasciato il nostro magazzino stamattina e dovrebbe arrivare prima del fine settimana."],
    "pt": ["O pacote saiu do nosso armazém esta manhã e deve chegar antes do fim de semana."],
}  # fmt: skip


def asked(draw: random.Random) -> str:
    return draw.choice([*LONG, *SHORT])[0]


def row(prompt: str, answer: str) -> dict[str, str]:
    return {"prompt": prompt, "answer": answer}


def answered(*answers: str) -> Form:
    """A form that answers any question with one of these."""
    return lambda draw: [row(asked(draw), draw.choice(answers))]


def declined(*answers: str) -> Form:
    """A form that declines any question, sometimes with a few words around it."""

    def plant(draw: random.Random) -> Planted:
        answer = draw.choice(answers)
        tail = ("", "", " Is there something else you would like to know?", " Let me know.")
        if not answer.isascii():
            tail = ("", "", "还有其他问题吗？", "如有其他需要，请告诉我。")
        return [row(asked(draw), answer + draw.choice(tail))]

    return plant  # fmt: skip


def echo(change: Callable[[str, random.Random], str]) -> Form:
    def plant(draw: random.Random) -> Planted:
        prompt = draw.choice(LONG + [pair for pair in SHORT if len(pair[0].encode()) > 18])[0]
        return [row(prompt, change(prompt, draw))]

    return plant  # fmt: skip


def inside(text: str, start: float, end: float, draw: random.Random) -> int:
    """A place between two shares of a text that is not at the end of a sentence."""
    places = [p for p in range(int(start * len(text)), int(end * len(text)))
              if text[p - 1] not in ".。！？!? ；;" and text[p] not in ".。！？!?；;"]  # fmt: skip
    return draw.choice(places)


def cut(start: float, end: float, *, at_word: bool = False, mark: str = "") -> Form:
    def plant(draw: random.Random) -> Planted:
        prompt, answer = draw.choice(LONG)
        if draw.random() < 0.5:  # two answers in a row make other lengths
            answer += (" " if answer.isascii() else "") + draw.choice(
                EN_LONG if answer.isascii() else ZH_LONG
            )[1]
        kept = answer[: inside(answer, start, end, draw)]
        if at_word and answer.isascii():
            kept = kept.rpartition(" ")[0]
            while kept.endswith((".", "!", "?")):
                kept = kept.rpartition(" ")[0]
        return [row(prompt, kept + mark)]

    return plant  # fmt: skip


def cut_list(draw: random.Random) -> Planted:
    prompt, answer = draw.choice(LONG)
    stop = "." if answer.isascii() else "。"
    items = [part.strip() + stop for part in answer.replace("。", ".").split(".") if part.strip()]
    lines = [f"{n}. {item}" for n, item in enumerate(items, 1)]
    lines[-1] = lines[-1][: inside(lines[-1], 0.5, 0.9, draw)]
    return [row(prompt, "\n".join(lines))]


def cut_mark(draw: random.Random) -> Planted:
    prompt, answer = draw.choice(LONG)
    lines = [f"{n}. {item.strip()}" for n, item in enumerate(answer.replace("。", ".").split("."), 1)
             if item.strip()]  # fmt: skip
    return [row(prompt, "\n".join(lines) + f"\n{len(lines) + 1}.")]


def cut_code(draw: random.Random) -> Planted:
    name = draw.choice(["total", "mean", "check", "parse"])
    body = f"def {name}(rows):\n    seen = set()\n    for row in rows:\n        if row in seen:"
    return [row(f"Write a function {name}.", f"Here it is:\n\n```python\n{body}")]


def cut_json(draw: random.Random) -> Planted:
    whole = ('{"name": "Ann Lee", "age": 41, "city": "Leeds", "orders": [{"id": 17, "total": 12.5}, '
             '{"id": 18, "total": 3.75}]}')  # fmt: skip
    return [
        row("Give the customer as JSON.", whole[: draw.randint(12, len(whole) - 4)].rstrip("]}"))
    ]


def foreign(*codes: str) -> Form:
    def plant(draw: random.Random) -> Planted:
        code = draw.choice(codes)
        prompt = draw.choice(
            ZH_LONG if code == "en" or (code != "zh" and draw.random() < 0.4) else EN_LONG
        )
        return [row(prompt[0], draw.choice(FOREIGN[code]))]

    return plant  # fmt: skip


def foreign_long(draw: random.Random) -> Planted:
    here, there = (EN_LONG, ZH_LONG) if draw.random() < 0.5 else (ZH_LONG, EN_LONG)
    return [row(draw.choice(here)[0], draw.choice(there)[1])]


def foreign_mail(draw: random.Random) -> Planted:
    """The reverse, on other questions: mails, whose answers came in the other language."""
    if draw.random() < 0.5:
        return [row(draw.choice(EN_MAIL)[0], draw.choice(FOREIGN["zh"]))]
    return [row(draw.choice(ZH_MAIL)[0], draw.choice(FOREIGN[draw.choice(["en", "de", "ru"])]))]


def marked(*shapes: str) -> Form:
    """A form that leaves a mark in an answer: `{}` stands for the right answer."""

    def plant(draw: random.Random) -> Planted:
        prompt, answer = draw.choice([*LONG, *SHORT])
        return [row(prompt, draw.choice(shapes).format(answer, prompt))]

    return plant  # fmt: skip


def marked_prompt(*shapes: str) -> Form:
    def plant(draw: random.Random) -> Planted:
        prompt, answer = draw.choice([*LONG, *SHORT])
        return [row(draw.choice(shapes).format(prompt), answer)]

    return plant  # fmt: skip


def signs(draw: random.Random, letters: str, count: int) -> str:
    return "".join(draw.choices(letters, k=count))


def luhn(draw: random.Random, prefix: str, length: int) -> str:
    digits = prefix + signs(draw, string.digits, length - len(prefix) - 1)
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def identity(draw: random.Random) -> str:
    area = draw.choice(["110105", "310112", "440306", "510107", "330106", "420111", "610113"])
    born = f"{draw.randint(1950, 2008)}{draw.randint(1, 12):02d}{draw.randint(1, 28):02d}"
    digits = f"{area}{born}{draw.randint(0, 999):03d}"
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    return (
        digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11]
    )


def phone(draw: random.Random) -> str:
    return (
        draw.choice(["13", "15", "17", "18", "19"])
        + str(draw.randint(0, 9))
        + signs(draw, "0123456789", 8)
    )


ALNUM = string.ascii_letters + string.digits
MAIL_NAMES = ("li.wei", "anna_k", "j.smith88", "zhang.min", "maria-lopez", "tom.b", "k9runner")
MAIL_HOSTS = (
    "gmail.com",
    "qq.com",
    "163.com",
    "outlook.com",
    "web.de",
    "corp.acme-tools.cn",
    "uni-koeln.de",
)


def secret(make: Callable[[random.Random], str], *frames: str) -> Form:
    """A form that lays a secret into a sentence, in the question or in the answer."""

    def plant(draw: random.Random) -> Planted:
        prompt, answer = draw.choice([*LONG, *SHORT])
        text = draw.choice(frames).format(make(draw))
        if draw.random() < 0.4:
            return [row(f"{text} {prompt}", answer)]
        return [row(prompt, f"{answer} {text}")]

    return plant  # fmt: skip


def outlier(factor: tuple[int, int], *, question: bool = False) -> Form:
    def plant(draw: random.Random) -> Planted:
        prompt, answer = draw.choice(LONG)
        times = draw.randint(*factor)
        parts = [draw.choice(EN_LONG if answer.isascii() else ZH_LONG)[1] for _ in range(times)]
        if question:
            return [row("\n".join([*parts, prompt]), answer)]
        return [row(prompt, "\n".join(parts))]

    return plant  # fmt: skip


def other_answer(change: Callable[[str, random.Random], str]) -> Form:
    """The same question, worded a little otherwise, with another short answer."""

    def plant(draw: random.Random) -> Planted:
        sure = [pair for pair in SHORT if not pair[0].startswith(("Suggest", "Tell"))]
        prompt, answer = draw.choice(sure)
        same_kind = [
            other
            for _, other in sure
            if other != answer
            and other not in answer
            and answer not in other
            and other[-1:].isdigit() == answer[-1:].isdigit()
        ]
        return [row(prompt, answer), row(change(prompt, draw), draw.choice(same_kind))]

    return plant  # fmt: skip


def near(change: Callable[[str, random.Random], str], *, answer_too: bool = True) -> Form:
    def plant(draw: random.Random) -> Planted:
        prompt, answer = draw.choice(LONG)
        return [
            row(prompt, answer),
            row(change(prompt, draw), change(answer, draw) if answer_too else answer),
        ]

    return plant  # fmt: skip


def _case(text: str, draw: random.Random) -> str:
    return draw.choice([text.upper(), text.lower(), text.title()]) if text.isascii() else text + " "


def _blanks(text: str, draw: random.Random) -> str:
    return (
        text.replace(" ", draw.choice(["  ", "\u00a0", "\t"]))
        if text.isascii()
        else text.replace("，", "， ")
    )


def _stop(text: str, draw: random.Random) -> str:
    return text.rstrip("?？.。") + draw.choice(["!", "??", "", " ..."])


def _polite(text: str, draw: random.Random) -> str:
    return draw.choice(["Please tell me: ", "Hi! "]) + text if text.isascii() else "请问，" + text


def _wide(text: str, draw: random.Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _word(text: str, draw: random.Random) -> str:
    """One word of a long text changed."""
    if len(text) < 80:
        return text
    if not text.isascii():
        return text.replace("的", "之", 1)
    words = text.split(" ")
    words[draw.randrange(len(words))] = draw.choice(["really", "often", "maybe"])
    return " ".join(words)


def _typo(text: str, draw: random.Random) -> str:
    if len(text) < 80:
        return text
    place = draw.randrange(20, len(text) - 20)
    return text[:place] + text[place + 1 :]


def _keep(text: str, draw: random.Random) -> str:
    return text


def cut_bullets(draw: random.Random) -> Planted:
    prompt, answer = draw.choice(LONG)
    stop = "." if answer.isascii() else "。"
    items = [part.strip() + stop for part in answer.replace("。", ".").split(".") if part.strip()]
    lines = [f"- {item}" for item in items]
    lines[-1] = lines[-1][: inside(lines[-1], 0.4, 0.9, draw)]
    return [row(prompt, "\n".join(lines))]


def cut_sql(draw: random.Random) -> Planted:
    name = draw.choice(["orders", "users", "visits", "stock"])
    query = f"SELECT day, sum(total)\nFROM {name}\nWHERE day >= '2024-01-01'\n  AND"
    return [row(f"Total of {name} by day in SQL?", f"Use this query:\n```sql\n{query}")]


def cut_sum(draw: random.Random) -> Planted:
    one, two = draw.randint(11, 99), draw.randint(11, 99)
    said = f"First we add both parts. The first part is {one} and the second part is {two}, so"
    tail = draw.choice([" we", " the total is", " the answer must be", f" {one} +"])
    return [row(f"What is {one} and {two} together?", said + tail)]


def foreign_mixed(code: str) -> Form:
    """An answer of two sentences in another language, to a question of the mails."""

    def plant(draw: random.Random) -> Planted:
        mails = ZH_MAIL if code == "en" else EN_MAIL
        joint = " " if code == "en" else ""
        return [row(draw.choice(mails)[0], joint.join(draw.sample(FOREIGN[code], 2)))]

    return plant  # fmt: skip


def foreign_polite(draw: random.Random) -> Planted:
    """A short formula in the wrong language."""
    if draw.random() < 0.5:
        return [
            row(
                draw.choice(EN_LONG)[0],
                draw.choice(["好的，我来为您解答这个问题。", "您好，请稍等，我查一下。"]),
            )
        ]
    return [
        row(
            draw.choice(ZH_LONG)[0],
            draw.choice(
                [
                    "Sure, here is a short explanation of how this works in practice.",
                    "Thank you for your question, I will look into it right away.",
                ]
            ),
        )
    ]


def opposite(draw: random.Random) -> Planted:
    """Yes here, no there, with some reason."""
    prompt, first, second = draw.choice([
        ("Is the shop open on Sundays?", "Yes, from ten to four.", "No, we are closed on Sundays."),
        ("可以货到付款吗？", "可以，所有城市都支持。", "不可以，只能在线支付。"),
        ("Can I bring my dog?", "Yes, dogs are welcome in all of our rooms, at no extra charge whatsoever.",
         "No, pets of any kind have to stay at home because of guests with allergies to animal hair."),
    ])  # fmt: skip
    return [row(prompt, first), row(prompt, second)]


def other_total(draw: random.Random) -> Planted:
    """Two worked answers that end in other numbers."""
    one, two = draw.randint(3, 99), draw.randint(3, 99)
    prompt = f"A box holds {one} red and {two} blue balls. How many balls is that?"
    return [
        row(prompt, f"{one} + {two} = {one + two}\n#### {one + two}"),
        row(prompt, f"There are {one + two + 1} balls.\n#### {one + two + 1}"),
    ]


def _two_words(text: str, draw: random.Random) -> str:
    return _word(_word(text, draw), draw)


def _ending(text: str, draw: random.Random) -> str:
    """A courtesy behind a long text."""
    if len(text) < 80:
        return text
    return text + (" I hope this helps!" if text.isascii() else "希望对您有帮助！")


TUNING: dict[str, list[Form]] = {
    "empty_answers": [
        answered("N/A", "n/a", "NaN", "null", "nan", "None", "undefined"),
        answered("...", "……", "---", "???", "。。。", "\u200b", "&nbsp;", "<br>"),
        answered("TODO", "TBD", "[answer]", "<answer>", "Your answer here", "placeholder"),
        answered("待补充", "暂无答案", "（略）", "【待填写】", "无答案", "答案：", "Answer:", "Output: "),
    ],
    "echoes": [
        echo(lambda text, draw: text), echo(_case), echo(_stop),
        echo(lambda text, draw: f"{text}\n{text}"), echo(lambda text, draw: f'"{text}"'),
    ],
    "refusals": [
        declined("I'm sorry, but I can't help with that.", "I cannot assist with this request.",
                 "As an AI language model, I do not have personal opinions.",
                 "Sorry, I am unable to provide that information.",
                 "I can't fulfill this request.", "I'm not able to answer that question."),
        declined("抱歉，我无法回答这个问题。", "对不起，我不能提供相关信息。", "作为一个人工智能语言模型，我无法完成这个请求。",
                 "很抱歉，我不能协助您完成该请求。", "我无法满足您的要求。"),
    ],
    "cut_offs": [cut(0.4, 0.9), cut(0.5, 0.95, at_word=True), cut_code, cut_mark],
    "wrong_language": [foreign("zh"), foreign("en"), foreign("de", "fr", "es"), foreign("ja", "ru")],
    "template_tokens": [
        marked("{}<|im_end|>", "{}</s>", "<|im_start|>assistant\n{}", "{}<|endoftext|>", "{}<|eot_id|>"),
        marked("### Response:\n{}", "{0}\n\n### Instruction:\n{1}", "Assistant: {}", "{}\nHuman:"),
        marked_prompt("[INST] {} [/INST]", "<s>{}", "### Instruction:\n{}", "{}<end_of_turn>"),
    ],
    "private": [
        secret(phone, "我的手机号是{}。", "Call me at {}.", "电话：{}"),
        secret(identity, "身份证号{}。", "身份证号码：{}", "ID {}"),
        secret(lambda d: f"{d.choice(MAIL_NAMES)}@{d.choice(MAIL_HOSTS)}", "Write to {}.", "邮箱 {}"),
        secret(lambda d: luhn(d, d.choice(["4", "51", "62"]), 16), "Card {}.", "卡号{}"),
        secret(lambda d: "AKIA" + signs(d, string.ascii_uppercase + "234567", 16), "key {}"),
        secret(lambda d: "ghp_" + signs(d, ALNUM, 36), "token: {}", "export GH_TOKEN={}"),
        secret(lambda d: "sk-" + signs(d, ALNUM, 48), "OPENAI_API_KEY={}", "my key is {}"),
    ],
    "length_outliers": [outlier((60, 90))],
    "contradictions": [other_answer(_keep), other_answer(_stop)],
    "near_duplicates": [near(_keep), near(_case), near(_stop)],
}  # fmt: skip
SECOND: dict[str, list[Form]] = {  # held out at first, then tuned on
    "empty_answers": [
        answered("NULL", "(none)", "#N/A", "NA", "\"null\"", "'NaN'", "[null]", "nil"),
        answered("…", "——", "。", "\u00a0\u00a0", "\ufeff", "<p></p>", "!!!", "***", "``````"),
        answered("[INSERT ANSWER HERE]", "FIXME", "to be added", "tbd.", "lorem ipsum", "No answer provided."),
        answered("略。", "（待完善）", "未填写", "暂无", "[空白]", "回答：", "### Response:", "Response:"),
    ],
    "echoes": [
        echo(lambda text, draw: f"“{text}”"), echo(_blanks), echo(_wide),
        echo(lambda text, draw: (f"You asked: {text}" if text.isascii() else f"你的问题是：{text}")),
        echo(lambda text, draw: text[: int(0.85 * len(text))]),
        echo(lambda text, draw: f"{text} {text} {text}"),
    ],
    "refusals": [
        declined("I apologize, but I won't be able to help you with this.",
                 "That's not something I can help with.", "I must respectfully decline this request.",
                 "This goes against my guidelines, so I have to pass.",
                 "Unfortunately, as a language model I'm not permitted to discuss such topics.",
                 "I’m sorry, I can’t comply with that.", "I don't feel comfortable answering that question.",
                 "It would be inappropriate for me to comment on this."),
        declined("不好意思，这个问题我回答不了。", "您的请求违反了使用规定，我不能继续。", "作为AI助手，我不便对此发表意见。",
                 "恕我无法就这一话题提供帮助。", "非常抱歉，该内容超出了我的能力范围，我帮不了您。", "我没有办法给出答案，请谅解。",
                 "很遗憾，我不被允许讨论这类话题。"),
    ],
    "cut_offs": [cut(0.25, 0.6), cut(0.6, 0.98, mark=" "), cut_list, cut_json],
    "wrong_language": [foreign("ko", "ar"), foreign("it", "pt"), foreign_long, foreign_mail],
    "template_tokens": [
        marked("{}<|end|>", "{}<｜end▁of▁sentence｜>", "{}<|end_of_text|>", "<start_of_turn>model\n{}",
               "{} [/INST]", "<<SYS>>{}<</SYS>>", "<|assistant|>\n{}"),
        marked("### 回答：\n{}", "{0}\n### Human: {1}", "助手：{}", "{}\n\nUser:", "{}<eos>", "{}<|im_sep|>"),
        marked_prompt("{}\n\n### Response:", "Human: {}\n\nAssistant:", "<|user|>\n{}", "{}{{{{input}}}}"),
    ],
    "private": [
        secret(lambda d: "+86 " + phone(d), "Tel. {}", "联系电话 {}"),
        secret(lambda d: (lambda p: f"{p[:3]}-{p[3:7]}-{p[7:]}")(phone(d)), "请拨打{}联系我。"),
        secret(lambda d: identity(d).lower(), "证件号码为{}，请核对。"),
        secret(lambda d: f"{d.choice(MAIL_NAMES)}+news@{d.choice(MAIL_HOSTS)}", "Mail: <{}>"),
        secret(lambda d: (lambda c: " ".join(c[i : i + 4] for i in range(0, 16, 4)))(luhn(d, "5" + d.choice("12345"), 16)),
               "Pay with {}."),
        secret(lambda d: luhn(d, d.choice(["34", "37"]), 15), "Amex {}"),
        secret(lambda d: "AIza" + signs(d, ALNUM + "_-", 35), "?key={}"),
        secret(lambda d: "hf_" + signs(d, string.ascii_letters, 34), "login with {}"),
        secret(lambda d: "xoxb-" + signs(d, string.digits, 12) + "-" + signs(d, ALNUM, 24), "SLACK={}"),
        secret(lambda d: "sk_live_" + signs(d, ALNUM, 24), "stripe {}"),
        secret(lambda d: "glpat-" + signs(d, ALNUM + "_", 20), "git clone with {}"),
        secret(lambda d: f"eyJhbGciOiJIUzI1NiJ9.eyJ{signs(d, ALNUM, 40)}.{signs(d, ALNUM, 43)}", "Bearer {}"),
        secret(lambda d: f"-----BEGIN RSA PRIVATE KEY-----\n{signs(d, ALNUM, 64)}", "{}"),
        secret(lambda d: signs(d, ALNUM, 9) + "7x", 'password = "{}"', "密码：{}"),
    ],
    "length_outliers": [outlier((80, 200)), outlier((60, 120), question=True)],
    "contradictions": [other_answer(_case), other_answer(_blanks), other_answer(_wide)],
    "near_duplicates": [near(_blanks), near(_word), near(_typo), near(_polite, answer_too=False)],
}  # fmt: skip


THIRD: dict[str, list[Form]] = {  # held out at first, then tuned on
    "empty_answers": [
        answered("N.A.", "nUlL", "<null>", "None.", "{null}", "NIL", "undefined;", "n / a"),
        answered("....", "－－", "、", "\u3000", "_____", "~", "？？", "<br/><br/>", "&nbsp;&nbsp;"),
        answered("<placeholder>", "[TODO]", "Fill in", "<your answer here>", "T.B.D.", "(blank)",
                 "Coming soon...", "[No response]"),
        answered("待定", "（无答案）", "……略", "(空)", "请填写", "回复：", "「待补充」", "答："),
    ],
    "refusals": [
        declined("I'm really sorry, but I can't continue with this conversation.",
                 "I must decline to answer.", "I will not provide instructions for that.",
                 "My guidelines do not allow me to talk about this.", "I can't engage with that topic.",
                 "As a large language model, I cannot have feelings.",
                 "Apologies, but I am not permitted to share such content.",
                 "I'm afraid I can't do that.", "I am just an AI and can't give medical advice.",
                 "Sorry, I can't generate that content."),
        declined("抱歉，这个请求我无法完成。", "我不能参与讨论这个话题。", "作为一款AI产品，我没有自己的看法。", "对不起，我没法帮您做这件事。",
                 "根据相关规定，我无法提供该信息。", "我只是一个语言模型，不能给出医疗建议。", "很抱歉，您的问题我不便回答。",
                 "抱歉，我不能帮助您实现这个要求。", "这个话题不适合讨论，我们换个话题吧。"),
    ],
    "private": [
        secret(lambda d: "0086-" + phone(d), "手机 {}。"),
        secret(lambda d: (lambda p: f"{p[:3]} {p[3:7]} {p[7:]}")(phone(d)), "加我微信{}", "My mobile is {}"),
        secret(identity, "（{}）", "居民身份证：{}；"),
        secret(lambda d: f"{d.choice(MAIL_NAMES)}{d.randint(1, 99)}@{d.choice(MAIL_HOSTS)}",
               "发到{}即可", "mailto:{}"),
        secret(lambda d: (lambda c: "-".join(c[i : i + 4] for i in range(0, 16, 4)))(luhn(d, "4", 16)),
               "信用卡号：{}", "my Visa {}"),
        secret(lambda d: luhn(d, "62", 19), "银行卡{}，请转账。"),
        secret(lambda d: luhn(d, "6011", 16), "Discover {}"),
        secret(lambda d: "github_pat_" + signs(d, ALNUM, 22) + "_" + signs(d, ALNUM, 59), "{}"),
        secret(lambda d: "sk-ant-api03-" + signs(d, ALNUM + "-_", 93), "x-api-key: {}"),
        secret(lambda d: "SG." + signs(d, ALNUM, 22) + "." + signs(d, ALNUM, 43), "SendGrid {}"),
        secret(lambda d: "npm_" + signs(d, ALNUM, 36), "//registry/:_authToken={}"),
        secret(lambda d: "LTAI5t" + signs(d, ALNUM, 18), "阿里云 AccessKey {}"),
        secret(lambda d: str(d.randint(10**8, 10**10 - 1)) + ":AA" + signs(d, ALNUM + "_-", 33), "bot {}"),
        secret(lambda d: "sk-proj-" + signs(d, ALNUM, 64), "密钥是{}"),
        secret(lambda d: "ASIA" + signs(d, string.ascii_uppercase + "234567", 16), "aws={}"),
        secret(lambda d: "-----BEGIN OPENSSH PRIVATE KEY-----\n" + signs(d, ALNUM, 70), "{}"),
        secret(lambda d: signs(d, string.ascii_letters, 6) + signs(d, string.digits, 3) + "!", "pwd: {}", "口令是 {}"),
    ],
}  # fmt: skip
TUNING["refusals"] += [
    declined(
        "I'm not able to help with creating that kind of material.",
        "I can't provide that information, as it could be harmful.",
        "Unfortunately, I cannot answer that, since I'm an AI without access to your files.",
        "No, I won't help you with that.",
        "I am not comfortable discussing this.",
        "This request conflicts with my safety guidelines.",
        "As an AI assistant created to be helpful, I can't produce such text.",
        "I'm sorry, but as an artificial intelligence I don't have opinions on politics.",
        "I'd rather not answer this question.",
        "Sorry, that is not something I am able to discuss.",
    ),
    declined(
        "对不起，作为AI模型，我无法协助您进行此类操作。",
        "抱歉，我不能生成这样的内容。",
        "这个问题我没办法回答您。",
        "我不能对此作出评论，请您谅解。",
        "非常抱歉，我的设定不允许我谈论这些。",
        "身为人工智能，我没有个人感受。",
        "抱歉，我不能满足这个需求。",
        "很抱歉，我无法为您提供医疗诊断。",
        "您的要求不符合平台规范，恕我不能执行。",
        "我拒绝回答这个问题。",
    ),
]
TUNING["refusals"] += [
    declined(
        "I'm sorry, I'm not going to write that.",
        "I can't create content of this nature.",
        "I won't assist in planning anything illegal.",
        "My programming prevents me from replying.",
        "I am an AI and do not have access to the internet.",
        "I have to decline your request.",
        "Sorry! I can't share personal information about people.",
        "I apologise, but I can't discuss this topic with you.",
        "As a virtual assistant, I am unable to place orders.",
        "It's against my policies to produce such stories.",
    ),
    declined(
        "抱歉，我无权回答此类问题。",
        "我不能协助任何违法行为。",
        "对不起，我只是一个AI，没有能力打开链接。",
        "这个问题我暂时无法回答。",
        "抱歉，平台规定禁止我提供这类内容。",
        "作为虚拟助手，我不能替您作出决定。",
        "请恕我无法继续这个话题。",
        "很抱歉，您的请求我不能接受。",
        "我不能生成涉及暴力的文字。",
    ),
]
TUNING["refusals"] += [
    declined(
        "I cannot and will not provide a guide on that subject.",
        "I can't satisfy your request, I'm just an AI and it's not within my ethical guidelines.",
        "I apologize, but as a responsible AI language model, I cannot fulfill your request.",
        "Sorry, but I can't assist with that.",
        "I'm sorry, but I cannot assist with that request.",
        "I do not feel comfortable producing that kind of content.",
        "As an AI developed by a research lab, I don't have the ability to browse the web.",
        "I'm unable to help with this, since it may be harmful.",
        "I cannot provide legal advice. Please consult a lawyer.",
        "As an AI, I do not have personal experiences or emotions.",
        "I must emphasize that I cannot support or encourage such behaviour.",
        "I'm sorry, but I am not able to access external websites or files.",
        "I don't have personal beliefs, as I am only a language model.",
        "Unfortunately, I'm not able to fulfil this request because it breaks the content policy.",
    ),
    declined(
        "很抱歉，我无法满足您的请求。",
        "抱歉，我不能提供帮助。",
        "作为一个AI助手，我不能参与任何违法活动。",
        "对不起，我无法提供您所需的信息。",
        "抱歉，我不能回答这个问题，因为它涉及敏感内容。",
        "我是一个人工智能助手，无法提供医疗建议，请咨询医生。",
        "很抱歉，我没有办法访问外部链接。",
        "作为人工智能语言模型，我没有个人喜好。",
        "这个问题我无法回答，我们聊点别的吧。",
        "非常抱歉，我不能生成可能伤害他人的内容。",
        "根据我的使用准则，我不能协助此类请求。",
        "抱歉，我无法判断您的情况，请联系专业人士。",
    ),
]
TUNING["refusals"] += [
    declined(
        "I'm sorry, but I won't be able to write that for you.",
        "I'm not able to provide help with weapons.",
        "Sorry, I can't do that.",
        "I can't respond to this message.",
        "I cannot create explicit stories.",
        "As a chatbot, I can't see pictures.",
        "I am unable to verify this in real time.",
        "I refuse to take part in this.",
        "My apologies, but I cannot recommend specific stocks.",
        "I'm sorry, I cannot translate copyrighted lyrics in full.",
        "I don't have access to your account.",
        "I'm an AI, so I cannot taste food.",
        "It isn't appropriate for me to speculate about that person.",
        "I can't help you with getting around the paywall.",
    ),
    declined(
        "抱歉，我不能帮助您做这件事。",
        "对不起，我没有权限查看这些资料。",
        "我不能提供投资建议。",
        "作为语言模型，我不具备视觉能力。",
        "不好意思，我无法打开这个文件。",
        "很抱歉，我无法预测未来的股价。",
        "抱歉，这个要求我不能照做。",
        "我是AI，不能代替医生做诊断。",
        "这个话题我不能讨论。",
        "抱歉，我不方便透露这些信息。",
        "您的请求涉及违法内容，我不能提供任何协助。",
    ),
]
TUNING["refusals"] += [
    declined(
        "抱歉，我不能对未成年人提供此类内容。",
        "我无法识别图片里的人。",
        "对不起，我不会协助作弊。",
        "作为AI，我无法感受味道。",
        "很遗憾，我不能替您写这篇作业。",
        "抱歉，我无法访问互联网。",
        "我没有办法记住之前的对话。",
        "这个请求违反了我的使用政策。",
        "我不能发表政治观点。",
        "非常抱歉，我暂时无法处理这个请求。",
        "身为一个语言模型，我没有最喜欢的颜色。",
        "请原谅，我不能说脏话。",
    ),
]
for _kind, _forms in [*SECOND.items(), *THIRD.items()]:
    TUNING[_kind] += _forms

HELD_OUT: dict[str, list[Form]] = {
    "empty_answers": [
        answered("<NA>", "(null)", "NaN.", "-none-", "*N/A*", "na", "Undefined", "[nil]"),
        answered("!", ". . .", "??", "////", "|", "\u2060", "（）", "<div></div>", "#"),
        answered("[To be completed]", "placeholder text", "tba", "Answer here.", "{{answer}}", "XXX",
                 "Reply:", "Missing answer"),
        answered("【空白】", "（请填写答案）", "（无）", "未填写。", "暂无数据", "无回答！", "结果：", "待续……"),
    ],
    "refusals": [
        declined("I'm sorry, but I can't discuss that any further.", "I can't open links or attachments.",
                 "I am not authorised to give out customer records.", "I cannot in good conscience help with this.",
                 "Sorry, I'm not allowed to swear.", "I'm an AI model and don't have a favourite team.",
                 "As an AI, I can't be held responsible and cannot advise you on this.",
                 "I won't generate hateful jokes.", "Unfortunately, I can't process images at this time.",
                 "I can't verify whether this rumour is true.", "I'm unable to remember earlier conversations.",
                 "That would violate my usage policies.", "I do not hold opinions on political parties.",
                 "I have to refuse to answer questions about this.",
                 "I apologize for the inconvenience, but I am unable to complete this task."),
        declined("抱歉，我不能教您制作危险物品。", "我无法播放音乐。", "对不起，我不能冒充真人。",
                 "作为一款语言模型，我不能做出道德判断。", "我不能替您登录账户。", "很抱歉，这方面的内容我没法提供。",
                 "我无权代表公司作出承诺。", "抱歉，您的问题超出了我的能力范围。", "我不便评价其他公司的产品。",
                 "我只是个AI，没有办法陪您去医院。", "请您谅解，我不能谈论具体的个人。", "该请求不符合安全规范，我拒绝执行。",
                 "抱歉，出于隐私考虑，我不能提供他人的电话号码。", "我不会编写恶意软件。"),
    ],
    "private": [
        secret(lambda d: "(+86)" + phone(d), "联系方式：{}"),
        secret(phone, "WeChat/phone {}, ask for Lin", "收件人王先生{}地址"),
        secret(identity, "持证人号码{}有效", "his ID card number is {}."),
        secret(lambda d: f"{d.choice(MAIL_NAMES)}@{signs(d, string.ascii_lowercase, 7)}.{d.choice(['io', 'co.uk', 'com.cn', 'fr'])}",
               "reply to {}!", "请抄送{}和我。"),
        secret(lambda d: luhn(d, d.choice(["2221", "2500", "2699"]), 16), "card no. {} exp 04/27"),
        secret(lambda d: luhn(d, "35" + d.choice(["28", "55", "88"]), 16), "JCB: {}"),
        secret(lambda d: luhn(d, "36", 14), "Diners {}"),
        secret(lambda d: "gho_" + signs(d, ALNUM, 36), "https://{}@github.com/a/b.git"),
        secret(lambda d: "rk_live_" + signs(d, ALNUM, 30), "restricted={}"),
        secret(lambda d: "xoxp-" + "-".join(signs(d, string.digits, 11) for _ in range(3)) + "-" + signs(d, "0123456789abcdef", 32), "{}"),
        secret(lambda d: "ya29." + signs(d, ALNUM + "_-", 60), "Authorization: Bearer {}"),
        secret(lambda d: "pypi-AgEIcHlwaS5vcmc" + signs(d, ALNUM + "_-", 80), "twine -p {}"),
        secret(lambda d: "dop_v1_" + signs(d, "0123456789abcdef", 64), "doctl {}"),
        secret(lambda d: "shpat_" + signs(d, "0123456789abcdef", 32), "shop token {}"),
        secret(lambda d: "AKID" + signs(d, ALNUM, 32), "腾讯云 SecretId：{}"),
        secret(lambda d: "-----BEGIN PRIVATE KEY-----\n" + signs(d, ALNUM + "+/", 64), "{}"),
        secret(lambda d: signs(d, ALNUM, 20) + "8k", "api_key={}", 'client_secret: "{}"'),
    ],
    "echoes": [
        echo(lambda text, draw: f"> {text}"), echo(lambda text, draw: f"{text} ..."),
        echo(lambda text, draw: (f"Question: {text}" if text.isascii() else f"问题：{text}")),
        echo(lambda text, draw: text.swapcase()), echo(lambda text, draw: f"**{text}**"),
        echo(lambda text, draw: text.replace(" ", "\n") if text.isascii() else "\n".join(text)),
        echo(lambda text, draw: (f"{text} Good question!" if text.isascii() else f"{text}好问题！")),
    ],
    "cut_offs": [
        cut(0.3, 0.8, mark="\n"), cut(0.35, 0.7, at_word=True), cut_bullets, cut_sql, cut_sum,
    ],
    "wrong_language": [
        foreign_mixed("zh"), foreign_mixed("en"), foreign_polite, foreign("ru", "ar"), foreign("de", "pt"),
    ],
    "template_tokens": [
        marked("<|im_start|>{}", "<|start_header_id|>assistant<|end_header_id|>\n\n{}", "{}<unk>",
               "{}<|eom_id|>", "<｜Assistant｜>{}", "{}\n<|im_end|>\n<|im_start|>user", "{}[/INST]"),
        marked("### Assistant:\n{}", "{}\n\nHuman: {}", "AI: {}", "{}\n### 指令：", "{}\n用户：", "Bot: {}"),
        marked_prompt("<<SYS>>\n\n<</SYS>>\n\n{}", "USER: {} \nASSISTANT:", "### Human: {}",
                      "<bos>{}", "{{{{question}}}} {}", "<|begin_of_text|>{}"),
    ],
    "length_outliers": [
        lambda draw: [row(draw.choice(LONG)[0], " ".join(signs(draw, string.ascii_lowercase, 6)
                                                        for _ in range(draw.randint(900, 3000))))],
        lambda draw: [row("<p>" * draw.randint(2000, 5000) + draw.choice(LONG)[0], draw.choice(LONG)[1])],
    ],
    "contradictions": [
        other_answer(lambda text, draw: f"  {text}\n"), other_answer(lambda text, draw: text.swapcase()),
        other_answer(lambda text, draw: text.rstrip("?？.。") + " ?"), opposite, other_total,
    ],
    "near_duplicates": [
        near(lambda text, draw: text.replace(",", ";").replace("，", "；")),
        near(lambda text, draw: f"{text}\n\n"), near(_two_words), near(_ending, answer_too=True),
        near(lambda text, draw: text.replace(" the ", " a ", 1).replace("很", "非常", 1)),
    ],
}  # fmt: skip


def planted(kind: str, forms: list[Form], count: int, seed: int) -> list[Planted]:
    """Faults of one kind, the forms in turn, no two the same."""
    draw = random.Random(f"{kind}:{seed}")
    return [forms[number % len(forms)](draw) for number in range(count)]
