"""The agreement of a drawn race: six arms on three pocket-sized checkpoints."""

import json
from collections.abc import Callable
from math import exp

from forkpoint.advice import advise
from forkpoint.data.profile_record import DataProfile, RowFault, Spread
from forkpoint.facts.checkpoint_facts import (
    CheckpointFacts,
    Evidence,
    Judgement,
    Notice,
    ShapeFacts,
    TemplateFacts,
)
from forkpoint.facts.machine import MachineFacts
from forkpoint.ledger import Agreement, ArmPlan, RungPlan, Settings

PREFERENCE = ("pocket-base", "pocket-instruct", "pocket-chat")
ARMS = tuple(f"{name}.{approach}" for name in PREFERENCE for approach in ("lora", "full"))
RUNGS = (0.25, 0.5, 1.0)
TOP = {"pocket-base": 0.86, "pocket-instruct": 0.95, "pocket-chat": 0.91}
START = {"pocket-base": 0.04, "pocket-instruct": 0.31, "pocket-chat": 0.22}
FULL_TOKENS = 62_000  # of one trial at full length


def checkpoint_of(arm: str) -> str:
    """The checkpoint of an arm's name."""
    return arm.rpartition(".")[0] if "." in arm else arm


def capability(arm: str, share: float) -> float:
    """The expected score of an arm at a share of the full length."""
    name = checkpoint_of(arm)
    if arm.endswith(".untrained"):
        return START[name]
    top = TOP[name] - (0.03 if arm.endswith("lora") else 0.0)
    return top - (top - START[name]) * 0.8 * exp(-3.2 * share)


def _judged(value: str, found: str) -> Judgement:
    return Judgement(
        value=value,
        probability=0.94,
        probabilities={value: 0.94, "unknown": 0.06},
        evidence=(Evidence(signal="name", says=value, weight=2.4, found=found),),
    )


def facts(name: str) -> CheckpointFacts:
    """Facts of a 1.3M-parameter checkpoint."""
    stage = name.rpartition("-")[2]
    chat = stage != "base"
    tuned = {"base": "none", "instruct": "sft", "chat": "sft_preference"}[stage]
    return CheckpointFacts(
        name=name,
        path=None,
        family="pocket",
        kind=_judged("text", name),
        sold_as=_judged(stage, name),
        post_training=_judged(tuned, name),
        stage=stage,  # type: ignore[arg-type]
        shape=ShapeFacts(
            architecture="LlamaForCausalLM",
            model_type="llama",
            parameters=1_271_552,
            active_parameters=1_271_552,
            hidden_size=128,
            layers=5,
            heads=4,
            kv_heads=4,
            head_dim=32,
            intermediate_size=352,
            vocabulary=2048,
            context_tokens=512,
            tied_embeddings=True,
            experts=None,
            dtype="bfloat16",
            quantisation=None,
        ),
        template=TemplateFacts(
            present=chat,
            end_of_turn="<|im_end|>" if chat else None,
            system_role=True if chat else None,
        ),
        tokenizer_eos="<|im_end|>" if chat else "<|endoftext|>",
        generation_eos=("<|im_end|>",) if chat else ("<|endoftext|>",),
        bos=None,
        pad="<|pad|>",
        licence="Apache-2.0",
        commercial_use="yes",
        weights_bytes=2_545_000,
        revision=None,
        file_hashes={"config.json": "5f" * 32},
        identity=(name.encode().hex() * 8)[:64],
        notices=()
        if chat
        else (
            Notice(
                code="no-template", level="info", key="facts.no_template", values={"name": name}
            ),
        ),
    )


def spread(low: float, high: float) -> Spread:
    """A spread between two ends."""
    step = (high - low) / 4
    return Spread(
        smallest=low,
        p10=low + step / 2,
        median=low + step,
        p90=high - step,
        largest=high,
        mean=low + 1.3 * step,
    )


def profile(rows: int, spoil: Callable[[str], str]) -> DataProfile:
    """A profile of ticket rows with two faults."""
    return DataProfile(
        files=(spoil("tickets.jsonl"),),
        file_format="jsonl",
        format="messages",
        format_evidence="every row has 'messages' with role and content",
        rows=rows,
        faults=(
            RowFault(
                file=spoil("tickets.jsonl"),
                line=12,
                key="data.fault_no_answer",
                values={"role": spoil("user")},
            ),
            RowFault(
                file=spoil("tickets.jsonl"), line=77, key="data.fault_empty_answer", values={}
            ),
        ),
        fault_count=2,
        sha256="ab" * 32,
        turns=spread(3, 3),
        multi_turn_share=0.0,
        roles={"system": rows, "user": rows, "assistant": rows},
        languages={"en": 0.53, "zh": 0.47},
        language_sample_rows=min(rows, 1000),
        prompt_characters=spread(60, 140),
        answer_characters=spread(5, 8),
        tokens={name: spread(30, 90) for name in PREFERENCE},
        system_prompts=1,
        system_prompt_share=1.0,
        answer_kinds={"label": 1.0},
        answer_kind="label",
        labels={spoil("billing"): 120, "delivery": 96, "refund": 72, "account": 48, "other": 24},
        exact_duplicates=3,
        tools_share=0.0,
        image_share=0.0,
        job="task",
        job_evidence=("answers are one of 5 labels",),
    )


