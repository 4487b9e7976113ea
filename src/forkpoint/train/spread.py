"""One training shared by the processes of a torch.distributed group: each holds a part of it.

PyTorch's `fully_shard` (FSDP2) splits parameters, gradients and optimizer states. "zero3" gathers a
layer's weights when it works and lets go of them again; "zero2" keeps them from the forward pass
to the end of the backward pass: faster, larger. The rows of an optimizer step are dealt out, so the
step is the same as in one process.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from forkpoint.train.job import TrainJob


def ranks(job: TrainJob) -> tuple[int, int]:
    """This process's number in the training and how many there are."""
    if job.sharding == "none":
        return 0, 1
    import torch

    return torch.distributed.get_rank(), torch.distributed.get_world_size()


def spread(model: Any, job: TrainJob) -> Any:
    """The model, of which this process holds its part on the job's device."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu" if job.device == "cpu" else "cuda", (ranks(job)[1],))
    again = job.sharding == "zero3"
    for layer in _layers(model):
        fully_shard(layer, mesh=mesh, reshard_after_forward=again)
    return fully_shard(model, mesh=mesh, reshard_after_forward=again)


def _layers(model: Any) -> list[Any]:
    """The blocks that transformers never splits: the largest pieces that are gathered at once."""
    kinds: set[str] = set()
    for module in model.modules():
        kinds.update(getattr(module, "_no_split_modules", None) or ())
    return [module for module in model.modules() if type(module).__name__ in kinds]


def trained_weights(model: Any) -> Iterator[tuple[str, Any]]:
    """Name and whole tensor of every trained parameter; every process has to go through them."""
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            yield name, whole(weight.detach())


def whole(tensor: Any) -> Any:
    """A tensor of which each process may hold a part, put together."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def take_over(model: Any, spread_model: Any, job: TrainJob) -> None:
    """Put what was trained into a model that is not spread: in the first process only."""
    import torch

    own = dict(model.named_parameters()) if ranks(job)[0] == 0 else {}
    for name, weight in trained_weights(spread_model):
        if own:
            with torch.no_grad():
                own[name].copy_(weight.to(own[name].device))


def own_share(packs: Sequence[dict[str, Any]], job: TrainJob) -> list[dict[str, Any]]:
    """The passes of one step that this process takes; as many in all, since they work in step.

    A process with nothing left to do takes a pass in which nothing is learned.
    """
    from forkpoint.models.rendering import IGNORED

    rank, world = ranks(job)
    turns = -(-len(packs) // world)
    share = list(packs[rank::world])
    for _ in range(turns - len(share)):
        empty = packs[0]["labels"].new_full(packs[0]["labels"].shape, IGNORED)
        share.append({**packs[0], "labels": empty})
    return share


def summed(value: Any, job: TrainJob) -> Any:
    """A tensor added up over all processes."""
    if ranks(job)[1] > 1:
        import torch

        torch.distributed.all_reduce(value)
    return value
