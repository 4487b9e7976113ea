"""A checkpoint on the Hugging Face Hub: the local cache first, then only what is small."""

from pathlib import Path
from typing import Any

from forkpoint.errors import BadInput, Unreadable
from forkpoint.facts.checkpoint_files import CheckpointFiles, LocalFiles, check_small

TIMEOUT_SECONDS = 20.0  # seconds a request; metadata come in well under one
FETCHED = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "README.md")  # of a repository


def hub_files(name: str) -> CheckpointFiles:
    """The cached snapshot when it is whole, else the Hub's own listing; says what to do offline."""
    cached = _cached(name)
    if cached is not None and _has_weights(cached):
        return cached
    try:
        return HubFiles(name)
    except Unreadable:
        if cached is not None:
            return cached
        raise


def _cached(name: str) -> LocalFiles | None:
    """The snapshot of the main branch in the local cache, without asking the network."""
    from huggingface_hub import try_to_load_from_cache

    for file in ("config.json", "adapter_config.json"):
        found = try_to_load_from_cache(name, file)
        if isinstance(found, str):
            folder = Path(found).parent
            return LocalFiles(name, folder, revision=folder.name)
    return None


def _has_weights(files: LocalFiles) -> bool:
    return any(file.endswith((".safetensors", ".gguf")) for file in files.sizes)


def fetch_weights(name: str) -> Path:
    """The whole checkpoint `name` from the Hub in the local cache, for training it."""
    return HubFiles(name).fetch()


class HubFiles:
    """A repository on the Hub: small files are fetched into the cache, headers by range."""

    def __init__(self, name: str) -> None:
        from huggingface_hub import HfApi

        self.name = name
        self.path: Path | None = None
        info = self._ask(
            lambda: HfApi().model_info(name, files_metadata=True, timeout=TIMEOUT_SECONDS)
        )
        self.revision: str | None = info.sha
        self.hub_tags: tuple[str, ...] = tuple(info.tags or ())
        self.sizes = {
            item.rfilename: item.size or 0
            for item in info.siblings or ()
            if "/" not in item.rfilename or item.rfilename.startswith("1_Pooling/")
        }

    def read(self, file: str) -> bytes | None:
        from huggingface_hub import hf_hub_download

        if file not in self.sizes:
            return None
        check_small(file, self.sizes[file])
        path = self._ask(lambda: hf_hub_download(self.name, file, revision=self.revision))
        return Path(path).read_bytes()

    def read_range(self, file: str, start: int, length: int) -> bytes:
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import (  # type: ignore[attr-defined]
            build_hf_headers,
            get_session,
            hf_raise_for_status,
        )

        def fetch() -> bytes:
            headers = build_hf_headers() | {"range": f"bytes={start}-{start + length - 1}"}
            url = hf_hub_url(self.name, file, revision=self.revision)
            answer = get_session().get(url, headers=headers, timeout=TIMEOUT_SECONDS)
            hf_raise_for_status(answer)
            content: bytes = answer.content
            return content[start : start + length] if answer.status_code == 200 else content

        content: bytes = self._ask(fetch)
        return content

    def fetch(self) -> Path:
        """Everything that training needs, into the cache; pickles and code are never fetched.

        Raises BadInput when there are no safetensors or no room for them.
        """
        import shutil

        from huggingface_hub import constants, snapshot_download

        needed = sum(size for file, size in self.sizes.items() if file.endswith(".safetensors"))
        if not needed:
            raise BadInput("facts.hub_no_weights", name=self.name)
        cache = Path(constants.HF_HUB_CACHE)
        cache.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(cache).free
        if needed > free:
            raise BadInput(
                "facts.hub_no_room",
                name=self.name,
                needed=f"{needed / 1e9:.1f}",
                free=f"{free / 1e9:.1f}",
                folder=cache,
            )
        return Path(self._ask(lambda: snapshot_download(self.name, allow_patterns=list(FETCHED))))

    def _ask(self, request: Any) -> Any:
        """Run a request; every way in which the Hub does not answer becomes a sentence."""
        from huggingface_hub.errors import (
            EntryNotFoundError,
            GatedRepoError,
            HfHubHTTPError,
            HFValidationError,
            RepositoryNotFoundError,
        )

        try:
            return request()
        except GatedRepoError:
            raise BadInput("facts.hub_gated", name=self.name) from None
        except (RepositoryNotFoundError, HFValidationError):
            raise BadInput("facts.hub_unknown", name=self.name) from None
        except (EntryNotFoundError, HfHubHTTPError) as error:
            raise Unreadable(
                "facts.hub_answer", name=self.name, reason=str(error).splitlines()[0][:200]
            ) from None
        except Exception as error:
            if not _is_connection_trouble(error):
                raise
            raise Unreadable("facts.no_network", name=self.name) from None


def _is_connection_trouble(error: Exception) -> bool:
    """Whether an error means 'no network': the HTTP client differs between versions of the Hub."""
    return isinstance(error, OSError) or type(error).__module__.split(".")[0].startswith(
        ("httpx", "httpcore", "requests", "urllib3")
    )
