"""What a chat template does is found by rendering it, and it cannot do harm."""

import importlib.util
import resource
import time
from pathlib import Path

import pytest

from forkpoint.facts.chat_template import TemplateError, compile_template
from forkpoint.facts.checkpoint_facts import TemplateFacts
from forkpoint.facts.template_facts import read_template
from forkpoint.facts.tokenizer_files import AddedToken, TokenizerFacts

ENDS = "{{ m['content'] }}<|im_end|>\n"
LOOP = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n" + ENDS + "{% endfor %}"
PROMPT = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
PLAIN = LOOP + PROMPT


def tokenizer(**changes: object) -> TokenizerFacts:
    """A tokenizer that knows ChatML's tokens and `<s>`."""
    names = ["<s>", "<|im_start|>", "<|im_end|>"]
    added = tuple(AddedToken(name, index, True) for index, name in enumerate(names))
    ids = {token.content: token.id for token in added}
    return TokenizerFacts(**({"added": added, "vocabulary": ids, "eos": "<|im_end|>"} | changes))


def facts_of(text: str, **changes: object) -> TemplateFacts:
    """Facts of a template with that tokenizer."""
    return read_template(text, "chat_template.jinja", tokenizer(**changes))


def test_plain_chatml_has_no_vices() -> None:
    """ChatML: prompt, system role, stable prefixes, answers as they are."""
    facts = facts_of(PLAIN)
    assert (
        facts.end_of_turn, facts.generation_prompt, facts.system_role,
        facts.default_system_prompt, facts.clock, facts.prefix_preserving, facts.trims_answers,
        facts.thinking, facts.bos_twice, facts.error,
    ) == ("<|im_end|>", True, True, None, False, True, False, False, False, None)  # fmt: skip
    assert ("<|im_start|>", "<|im_end|>") == facts.turn_tokens


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        (LOOP, "generation_prompt", False),
        ("{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
         + PLAIN, "system_role", False),
        (PLAIN.replace("{% for m in messages %}",
                       "{% for m in messages if m['role'] != 'system' %}"), "system_role", False),
        ("{% if messages[0]['role'] != 'system' %}<|im_start|>system\n"
         "You are a helpful parrot.<|im_end|>\n{% endif %}" + PLAIN,
         "default_system_prompt", "You are a helpful parrot."),
        ("Today is {{ strftime_now('%d %B %Y') }}.\n" + PLAIN, "clock", True),
        (PLAIN.replace("m['content']", "m['content'] | trim"), "trims_answers", True),
        (PLAIN.replace("{{ m['content'] }}",
                       "{% if m['role'] == 'assistant' and not loop.last %}...{% else %}"
                       "{{ m['content'] }}{% endif %}"), "prefix_preserving", False),
        (PLAIN.replace("{{ m['content'] }}", "{{ m['content'].split('</think>')[-1] }}"),
         "thinking", True),
        (PLAIN.replace("<|im_end|>\n", "\n"), "end_of_turn", None),
        ("{% generation %}" + PLAIN + "{% endgeneration %}", "error", None),
        ("{% for m in messages %}{{ broken(", "present", True),
    ],
)  # fmt: skip
def test_each_vice_is_seen(text: str, field: str, value: object) -> None:
    """One change to the template, one fact changed."""
    assert value == getattr(facts_of(text), field)


def test_instructions_in_brackets_need_no_generation_prompt() -> None:
    """Where the user's turn itself ends the prompt (Llama 2), nothing is missing."""
    text = (
        "{% for m in messages %}{% if m['role'] == 'user' %}<s>[INST] {{ m['content'] }} [/INST]"
        "{% else %} {{ m['content'] }} <|im_end|>{% endif %}{% endfor %}"
    )
    assert facts_of(text).generation_prompt is True


