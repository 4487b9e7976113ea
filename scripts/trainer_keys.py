"""What other trainers can be told, read in their source: tests/export/trainer_keys.json.

    pip download --no-deps axolotl ms-swift torchtune unsloth && unzip each wheel into FOLDER
    python scripts/trainer_keys.py FOLDER

Nothing of them is imported or run. `fields` are the names of a configuration, `calls` the arguments
of what a configuration or script calls, `needs` what a recipe of torchtune reads without a default.
"""

import argparse
import ast
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

OUT = Path(__file__).parents[1] / "tests" / "export" / "trainer_keys.json"
FIELDS = {"axolotl": ("axolotl/utils/schemas",), "ms-swift": ("swift/arguments", "swift/trainers")}
NETWORKS = ("qwen2_5", "llama3_2", "llama3_1", "llama2")
CALLED = {
    "torchtune": (
        *(f"torchtune/models/{name}/_model_builders.py" for name in NETWORKS),
        "torchtune/training/checkpointing/_checkpointer.py",
        "torchtune/training/lr_schedulers.py",
        "torchtune/training/metric_logging.py",
        "torchtune/training/_profiler.py",
    ),
    "unsloth": ("unsloth/models/loader.py", "unsloth/models/llama.py"),
}
CLASSES = ("FastLanguageModel", "FastLlamaModel", "FullModelHFCheckpointer", "DiskLogger")
PLACES = (*NETWORKS, "training")  # whose functions are called by name
METHODS = ("__init__", "from_pretrained", "get_peft_model")
RECIPES = (
    "lora_finetune_single_device",
    "full_finetune_single_device",
    "lora_dpo_single_device",
    "full_dpo_distributed",
)
READ = re.compile(r"\bcfg\.(\w+)(?!\w*\()")  # cfg.name, not cfg.get(...)


def main() -> None:
    """Write the file anew from the packages in a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    found: dict[str, dict[str, object]] = {}
    for tool, places in FIELDS.items():
        files = [path for place in places for path in sorted(one(folder, place).rglob("*.py"))]
        found[tool] = {"fields": " ".join(sorted(set(fields(files))))}
    for tool, places in CALLED.items():
        found[tool] = {"calls": dict(sorted(calls(one(folder, place) for place in places)))}
    found["torchtune"]["needs"] = {
        name: " ".join(sorted(set(READ.findall(one(folder, f"recipes/{name}.py").read_text()))))
        for name in RECIPES
    }
    for tool, told in found.items():
        told["version"] = version(folder, tool)
    OUT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def one(folder: Path, place: str) -> Path:
    """The only match of a path below the folder, whatever the wheel's own folder is called."""
    (path,) = [*folder.glob(place), *folder.glob(f"*/{place}")]
    return path


def version(folder: Path, tool: str) -> str:
    """As the wheel calls itself."""
    place = one(folder, f"{tool.replace('-', '_')}-*.dist-info")
    return place.name.removesuffix(".dist-info").partition("-")[2]


def fields(files: Iterable[Path]) -> Iterator[str]:
    """Names that classes declare with a type."""
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                for line in node.body:
                    if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                        yield line.target.id


def calls(files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Functions and methods by name, `Class.method` or `module folder.function`, with arguments."""
    for path in files:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and path.parent.name in PLACES:
                yield f"{path.parent.name}.{node.name}", arguments(node)
            if isinstance(node, ast.ClassDef) and node.name in CLASSES:
                for line in node.body:
                    if isinstance(line, ast.FunctionDef) and line.name in METHODS:
                        yield f"{node.name}.{line.name}", arguments(line)


def arguments(node: ast.FunctionDef) -> str:
    """Names that may be given by name."""
    return " ".join(one.arg for one in (*node.args.args, *node.args.kwonlyargs))


if __name__ == "__main__":
    main()
