"""What was measured about the guides' claims: figures with where they were read."""

from math import sqrt

from forkpoint.record import Figure
from forkpoint.sources.own_studies import OWN_STUDIES
from forkpoint.sources.study import Bearing, Study, StudyFigure, published

T_975 = {3: 3.182446}  # 97.5 % point of Student's t by degrees of freedom (four pairs)


def mean_of_pairs(differences: tuple[float, ...], unit: str, source: str) -> Figure:
    """The mean difference over independent pairs with its 95 % Student t interval.

    >>> mean_of_pairs((-0.013, -0.014, 0.012, -0.008), "score", "x").value
    -0.00575
    """
    n = len(differences)
    mean = sum(differences) / n
    variance = sum((one - mean) ** 2 for one in differences) / (n - 1)
    half = T_975[n - 1] * sqrt(variance / n)
    return Figure(
        value=round(mean, 5),
        low=round(mean - half, 5),
        high=round(mean + half, 5),
        n=n,
        unit=unit,
        origin="published",
        source=source,
    )


LORA_LAND = "lora_land"
LORA_LAND_PAIRS = (  # tuned twin minus base twin, mean score over 31 tasks, QLoRA rank 8
    ("gemma-2b", -0.013),
    ("gemma-7b", -0.014),
    ("llama-2-7b", 0.012),
    ("mistral-7b", -0.008),
)
TINKER = "tinker_sweep"
TINKER_PAIRS = (  # Tulu-3 test loss, best of the sweep: base, post-trained (nats per token)
    ("Qwen3-8B", 0.5189, 0.5374),
    ("Qwen3-30B-A3B / Instruct-2507", 0.4965, 0.5004),
    ("Llama-3.1-8B", 0.5834, 0.5727),
    ("Qwen3.5-9B", 0.6758, 0.7166),
)
TWINS = ("FP-B03", "FP-B23")  # rules about Base against a tuned twin whatever the task

STUDIES = (
    Study(
        key=LORA_LAND,
        address="https://arxiv.org/abs/2405.00732",
        read="data",
        scale="task_score",
        parameters=(2_000_000_000, 7_000_000_000),
        figures=(
            StudyFigure(
                name="figure_twin_difference",
                figure=mean_of_pairs(tuple(one for _, one in LORA_LAND_PAIRS), "score", LORA_LAND),
            ),
            *(
                StudyFigure(
                    name="figure_twin", of=name, figure=published(one, "score", LORA_LAND, 31)
                )
                for name, one in LORA_LAND_PAIRS
            ),
            StudyFigure(
                name="figure_zero_shot_regret", figure=published(0.038, "score", LORA_LAND, 4)
            ),
        ),
        bearings=tuple(
            Bearing(rule=rule, direction="undecided", figure="figure_twin_difference")
            for rule in (*TWINS, "FP-B14")
        ),
    ),
    Study(
        key=TINKER,
        address="https://github.com/thinking-machines-lab/tinker-cookbook/blob/"
        "9dfcc3a2cf44432d621a01005073dc6d76a1e87a/tinker_cookbook/recipes/chat_sl/results/"
        "sft_sweep.md",
        read="data",
        scale="likelihood",
        parameters=(8_000_000_000, 30_000_000_000),
        figures=(
            StudyFigure(
                name="figure_loss_difference",
                figure=mean_of_pairs(
                    tuple(round(tuned - base, 4) for _, base, tuned in TINKER_PAIRS),
                    "nats_per_token",
                    TINKER,
                ),
            ),
            *(
                StudyFigure(
                    name="figure_loss_twin",
                    of=name,
                    figure=published(round(tuned - base, 4), "nats_per_token", TINKER),
                )
                for name, base, tuned in TINKER_PAIRS
            ),
        ),
        bearings=tuple(
            Bearing(rule=rule, direction="undecided", figure="figure_loss_difference")
            for rule in TWINS
        ),
    ),
    Study(
        key="scaling_curves",
        address="https://github.com/linhaowei1/Fine-tuning-Scaling-Law",
        read="data",
        scale="likelihood",
        parameters=(60_000_000, 7_000_000_000),
        figures=(
            StudyFigure(
                name="figure_zero_shot_correlation",
                figure=published(-17.6, "correlation_100", "scaling_curves", 21),
            ),
            StudyFigure(
                name="figure_size_correlation",
                figure=published(-3.1, "correlation_100", "scaling_curves", 21),
            ),
        ),
    ),
    Study(
        key="shadow_ft",
        address="https://arxiv.org/abs/2505.12716",
        read="abstract",
        scale="none",
        parameters=None,
    ),
    Study(
        key="cpt_residual",
        address="https://arxiv.org/abs/2410.10739",
        read="abstract",
        scale="none",
        parameters=None,
    ),
    Study(
        key="lora_without_regret",
        address="https://thinkingmachines.ai/blog/lora/",
        read="paper",
        scale="none",
        parameters=None,
    ),
    Study(
        key="lora_forgets_less",
        address="https://arxiv.org/abs/2405.09673",
        read="abstract",
        scale="none",
        parameters=None,
    ),
    Study(
        key="peft_gsm8k",
        address="https://github.com/huggingface/peft/tree/main/method_comparison",
        read="data",
        scale="task_score",
        parameters=(3_000_000_000, 3_000_000_000),
        figures=(
            StudyFigure(
                name="figure_gsm8k", of="full", figure=published(0.472, "accuracy", "peft_gsm8k")
            ),
            StudyFigure(
                name="figure_gsm8k",
                of="LoRA r32",
                figure=published(0.478, "accuracy", "peft_gsm8k"),
            ),
            StudyFigure(
                name="figure_gsm8k",
                of="rsLoRA r64",
                figure=published(0.513, "accuracy", "peft_gsm8k"),
            ),
        ),
    ),
    Study(
        key="deita",
        address="https://github.com/hkust-nlp/deita",
        read="data",
        scale="judged",
        parameters=(7_000_000_000, 7_000_000_000),
        figures=tuple(
            StudyFigure(name="figure_mt_bench", of=of, figure=published(value, "points", "deita"))
            for of, value in (("DEITA 6K", 7.22), ("random 10K", 5.89), ("Zephyr-SFT 200K", 5.32))
        ),
    ),
    Study(
        key="lima",
        address="https://arxiv.org/abs/2305.11206",
        read="paper",
        scale="judged",
        parameters=None,
        figures=(StudyFigure(name="figure_lima", figure=published(0.43, "share", "lima")),),
    ),
    Study(
        key="stop_threads",
        address="https://github.com/QwenLM/Qwen3/issues/1064",
        read="thread",
        scale="none",
        parameters=None,
    ),
    Study(
        key="maintainers",
        address="https://github.com/QwenLM/Qwen3/issues/788",
        read="thread",
        scale="none",
        parameters=None,
    ),
    *OWN_STUDIES,
)


def study(key: str) -> Study:
    """The study with this key; raises KeyError when there is none."""
    for one in STUDIES:
        if one.key == key:
            return one
    raise KeyError(key)


def bearings_on(rule: str) -> tuple[tuple[Study, Bearing, Figure], ...]:
    """Every study that measured what a rule claims, with the figure that shows it."""
    return tuple(
        (one, bearing, next(f.figure for f in one.figures if f.name == bearing.figure))
        for one in STUDIES
        for bearing in one.bearings
        if bearing.rule == rule
    )