def test_bos_is_doubled_only_when_both_add_it() -> None:
    """Template and tokenizer each put BOS in front: seen; one of them: not."""
    assert facts_of("{{ bos_token }}" + PLAIN, bos="<s>", adds_bos=True).bos_twice is True
    assert facts_of("{{ bos_token }}" + PLAIN, bos="<s>", adds_bos=False).bos_twice is False
    assert facts_of(PLAIN, bos="<s>", adds_bos=True).bos_twice is False


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(s='x') %}{% for a in range(99) %}{% set n.s = n.s ~ n.s %}"
        "{% endfor %}{{ n.s }}",
        "{% set n = namespace(s='x') %}{% for a in range(99) %}{% set n.s = n.s + n.s %}"
        "{% endfor %}{{ n.s }}",
        "{% set s = 'x' * 999999 %}{{ s | replace('x', s) }}",
        "{% set s = 'x' * 999999 %}{{ s.replace('x', s) }}",
        "{% set s = 'x' * 999999 %}{{ ([s] * 999999) | join }}",
        "{% set s = 'x' * 999999 %}{{ ''.join([s] * 999999) }}",
        "{% set s = 'x' * 999999 %}{% for a in range(99999) %}{{ s }}{% endfor %}",
        "{% set s = 'x' * 999999 %}{% set t %}{% for a in range(99999) %}{{ s }}{% endfor %}"
        "{% endset %}{{ t | length }}",
        "{{ lipsum(n=999999999) }}",
        "{{ [1] | batch(999999999, 'x') | list }}",
        "{{ 'x' * 10000000000 }}",
        "{{ '%9999999999d' % 1 }}",
        "{{ 'x'.ljust(9999999999) }}",
        "{{ '{:9999999999}'.format(1) }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ 'x' | center(9999999999) }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.append(1) }}",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
        "{% include '/etc/passwd' %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    ],
)
def test_a_hostile_template_ends_soon_and_in_a_sentence(text: str) -> None:
    """Endless loops, exploding strings and ways out of the sandbox are an error fact."""
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    facts = facts_of(text + PLAIN)
    assert facts.error
    assert time.process_time() - began < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


# What each of these published templates does, read in its text.
PUBLISHED = {
    "llama3": ("<|eot_id|>", True, False, True),
    "llama3_2": ("<|eot_id|>", True, True, True),
    "qwen2_5": ("<|im_end|>", True, False, True),
    "qwen3": ("<|im_end|>", True, False, False),
    "gemma": ("<end_of_turn>", False, False, True),
    "gemma3": ("<end_of_turn>", True, False, True),
    "phi3": ("<|end|>", True, False, False),
    "glm4moe": ("<|user|>", True, False, True),
    "gptoss": ("<|return|>", True, True, False),
    "smolvlm": ("<end_of_utterance>", True, False, True),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_templates(name: str) -> None:
    """End of turn, system role, clock and stable prefixes of templates that people use."""
    spec = importlib.util.find_spec("trl")
    path = Path(spec.origin or "").parent / "chat_templates" / f"{name}.jinja" if spec else None
    if path is None or not path.exists():
        pytest.skip("this version of trl ships no such template")
    facts = read_template(
        path.read_text(encoding="utf-8"), "x", TokenizerFacts(bos="<s>", eos="</s>")
    )
    assert None is facts.error
    found = (facts.end_of_turn, facts.system_role, facts.clock, facts.prefix_preserving)
    assert PUBLISHED[name] == found


def test_content_in_parts_is_understood() -> None:
    """Vision templates take a message's content as a list of parts."""
    parts = PLAIN.replace("m['content']", "m['content'][0]['text']")
    assert "<|im_end|>" == facts_of(parts).end_of_turn


def test_the_clock_is_pinned() -> None:
    """The same text today and tomorrow."""
    assert "2024" == compile_template("{{ strftime_now('%Y') }}")([])


def test_json_is_written_as_transformers_does() -> None:
    """`tojson` keeps Chinese and angle brackets."""
    assert '{"a": "<问>"}' == compile_template("{{ messages[0] | tojson }}")([{"a": "<问>"}])


def test_an_error_of_the_template_is_its_message() -> None:
    """raise_exception reaches the caller as text."""
    with pytest.raises(TemplateError, match="only user turns"):
        compile_template("{{ raise_exception('only user turns') }}")([])
