"""What a merge wrote and how it was proven, for a terminal."""

from forkpoint.export.merged import Merged
from forkpoint.report.paragraph import wrap
from forkpoint.report.wording import count, percent, size
from forkpoint.train.approach import approach
from forkpoint.words import say


def merge_text(merged: Merged, lang: str) -> str:
    """The answer of `forkpoint merge`."""
    proof, adapter = merged.proof, merged.adapter
    lines = [
        say("merge.done", lang, arm=merged.arm, folder=merged.folder, dtype=proof.dtype),
        say(
            "merge.proof", lang, kl=f"{proof.mean_kl:.2g}", top1=f"{proof.top1:.1%}",
            places=proof.places, same=percent(proof.same_text), rows=proof.rows,
        ),
        say("merge.same_work", lang),
    ]  # fmt: skip
    if proof.seconds_ratio is not None:
        lines.append(
            say(
                "merge.time", lang, ratio=f"{proof.seconds_ratio:.2f}", n=proof.timed,
                low=f"{proof.seconds_low:.2f}", high=f"{proof.seconds_high:.2f}",
            )
        )  # fmt: skip
    elif approach(adapter.approach).METHOD != "full":
        lines.append(say("merge.not_timed", lang))
    if adapter.trained_share is not None:
        lines.append(
            say(
                "merge.trained", lang, share=f"{adapter.trained_share:.2%}",
                trained=count(adapter.trained_parameters, lang),
                parameters=count(adapter.parameters, lang), size=size(adapter.weights_bytes),
                whole=size(adapter.checkpoint_bytes),
            )
        )  # fmt: skip
    if merged.lora_share is not None:
        share = merged.lora_share.share
        lines.append(
            say(
                f"merge.lora_share_{merged.lora_share.split}", lang,
                lora=merged.lora_share.lora, full=merged.lora_share.full,
                share=percent(share.value), low=percent(share.low), high=percent(share.high),
                n=share.n,
            )
        )  # fmt: skip
    return "\n".join(wrap(line, "  ") for line in lines) + "\n"
