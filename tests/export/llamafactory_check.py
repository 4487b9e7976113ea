"""Load an exported folder with LLaMA-Factory's own parser and loader; run by its interpreter.

`python llamafactory_check.py FOLDER OUT`: writes the tokens and labels that it would train on.
"""

import json
import os
import sys
from pathlib import Path


def main(folder: str, out: str) -> None:
    """Parse sft.yaml, load and encode the data, write what came of it."""
    os.environ.update(
        {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    )
    os.chdir(folder)
    import yaml
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    values = yaml.safe_load(Path("sft.yaml").read_text(encoding="utf-8"))
    model_args, data_args, training_args, finetuning_args, _ = get_train_args(values)
    module = load_tokenizer(model_args)
    template = get_template_and_fix_tokenizer(module["tokenizer"], data_args)
    found = get_dataset(template, model_args, data_args, training_args, stage="sft", **module)
    rows = [
        {"input_ids": list(row["input_ids"]), "labels": list(row["labels"])}
        for row in found["train_dataset"]
    ]
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
        "eval_rows": len(found["eval_dataset"]),
    }
    Path(out).write_text(json.dumps({"rows": rows, "dials": dials}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:3])