def agreement(
    splits: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], spoil: Callable[[str], str]
) -> Agreement:
    """What the drawn race agreed on; `splits` are the ids of train, validation and test."""
    train, validation, test = splits
    rows = sum(map(len, splits))
    rungs = tuple(
        RungPlan(
            index=place,
            unique_rows=int(len(train) * share),
            passes=3.0,
            steps=int(len(train) * share * 3 / 8),
            share=share,
        )
        for place, share in enumerate(RUNGS, start=1)
    )
    arms = tuple(
        ArmPlan(
            name=arm,
            checkpoint=checkpoint_of(arm),
            approach=arm.rpartition(".")[2],
            stage=checkpoint_of(arm).rpartition("-")[2],
            renderings=("plain",) if "base" in arm else ("chat",),
            centre_rate=4e-3 if arm.endswith("lora") else 1e-3,
            rate_reason="train.rate_swept",
            rate_values={"hidden": 128, "rate": 4e-3},
            full_tokens=FULL_TOKENS,
            trainable_parameters=158_720 if arm.endswith("lora") else 1_271_552,
            load_seconds=0.6,
            train_tokens_per_second=14_000.0,
            answers_per_second=55.0,
        )
        for arm in ARMS
    )
    trials = sum(3 * share for share in RUNGS) * len(ARMS)
    return Agreement(
        forkpoint_version="0.1.0",
        created="2026-11-21T04:00:00+00:00",
        goal=spoil("sort support tickets, answers are labels"),
        data_files=(spoil("tickets.jsonl"),),
        data_sha256="ab" * 32,
        train_ids=train,
        validation_ids=validation,
        rung_validation_ids=validation[:60],
        test_ids=test,
        test_sha256="cd" * 32,
        excluded={
            train[0]: "race.excluded_too_long",
            train[1]: "race.excluded_too_long",
            validation[0]: "race.excluded_no_end",
        },
        arms=arms,
        rungs=rungs,
        settings=Settings(
            seed=1,
            metric="macro_f1",
            metric_reason="measure.metric_label",
            margin=0.02,
            threshold=0.95,
            rows_per_step=8,
            passes=3.0,
            rate_factors=(1 / 3, 1.0, 3.0),
            loss_turns="last",
            system_prompt=None,
            context_tokens=512,
            answer_tokens=dict.fromkeys(PREFERENCE, 12),
            answer_limit_bytes=24,
            truncate="no",
            dtype="bfloat16",
            device="cpu",
            lora_rank=8,
            lora_alpha=16,
            schedule="linear",
            warmup_share=0.05,
            finalist_seeds=3,
            known_seed_sd=0.02,
            general_set="pocket",
            workers=1,
        ),
        budget_text="40%",
        budget_tokens=int(0.4 * trials * FULL_TOKENS),
        brute_force_tokens=int(trials * FULL_TOKENS),
        predicted_seconds=240.0,
        smallest_difference=0.15,
        checkpoints={name: facts(name) for name in PREFERENCE},
        machine=MachineFacts(
            system="Linux x86_64",
            cores=2,
            memory_bytes=25_769_803_776,
            available_bytes=17_179_869_184,
            disk_free_bytes=53_687_091_200,
        ),
        versions={"python": "3.11.2", "torch": "2.13.0", "transformers": "5.23.0", "trl": "1.16.0"},
        removed={test[0]: "race.removed_copy"} if test else {},
        request_json=json.dumps(
            {
                "data": spoil("tickets.jsonl"),
                "models": PREFERENCE,
                "approaches": ["lora", "full"],
                "budget": "40%",
                "goal": spoil("sort support tickets, answers are labels"),
                "seed": 1,
                "margin": 0.02,
                "metric": None,
                "passes": None,
                "test_file": None,
            }
        ),
        profile_json=profile(rows, spoil).to_json(),
        advice_json=advise(
            profile(rows, spoil),
            tuple(facts(name) for name in PREFERENCE),
            spoil("sort support tickets, answers are labels"),
            data_name=spoil("tickets.jsonl"),
        ).to_json(),
    )
