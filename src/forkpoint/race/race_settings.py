"""The settings of a race: what is the same for all arms, asked for or derived."""

from collections.abc import Mapping

from forkpoint.data import Splits
from forkpoint.data.profile_record import DataProfile
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.machine import MachineFacts
from forkpoint.ledger import Settings
from forkpoint.measure.metric import METRICS, check_metric, primary_metric
from forkpoint.measure.own_scorer import check_scorer
from forkpoint.plan.lengths import RATE_HORIZON, default_passes, default_rows_per_step
from forkpoint.race.keeping import seed_noise_known
from forkpoint.race.request import RaceRequest

CONTEXT_TOKENS = 4_096  # longest row by default; longer ones are listed, never cut
WARMUP_SHARE = 0.1  # of a trial's optimizer steps
ANSWER_SLACK = 1.5  # limit of an answer over the longest training answer
SMALL_PARAMETERS = 50_000_000  # checkpoints below it train one a core, in float32 on a CPU
RATE_FACTORS = (1 / 3, 1.0, 3.0)  # around the centre, for every arm [docs/method.md]


def race_settings(
    request: RaceRequest,
    data_profile: DataProfile,
    splits: Splits,
    checkpoints: Mapping[str, CheckpointFacts],
    machine: MachineFacts,
) -> Settings:
    """The settings that follow from a request, the rows and the checkpoints."""
    passes = request.passes or default_passes(len(splits.train))
    metric = request.metric or primary_metric(data_profile)
    check_metric(metric)
    if metric not in METRICS:
        check_scorer(metric)
    contexts = [found.shape.context_tokens for found in checkpoints.values()]
    context = min([request.context_tokens or CONTEXT_TOKENS, *(c for c in contexts if c)])
    device = "cuda" if machine.gpus else "cpu"
    largest = max(found.shape.parameters or SMALL_PARAMETERS for found in checkpoints.values())
    small = largest < SMALL_PARAMETERS and device == "cpu"
    pocket = all(found.family == "pocket" for found in checkpoints.values())
    answers = [len(row.answer.encode()) for row in splits.train]
    return Settings(
        seed=request.seed,
        metric=metric,
        metric_reason="race.metric_asked" if request.metric else "race.metric_by_answers",
        margin=request.margin,
        threshold=request.threshold,
        rows_per_step=request.rows_per_step or default_rows_per_step(len(splits.train), passes),
        passes=passes,
        rate_factors=RATE_FACTORS,
        rate_horizon=RATE_HORIZON,
        loss_turns=request.loss_turns,
        system_prompt=request.system_prompt,
        context_tokens=context,
        answer_tokens={},
        answer_limit_bytes=round(max(answers) * ANSWER_SLACK),
        truncate=request.truncate,
        template=request.template,
        dtype="float32" if small else "bfloat16",
        device=device,
        lora_rank=request.lora_rank,
        lora_alpha=2 * request.lora_rank,
        schedule="linear",
        warmup_share=WARMUP_SHARE,
        finalist_seeds=request.finalist_seeds,
        known_seed_sd=seed_noise_known(metric)[0],
        general_set="pocket" if pocket and not request.skip_general else None,
        drift=not request.skip_general,
        retain=request.retain,
        workers=request.workers or (machine.cores if small else 1),
    )
