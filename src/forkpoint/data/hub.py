"""Data sets of the Hub: their data files are fetched, never their code."""

import os
import re
from pathlib import Path

from forkpoint.errors import BadInput

NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
HUB_DATA = "datasets/"  # in front of a Hub id where it could also be a checkpoint's
PATTERNS = ("*.jsonl", "*.json", "*.parquet", "*.csv", "*.tsv", "*.arrow")
SUFFIXES = tuple(p[1:] for p in PATTERNS)
META = ("dataset_infos.json", "dataset_info.json", "state.json", "dataset_dict.json")


def is_hub_name(name: str) -> bool:
    """Whether a name could be a data set's on the Hub, like `openai/gsm8k`."""
    return NAME.fullmatch(name) is not None and not name.lower().endswith(SUFFIXES)


def fetched(name: str) -> Path:
    """The folder that a Hub data set's files for training were fetched to; raises BadInput."""
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        raise BadInput("data.hub_offline", name=name)
    try:
        info = HfApi().dataset_info(name, timeout=20)
        files = chosen_files([s.rfilename for s in info.siblings or ()])
        if not files:
            raise BadInput("data.hub_no_files", name=name)
        local = [
            Path(hf_hub_download(name, file, repo_type="dataset", revision=info.sha))
            for file in files
        ]
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        key = "data.hub_refused" if status in (401, 403, 404) else "data.hub_offline"
        raise BadInput(key, name=name) from None
    except (LocalEntryNotFoundError, OSError):
        raise BadInput("data.hub_offline", name=name) from None
    return local[0] if len(local) == 1 else local[0].parent


def chosen_files(names: list[str]) -> list[str]:
    """Of a data set's files, those of its training part that lie in one folder in one format."""
    data = [n for n in sorted(names) if n.lower().endswith(SUFFIXES)]
    data = [n for n in data if Path(n).name not in META]
    training = [n for n in data if "train" in n.lower()] or data
    if not training:
        return []
    first = Path(training[0])
    return [n for n in training if Path(n).parent == first.parent
            and Path(n).suffix == first.suffix]  # fmt: skip
