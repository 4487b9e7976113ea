"""The networks that torchtune has builders for."""

from forkpoint.errors import BadInput
from forkpoint.export.recipe import Recipe

# (model_type, hidden size, layers, vocabulary or None) -> package.builder, checkpointer's type
BUILDERS = {
    ("qwen2", 896, 24, None): ("qwen2_5.qwen2_5_0_5b", "QWEN2"),
    ("qwen2", 1536, 28, None): ("qwen2_5.qwen2_5_1_5b_base", "QWEN2"),
    ("qwen2", 2048, 36, None): ("qwen2_5.qwen2_5_3b", "QWEN2"),
    ("qwen2", 3584, 28, None): ("qwen2_5.qwen2_5_7b_base", "QWEN2"),
    ("qwen2", 5120, 48, None): ("qwen2_5.qwen2_5_14b_base", "QWEN2"),
    ("qwen2", 5120, 64, None): ("qwen2_5.qwen2_5_32b_base", "QWEN2"),
    ("qwen2", 8192, 80, None): ("qwen2_5.qwen2_5_72b_base", "QWEN2"),
    ("llama", 2048, 16, None): ("llama3_2.llama3_2_1b", "LLAMA3_2"),
    ("llama", 3072, 28, None): ("llama3_2.llama3_2_3b", "LLAMA3_2"),
    ("llama", 4096, 32, 128256): ("llama3_1.llama3_1_8b", "LLAMA3"),
    ("llama", 8192, 80, 128256): ("llama3_1.llama3_1_70b", "LLAMA3"),
    ("llama", 4096, 32, 32000): ("llama2.llama2_7b", "LLAMA2"),
    ("llama", 5120, 40, 32000): ("llama2.llama2_13b", "LLAMA2"),
}


def builder_of(recipe: Recipe) -> tuple[str, str]:
    """Package and function that builds the network, and its checkpointer's type; BadInput."""
    for (kind, hidden, layers, vocabulary), found in BUILDERS.items():
        same = (kind, hidden, layers) == (recipe.model_type, recipe.hidden_size, recipe.layers)
        if same and vocabulary in (None, recipe.vocabulary):
            return found
    raise BadInput(
        "export.torchtune_network", model=recipe.model_name, kind=recipe.model_type,
        hidden=recipe.hidden_size or 0, layers=recipe.layers or 0,
    )  # fmt: skip
