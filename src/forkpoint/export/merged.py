"""`forkpoint merge`: one arm of a race as a checkpoint of its own, verified, with its card."""

from pathlib import Path

from forkpoint.errors import BadInput
from forkpoint.export.adapter_facts import AdapterFacts, LoraShare, adapter_facts, lora_share
from forkpoint.export.finished_arm import FinishedArm
from forkpoint.export.model_card import model_card
from forkpoint.ledger import write_whole
from forkpoint.record import Record
from forkpoint.train.approach import approach
from forkpoint.train.merge import ROWS_COMPARED, MergeJob, Proof, merge

MERGE_FILE = "forkpoint-merge.json"
CARD = "README.md"


class Merged(Record):
    """What was written and how it was proven."""

    folder: str
    arm: str
    checkpoint: str
    trial: str
    proof: Proof
    adapter: AdapterFacts
    lora_share: LoraShare | None


def merge_arm(arm: FinishedArm, target: Path, lang: str = "en") -> Merged:
    """Write the arm as a checkpoint, if it verifies; raises BadInput."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadInput("merge.target_not_empty", folder=target)
    adapter = adapter_facts(arm)
    rows = arm.rows
    ids = arm.run.agreement.validation_ids[:ROWS_COMPARED]
    proof = merge(
        MergeJob(
            checkpoint=rows.path,
            adapter=arm.weights,
            whole=approach(arm.plan.approach).METHOD == "full",
            target=target,
            rows=[rows.rendered(row) for row in ids],
            stop_ids=rows.renderer.stop_ids,
            end_ids=rows.renderer.end_ids,
            max_new_tokens=rows.limits.max_new_tokens,
            chat_template=arm.chat_template,
        )
    )
    merged = Merged(
        folder=str(target),
        arm=arm.plan.name,
        checkpoint=arm.plan.checkpoint,
        trial=arm.trial.folder,
        proof=proof,
        adapter=adapter,
        lora_share=lora_share(arm.run, arm.plan.checkpoint),
    )
    write_whole(target / MERGE_FILE, merged.to_json(indent=1).encode() + b"\n")
    write_whole(target / CARD, model_card(arm, proof, lang).encode())
    return merged
