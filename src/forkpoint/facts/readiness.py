"""What will bite when this checkpoint is fine-tuned: notices from its files."""

from forkpoint.facts.checkpoint_facts import Notice
from forkpoint.facts.reading import Reading
from forkpoint.facts.shape import text_config
from forkpoint.facts.signals.generation import document_end, end_ids
from forkpoint.facts.signals.tokens import TURN_ENDS
from forkpoint.facts.special_rows import untrained

EMBEDDING_NAMES = (
    "embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight",
    "tok_embeddings.weight", "token_embd.weight",
)  # fmt: skip


def readiness_notices(reading: Reading, tuned: bool) -> list[Notice]:
    """Notices about ends, templates and sizes; `tuned` says the checkpoint should end turns."""
    if not reading.tokenizer.vocabulary and not reading.template.present:
        return [] if reading.adapter else [_notice("no-tokenizer", "warning")]
    return [
        *_end_notices(reading, tuned),
        *_template_notices(reading),
        *_size_notices(reading),
        *_row_notices(reading),
    ]


def _end_notices(reading: Reading, tuned: bool) -> list[Notice]:
    """The id that ends a turn, the tokenizer's EOS and generation's end ids must agree."""
    notices = []
    tokenizer, end = reading.tokenizer, reading.template.end_of_turn
    ids = end_ids(reading.config, reading.generation)
    by_id = tokenizer.by_id
    names = ", ".join(by_id.get(index, f"id {index}") for index in ids)
    end_id, eos_id = tokenizer.id_of(end), tokenizer.id_of(tokenizer.eos)
    if end is not None and end_id is not None and ids and end_id not in ids:
        notices.append(
            _notice(
                "end-of-turn-not-an-end", "danger" if tuned else "warning", token=end, ends=names
            )
        )
    if eos_id is not None and ids and eos_id not in ids:
        notices.append(_notice("eos-disagree", "warning", eos=tokenizer.eos or "", ends=names))
    if not ids:
        notices.append(_notice("no-end-ids", "warning"))
    if unknown := [index for index in ids if by_id and index not in by_id]:
        notices.append(_notice("end-id-outside", "danger", ids=", ".join(map(str, unknown))))
    if tokenizer.pad is not None and tokenizer.pad == tokenizer.eos:
        notices.append(_notice("pad-is-eos", "warning", token=tokenizer.pad))
    elif tokenizer.pad is None:
        notices.append(_notice("no-pad", "info"))
    if tokenizer.eos is not None and tokenizer.vocabulary and eos_id is None:
        notices.append(_notice("eos-unknown", "danger", eos=tokenizer.eos))
    if not tuned and reading.template.present and end not in (None, document_end(reading)):
        notices.append(_notice("base-with-template", "info", token=end or ""))
    return notices


def _template_notices(reading: Reading) -> list[Notice]:
    facts = reading.template
    if not facts.present:
        return [_notice("no-template", "info")]
    if facts.error is not None:
        return [_notice("template-error", "danger", error=facts.error)]
    notices = []
    if facts.generation_prompt is False:
        notices.append(_notice("no-generation-prompt", "danger"))
    if facts.system_role is False:
        notices.append(_notice("no-system-role", "info"))
    if facts.default_system_prompt:
        notices.append(
            _notice("default-system-prompt", "warning", text=facts.default_system_prompt[:200])
        )
    if facts.clock:
        notices.append(_notice("clock", "warning"))
    if facts.prefix_preserving is False:
        notices.append(_notice("not-prefix-preserving", "warning"))
    if facts.trims_answers:
        notices.append(_notice("trims-answers", "warning"))
    if facts.bos_twice:
        notices.append(_notice("bos-twice", "warning", token=reading.tokenizer.bos or ""))
    if facts.end_of_turn is None:
        notices.append(_notice("no-end-of-turn", "danger"))
    if reading.tokenizer.vocabulary:
        missing = [
            token for token in facts.turn_tokens if token not in reading.tokenizer.vocabulary
        ]
        if missing:
            notices.append(_notice("template-token-unknown", "danger", tokens=" ".join(missing)))
    return notices


def _row_notices(reading: Reading) -> list[Notice]:
    """Turn tokens whose rows lie among those that were never used."""
    turn = set(reading.template.turn_tokens) - {reading.tokenizer.bos, document_end(reading)}
    level = "warning"
    if not reading.template.present:
        turn, level = set(TURN_ENDS), "info"
    found = {token: near for token, near in untrained(reading.rows).items() if token in turn}
    if not found:
        return []
    nearest = f"{min(found.values()):.2f}"
    return [_notice("untrained-rows", level, tokens=" ".join(found), cosine=nearest)]


def _size_notices(reading: Reading) -> list[Notice]:
    """A tokenizer larger than the matrix asks for rows that do not exist."""
    size = reading.tokenizer.size
    rows = embedding_rows(reading)
    if size is None or rows is None:
        return []
    if size > rows:
        return [_notice("tokenizer-larger", "danger", tokens=size, rows=rows)]
    stated = text_config(reading.config).get("vocab_size")
    if type(stated) is int and stated != rows and reading.tensors:
        return [_notice("matrix-unlike-config", "danger", rows=rows, stated=stated)]
    if rows > size:
        return [_notice("matrix-larger", "info", tokens=size, rows=rows)]
    return []


def embedding_rows(reading: Reading) -> int | None:
    """Rows of the embedding matrix, from the weights' header, else from config.json."""
    for name, place in reading.tensors.items():
        if name.endswith(EMBEDDING_NAMES) and len(place.shape) == 2:
            return place.shape[0]
    stated = text_config(reading.config).get("vocab_size")
    return stated if type(stated) is int else None


def _notice(code: str, level: str, **values: str | int) -> Notice:
    return Notice.model_validate(
        {"code": code, "level": level, "key": f"facts.{code.replace('-', '_')}", "values": values}
    )
