"""A small case that shows a rule on one side of its condition: a test and a line of its page."""

from typing import Literal

from forkpoint.data.profile_record import AnswerKind, DataProfile, Format, Job, Spread
from forkpoint.facts.checkpoint_facts import (
    CheckpointFacts,
    Judgement,
    Kind,
    ShapeFacts,
    Stage,
    TemplateFacts,
)
from forkpoint.facts.goal import read_goal
from forkpoint.facts.machine import GPU, MachineFacts
from forkpoint.record import Record
from forkpoint.rules.case import Approach, Candidate, Case

GIB = 1 << 30


class Example(Record):
    """What is given and what the rule must say; a field left out is not known to the rule."""

    expects: Literal["for", "against", "silent", "unknown"]
    rows: int | None = None
    stage: Stage | None = "base"
    goal: tuple[str, str] | None = None  # the same goal in English and Chinese
    job: Job = "task"
    format: Format = "messages"
    answers: AnswerKind = "short"
    multi_turn: float = 0.0  # share of rows
    system_prompts: float = 0.0  # share of rows
    prompt_characters: int = 200  # median
    duplicates: int = 0
    approach: Approach = "lora"
    parameters: int | None = None
    gpu_gib: int | None = None  # 0: a machine without a GPU, 32 GiB of memory
    template: bool | None = None
    kind: Kind | None = None
    commercial_use: Literal["yes", "conditions", "no", "unknown"] | None = None
    family: str | None = None
    rival_family: str | None = None

    def case(self, lang: str = "en") -> Case:
        """The case that the rule is asked about."""
        candidate = Candidate(name="candidate", stage=self.stage, facts=self._facts(self.family))
        rivals: tuple[Candidate, ...] = ()
        if self.rival_family:
            facts = self._facts(self.rival_family)
            rivals = (Candidate(name="rival", stage=self.stage, facts=facts),)
        goal = self.goal[("en", "zh").index(lang)] if self.goal else ""
        return Case(
            candidate=candidate,
            goal=read_goal(goal),
            data=self._data(),
            machine=self._machine(),
            approach=self.approach,
            rivals=rivals,
        )

    def _data(self) -> DataProfile | None:
        if self.rows is None:
            return None
        return profile_of(
            rows=self.rows,
            job=self.job,
            format=self.format,
            answers=self.answers,
            multi_turn=self.multi_turn,
            system_prompts=self.system_prompts,
            prompt_characters=self.prompt_characters,
            duplicates=self.duplicates,
        )

    def _machine(self) -> MachineFacts | None:
        if self.gpu_gib is None:
            return None
        memory = self.gpu_gib * GIB
        gpus = (GPU(name="GPU", memory_bytes=memory, free_bytes=memory),) if memory else ()
        return MachineFacts(
            system="Linux x86_64",
            cores=8,
            memory_bytes=32 * GIB,
            available_bytes=32 * GIB,
            disk_free_bytes=500 * GIB,
            gpus=gpus,
        )

    def _facts(self, family: str | None) -> CheckpointFacts | None:
        known = (self.parameters, self.template, self.kind, self.commercial_use, family)
        if all(one is None for one in known):
            return None
        return facts_of(
            stage=self.stage,
            family=family,
            kind=self.kind or "text",
            parameters=self.parameters,
            template=bool(self.template),
            commercial_use=self.commercial_use or "unknown",
        )


def _spread(value: float) -> Spread:
    return Spread(smallest=value, p10=value, median=value, p90=value, largest=value, mean=value)


def profile_of(
    *,
    rows: int,
    job: Job = "task",
    format: Format = "messages",
    answers: AnswerKind = "short",
    multi_turn: float = 0.0,
    system_prompts: float = 0.0,
    prompt_characters: int = 200,
    duplicates: int = 0,
) -> DataProfile:
    """A profile of data that nobody has to own, for examples."""
    return DataProfile(
        files=("example.jsonl",),
        file_format="jsonl",
        format=format,
        format_evidence="",
        rows=rows,
        faults=(),
        fault_count=0,
        sha256="0" * 64,
        turns=_spread(2.0),
        multi_turn_share=multi_turn,
        roles={"user": rows, "assistant": rows},
        languages={"en": 1.0},
        language_sample_rows=rows,
        prompt_characters=_spread(prompt_characters),
        answer_characters=_spread(40),
        tokens={},
        system_prompts=1 if system_prompts else 0,
        system_prompt_share=system_prompts,
        answer_kinds={answers: 1.0},
        answer_kind=answers,
        labels={},
        exact_duplicates=duplicates,
        tools_share=0.0,
        image_share=1.0 if job == "images" else 0.0,
        job=job,
        job_evidence=(),
    )


def facts_of(
    *,
    stage: Stage | None,
    family: str | None = None,
    kind: Kind = "text",
    parameters: int | None = None,
    template: bool = False,
    commercial_use: Literal["yes", "conditions", "no", "unknown"] = "unknown",
    name: str = "candidate",
) -> CheckpointFacts:
    """Facts of a checkpoint that does not exist, for examples."""
    return CheckpointFacts(
        name=name,
        path=None,
        family=family,
        kind=_certain(kind),
        sold_as=_certain(stage or "none"),
        post_training=_certain("unknown"),
        stage=stage,
        shape=ShapeFacts(
            architecture="",
            model_type="",
            parameters=parameters,
            active_parameters=None,
            hidden_size=None,
            layers=None,
            heads=None,
            kv_heads=None,
            head_dim=None,
            intermediate_size=None,
            vocabulary=None,
            context_tokens=None,
            tied_embeddings=None,
            experts=None,
            dtype=None,
            quantisation=None,
        ),
        template=TemplateFacts(present=template),
        tokenizer_eos=None,
        generation_eos=(),
        bos=None,
        pad=None,
        licence=None,
        commercial_use=commercial_use,
        weights_bytes=None,
        revision=None,
        file_hashes={},
        identity="",
    )


def _certain(value: str) -> Judgement:
    return Judgement(value=value, probability=1.0, probabilities={value: 1.0}, evidence=())
