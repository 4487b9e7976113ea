"""Advice as one JSON document: the record, with every catalogue key put into words beside it."""

import json
from typing import Any

from forkpoint.advice import Advice
from forkpoint.report.visible import json_text
from forkpoint.rules import sentence
from forkpoint.sources import study
from forkpoint.words import say


def advice_json(advice: Advice, lang: str = "en") -> str:
    """JSON text: `advice` with sentences, questions, sides and studies in a language."""
    document: dict[str, Any] = json.loads(advice.to_json())
    for finding, one in zip(advice.findings, document["findings"], strict=True):
        one["text"] = sentence(finding, lang)
    for one in document["disagreements"]:
        one["question"] = say(f"sources.disagreement_{one['key']}", lang)
        for side in one["sides"]:
            side["text"] = say(f"sources.side_{side['key']}", lang)
    for candidate in document["candidates"]:
        for notice in candidate["notices"]:
            notice["text"] = say(notice["key"], lang, **notice["values"])
    keys = {key for one in advice.disagreements for key in one.studies}
    keys |= {m.study for one in advice.grounds for m in (*one.measured, *one.quoted)}
    keys.discard("own")
    document["studies"] = []
    for key in sorted(keys):
        one = json.loads(study(key).to_json())
        one["title"] = say(f"sources.study_{key}", lang)
        one["lesson"] = say(f"sources.lesson_{key}", lang)
        document["studies"].append(one)
    return json_text(json.dumps(document, ensure_ascii=False, indent=2))
