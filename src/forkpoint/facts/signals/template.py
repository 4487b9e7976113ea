"""What the chat template says: that there is one, and what is in it."""

from forkpoint.facts.checkpoint_facts import Evidence
from forkpoint.facts.reading import Reading
from forkpoint.facts.signals import Signals

ABSENT = 1.5  # log-odds for base; old or home-made tuned checkpoints have none either
PRESENT = 1.0  # log-odds against base; weak, since Qwen2.5 Base ships one [A6 against E6]
FORCED_THOUGHT = 2.5  # log-odds for thinking; the prompt itself opens a thought
OPENED_THOUGHT = 4.0  # log-odds for the kind; whoever is always made to think was made for it
SWITCHED_THOUGHT = 2.5  # log-odds for thinking; who can switch it was taught [studies/stages.md]
TOOLS = 0.5  # log-odds against base; templates with tools belong to tuned checkpoints, mostly
OPENS_THOUGHT = "add_generation_prompt: <think>"


def template_signals(reading: Reading) -> Signals:
    """Evidence from the presence and the content of the template."""
    signals = Signals()
    text = reading.template_text
    if text is None:
        if reading.tokenizer.kind or reading.tokenizer.vocabulary:
            signals.base("template", ABSENT, "chat_template: -")
        return signals
    signals.base("template", -PRESENT, str(reading.template.source))
    if "tools" in text and "tool_call" in text:
        signals.base("template", -TOOLS, "tools, tool_call")
    tail = text[-400:]
    if "<think>" in tail and "enable_thinking" not in text:
        signals.sold_as.append(_evidence("thinking", FORCED_THOUGHT, OPENS_THOUGHT))
        signals.kind.append(_evidence("thinking", OPENED_THOUGHT, OPENS_THOUGHT))
        signals.post_training.append(_evidence("reasoning_rl", FORCED_THOUGHT / 2, OPENS_THOUGHT))
    elif "enable_thinking" in text or "reasoning_content" in text:
        signals.kind.append(_evidence("thinking", SWITCHED_THOUGHT, "enable_thinking"))
    return signals


def _evidence(says: str, weight: float, found: str) -> Evidence:
    return Evidence(signal="template", says=says, weight=weight, found=found)
