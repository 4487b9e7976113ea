"""Read a checkpoint: its files, then what follows from them."""

from dataclasses import replace

from forkpoint.errors import BadInput
from forkpoint.facts.behaviour import Behaviour
from forkpoint.facts.checkpoint_facts import (
    CheckpointFacts,
    Judgement,
    Notice,
    ShapeFacts,
    Stage,
)
from forkpoint.facts.checkpoint_files import CheckpointFiles, locate
from forkpoint.facts.families import family_of
from forkpoint.facts.form import form_notices
from forkpoint.facts.identity import identity_of
from forkpoint.facts.judgement import conflicts, judge, stage_of, unnamed
from forkpoint.facts.licence import licence_notices, read_licence
from forkpoint.facts.readiness import readiness_notices
from forkpoint.facts.reading import Reading, read_files
from forkpoint.facts.shape import read_shape
from forkpoint.facts.signals.generation import end_ids
from forkpoint.facts.special_rows import rows_of


def read_checkpoint(
    name: str,
    *,
    allow_pickle: bool = False,
    allow_code: bool = False,
    behaviour: Behaviour | None = None,
) -> CheckpointFacts:
    """All facts of a checkpoint, without loading weights and without running its code.

    `name` is a local folder, a GGUF file, a Hub id or a pocket name; `behaviour` is what a probe
    of it saw. Raises BadInput when there is no checkpoint, or when its weights are pickles or it
    brings code and no flag allows that.
    """
    files = locate(name)
    reading = read_files(files)
    reading = replace(reading, rows=rows_of(reading, files), behaviour=behaviour)
    notices = _trust(reading, allow_pickle=allow_pickle, allow_code=allow_code)
    return conclude(reading, files, notices)


def conclude(
    reading: Reading, files: CheckpointFiles, notices: tuple[Notice, ...] = ()
) -> CheckpointFacts:
    """The facts that follow from what was read."""
    sold_as, post_training, kind = judge(reading)
    stage = stage_of(sold_as, post_training)
    stated = reading.gguf.settings.get("general.license") if reading.gguf else None
    licence, commercial = read_licence(reading.card, stated if isinstance(stated, str) else None)
    by_id = reading.tokenizer.by_id
    ids = end_ids(reading.config, reading.generation)
    parent, shape = _parent(reading), _shape(reading)
    if reading.adapter:
        notices += (
            Notice(
                code="adapter",
                level="warning",
                key="facts.adapter",
                values={"parent": parent or "?"},
            ),
        )
    return CheckpointFacts(
        name=files.name,
        path=str(files.path.resolve()) if files.path is not None else None,
        family=_family(reading, parent),
        kind=kind,
        sold_as=sold_as,
        post_training=post_training,
        stage=stage,
        shape=shape,
        template=reading.template,
        tokenizer_eos=reading.tokenizer.eos,
        generation_eos=tuple(by_id.get(index, f"id {index}") for index in ids),
        bos=reading.tokenizer.bos,
        pad=reading.tokenizer.pad,
        licence=licence,
        commercial_use=commercial,
        weights_bytes=reading.weights_bytes,
        revision=files.revision,
        file_hashes=reading.hashes,
        identity=identity_of(reading),
        notices=(
            *notices,
            *conflicts(sold_as),
            *unnamed(sold_as),
            *_aligned(stage, sold_as, post_training),
            *form_notices(reading, shape.quantisation, kind, parent),
            *readiness_notices(reading, tuned=stage != "base"),
            *licence_notices(licence, commercial, reading.card),
        ),
        base_model=parent,
        special_rows=reading.rows,
        relation="adapter" if reading.adapter else reading.card.relation,
        behaviour=reading.behaviour,
    )


def _aligned(
    stage: Stage | None, sold_as: Judgement, post_training: Judgement
) -> tuple[Notice, ...]:
    """Today's "Instruct" is mostly more than the guides mean by the word [A2, A3]."""
    if stage != "instruct" or post_training.value not in ("sft_preference", "reasoning_rl"):
        return ()
    values: dict[str, str | int | float] = {
        "sold": sold_as.value, "chance": f"{post_training.probability:.0%}",
    }  # fmt: skip
    return (Notice(code="aligned", level="info", key="facts.aligned_instruct", values=values),)


def _parent(reading: Reading) -> str | None:
    """The checkpoint that this one was made from, by its adapter configuration or its card."""
    named = reading.adapter.get("base_model_name_or_path")
    if isinstance(named, str) and named:
        return named
    return reading.card.base_models[0] if reading.card.base_models else None


def _family(reading: Reading, parent: str | None) -> str | None:
    model_type = str(reading.config.get("model_type", ""))
    family = family_of(reading.title, model_type)
    if not family.pattern and parent:
        family = family_of(parent.rsplit("/", 1)[-1], model_type)
    return family.name or None


def _shape(reading: Reading) -> ShapeFacts:
    shape = read_shape(reading.config, reading.tensors.items())
    if reading.gguf is None:
        return shape
    kinds = [kind for kind, axes in reading.gguf.tensors.values() if len(axes) > 1]
    most = max(set(kinds), key=kinds.count) if kinds else "unknown"
    quantised = most not in ("F32", "F16", "BF16")
    return shape.model_copy(
        update={
            "parameters": reading.gguf.parameters or None,
            "dtype": most.lower(),
            "quantisation": "gguf-" + most.lower() if quantised else None,
        }
    )


def _trust(reading: Reading, *, allow_pickle: bool, allow_code: bool) -> tuple[Notice, ...]:
    """Refuse pickles without safetensors, and code, unless a flag says otherwise."""
    notices = []
    safe = bool(reading.tensors) or reading.gguf is not None
    if reading.pickles and not safe:
        if not allow_pickle:
            raise BadInput("facts.pickle", name=reading.name, file=reading.pickles[0])
        notices.append(
            Notice(
                code="pickle-allowed",
                level="danger",
                key="facts.pickle_allowed",
                values={"file": reading.pickles[0]},
            )
        )
    elif reading.pickles:
        notices.append(
            Notice(
                code="pickle-beside",
                level="info",
                key="facts.pickle_beside",
                values={"file": reading.pickles[0]},
            )
        )
    if reading.code:
        if not allow_code:
            raise BadInput("facts.code", name=reading.name, file=reading.code[0])
        notices.append(
            Notice(
                code="code-allowed",
                level="danger",
                key="facts.code_allowed",
                values={"file": reading.code[0]},
            )
        )
    if not safe and not reading.pickles:
        notices.append(
            Notice(code="no-weights", level="warning", key="facts.no_weights", values={})
        )
    return tuple(notices)
