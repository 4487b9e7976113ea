"""The network of a checkpoint as the user names it."""

from pathlib import Path

from forkpoint.estimate.network import Network, Quantisation
from forkpoint.estimate.shapes import network_from_config, read_config
from forkpoint.record import Record


class Measured(Record):
    """A network, and how many parameters the weights' own headers hold."""

    name: str
    network: Network
    parameters_in_files: int | None


def read_network(name: str) -> Measured:
    """From a config.json, or from any checkpoint that can be inspected; raises BadInput."""
    path = Path(name)
    if path.suffix == ".json" or (path.is_dir() and not _has_weights(path)):
        network = network_from_config(read_config(path), name)
        return Measured(name=name, network=network, parameters_in_files=None)
    from forkpoint.facts.checkpoint_files import locate
    from forkpoint.facts.reading import read_files
    from forkpoint.facts.shape import read_shape

    reading = read_files(locate(name))
    network = network_from_config(reading.config, name)
    if reading.gguf is not None:
        network = network.model_copy(
            update={"quantisation": Quantisation(method="gguf", bits=4, group=None)}
        )
    shape = read_shape(reading.config, reading.tensors.items())
    if shape.tied_embeddings is not None and "tie_word_embeddings" not in reading.config:
        network = network.model_copy(update={"tied": shape.tied_embeddings})
    stored = sum(place.end - place.start for place in reading.tensors.values())
    network = network.model_copy(update={"file_bytes": stored or None})
    return Measured(name=name, network=network, parameters_in_files=shape.parameters)


def _has_weights(folder: Path) -> bool:
    return any(folder.glob("*.safetensors")) or any(folder.glob("*.gguf"))
