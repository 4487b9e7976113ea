"""This project's own studies, on its pocket family: quoted beside the guides, never counted."""

from forkpoint.record import Figure
from forkpoint.sources.study import Bearing, Study, StudyFigure

ADDRESS = "docs/studies/stage-rows.md"
PARAMETERS = (1_468_032, 1_468_032)  # of a pocket checkpoint
STAGES_BY_ROWS = "pocket_stages"
ADAPTERS_BY_ROWS = "pocket_lora"
FORGETTING = "pocket_forgetting"
ZERO_SHOT = "pocket_zero_shot"


def _measured(name: str, value: float, low: float, high: float, n: int, study: str) -> StudyFigure:
    """A mean with its Student interval; n counts seeds, or what the name says."""
    unit = "share" if study in (FORGETTING, ZERO_SHOT) else "score"
    figure = Figure(
        value=value, low=low, high=high, n=n, unit=unit, origin="published", source=study
    )
    return StudyFigure(name=name, figure=figure)


def _study(key: str, figures: tuple[StudyFigure, ...], bearings: tuple[Bearing, ...] = ()) -> Study:
    return Study(
        key=key,
        address=ADDRESS,
        read="own",
        scale="task_score",
        parameters=PARAMETERS,
        figures=figures,
        bearings=bearings,
        own=True,
    )


OWN_STUDIES = (
    _study(
        STAGES_BY_ROWS,
        (
            _measured("figure_own_near", 0.641, 0.585, 0.697, 5, STAGES_BY_ROWS),
            _measured("figure_own_mood", 0.318, 0.229, 0.406, 5, STAGES_BY_ROWS),
            _measured("figure_own_facts", 0.151, 0.132, 0.17, 5, STAGES_BY_ROWS),
            _measured("figure_own_near_800", 0.26, 0.2, 0.32, 3, STAGES_BY_ROWS),
            _measured("figure_own_far", -0.004, -0.041, 0.032, 6, STAGES_BY_ROWS),
            _measured("figure_own_many", -0.076, -0.279, 0.128, 3, STAGES_BY_ROWS),
        ),
        (
            Bearing(rule="FP-B01", direction="supports", figure="figure_own_near"),
            Bearing(rule="FP-B02", direction="against", figure="figure_own_near_800"),
            Bearing(rule="FP-B02", direction="undecided", figure="figure_own_far"),
            Bearing(rule="FP-B03", direction="undecided", figure="figure_own_many"),
            Bearing(rule="FP-B05", direction="supports", figure="figure_own_near"),
            Bearing(rule="FP-B23", direction="supports", figure="figure_own_near"),
            Bearing(rule="FP-B23", direction="undecided", figure="figure_own_far"),
        ),
    ),
    _study(
        ADAPTERS_BY_ROWS,
        (
            _measured("figure_own_lora_far", -0.26, -0.282, -0.239, 6, ADAPTERS_BY_ROWS),
            _measured("figure_own_lora_share_far", -0.215, -0.236, -0.195, 6, ADAPTERS_BY_ROWS),
            _measured("figure_own_lora_share_near", 0.009, -0.012, 0.03, 5, ADAPTERS_BY_ROWS),
        ),
        (
            Bearing(rule="FP-D02", direction="against", figure="figure_own_lora_share_far"),
            Bearing(rule="FP-D02", direction="undecided", figure="figure_own_lora_share_near"),
            Bearing(rule="FP-D03", direction="supports", figure="figure_own_lora_far"),
        ),
    ),
    _study(
        FORGETTING,
        (
            _measured("figure_own_lost", -0.451, -0.497, -0.405, 32, FORGETTING),
            _measured("figure_own_kept", 0.022, 0.002, 0.042, 32, FORGETTING),
        ),
        (
            Bearing(rule="FP-D05", direction="supports", figure="figure_own_kept"),
            Bearing(rule="FP-D05", direction="against", figure="figure_own_lost"),
        ),
    ),
    _study(ZERO_SHOT, (_measured("figure_own_ranks", 0.655, 0.308, 1.0, 6, ZERO_SHOT),)),
)
