"""Load an exported folder with LLaMA-Factory's own parser and loader; run by its interpreter.

`python llamafactory_check.py FOLDER OUT [MODEL]`: writes the tokens and labels that it would train
on; MODEL stands in for weights that an earlier stage would have left.
"""

import json
import os
import sys
from pathlib import Path


def main(folder: str, out: str, model: str = "") -> None:
    """Parse sft.yaml, load and encode the data, write what came of it."""
    os.environ.update(
        {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    )
    os.chdir(folder)
    import yaml
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    pairs = Path("dpo.yaml").exists()
    values = yaml.safe_load(Path("dpo.yaml" if pairs else "sft.yaml").read_text(encoding="utf-8"))
    if model:
        values["model_name_or_path"] = model
    model_args, data_args, training_args, finetuning_args, _ = get_train_args(values)
    module = load_tokenizer(model_args)
    template = get_template_and_fix_tokenizer(module["tokenizer"], data_args)
    found = get_dataset(
        template, model_args, data_args, training_args, stage="rm" if pairs else "sft", **module
    )
    names = ("input_ids", "labels")
    if pairs:
        names = tuple(f"{side}_{name}" for side in ("chosen", "rejected") for name in names)
    rows = [{name: list(row[name]) for name in names} for row in found["train_dataset"]]
    dials = {
        "learning_rate": training_args.learning_rate,
        "epochs": training_args.num_train_epochs,
        "batch": training_args.per_device_train_batch_size,
        "accumulation": training_args.gradient_accumulation_steps,
        "warmup_steps": training_args.warmup_steps,
        "scheduler": str(training_args.lr_scheduler_type.value),
        "seed": training_args.seed,
        "type": finetuning_args.finetuning_type,
        "rank": finetuning_args.lora_rank,
        "alpha": finetuning_args.lora_alpha,
        "beta": finetuning_args.pref_beta,
        "imitation": finetuning_args.pref_ftx,
        "adapter": model_args.adapter_name_or_path,
        "reference": [finetuning_args.ref_model, finetuning_args.ref_model_adapters],
        "bits": model_args.quantization_bit,
        "double": model_args.double_quantization,
        "eval_rows": len(found["eval_dataset"]),
    }
    Path(out).write_text(json.dumps({"rows": rows, "dials": dials}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:4])
