"""Where rows of the embedding and output matrices start that were never trained."""

from collections.abc import Sequence
from typing import Any


def start_rows(model: Any, ids: Sequence[int], starts: Sequence[int | None]) -> None:
    """Give the rows of `ids` a start in both matrices: another token's row, or the mean row.

    A row that was never trained lies where every step pushed it, far from any answer. The token
    that ends a turn starts well from EOS, which means the same; one that only opens a turn
    starts from the mean of all rows, as long as the median of them.
    """
    import torch

    with torch.no_grad():
        for matrix in matrices(model):
            weight_V_D = matrix.weight
            lengths_V = torch.linalg.vector_norm(weight_V_D.float(), dim=-1)
            mean_D = weight_V_D.float().mean(dim=0)
            mean_D *= lengths_V.median() / torch.linalg.vector_norm(mean_D).clamp(min=1e-12)
            rows = [mean_D if start is None else weight_V_D[start].float() for start in starts]
            for index, row_D in zip(ids, [row.clone() for row in rows], strict=True):
                weight_V_D[index] = row_D.to(weight_V_D.dtype)


def settle_rows(model: Any) -> None:
    """Write rows that were trained beside an adapter into the matrices, and train them no further.

    TRL copies adapters to make the reference of preferences, but not these rows; and its output
    layer asks for a bias, which PEFT's wrapper around single rows does not pass on.
    """
    import torch

    for module in model.modules():
        for name, rows_N_D in getattr(module, "trainable_tokens_delta", {}).items():
            weight_V_D = module.base_layer.weight
            ids_N = torch.tensor(module.token_indices[name], device=weight_V_D.device)
            weight_V_D.data[ids_N] = rows_N_D.detach().to(weight_V_D)
            rows_N_D.requires_grad_(False)
    output = model.get_output_embeddings()
    if hasattr(output, "token_adapter"):
        output.bias = output.original_module.bias


def matrices(model: Any) -> list[Any]:
    """The input embedding and, where it has weights of its own, the output layer."""
    embedding, output = model.get_input_embeddings(), model.get_output_embeddings()
    if output is None or output.weight.data_ptr() == embedding.weight.data_ptr():
        return [embedding]
    return [embedding, output]


def matrix_names(model: Any) -> list[str]:
    """The full module names of `matrices`."""
    wanted = matrices(model)
    found = {id(module): name for name, module in model.named_modules()}
    return [found[id(module)] for module in wanted]
