"""Models as catalogs describe them: an alias has variants, a variant runs on one device."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "CatalogKind",
    "CatalogListing",
    "CatalogSnapshot",
    "CatalogSource",
    "Device",
    "LoadReport",
    "ModelVariant",
    "ProviderEvidence",
    "Registration",
    "SnapshotOrigin",
]


class Device(StrEnum):
    """The kind of processor a variant is built for."""

    CPU = "cpu"
    GPU = "gpu"
    NPU = "npu"


class CatalogKind(StrEnum):
    """Which list a model comes from; it decides the URL prefix it answers under."""

    PUBLIC = "public"
    LOCAL = "local"
    """Registered from a folder of the user's own."""
    ENDPOINT = "endpoint"
    """Told by a server that we do not manage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVariant:
    """One loadable build of a model.  Whatever the catalog does not say is None.

    Attributes:
        id: Exact ``name:version``, what a chat request names.
        alias: The family name that its variants share.
        device: None where the runtime leaves it to the model's own ``genai_config.json``.
        size_bytes: Download size as the catalog says.
        disk_bytes: What its folder holds now; None if it is not on this disk or not known.
        context_tokens: The limit that requests meet: ``model.context_length`` of ``genai_config.json``
            where the files are here, else what the catalog advertises.
        advertised_context_tokens: What the catalog says, which can disagree with the real limit.
        is_cached: Whether its files are here; None where the engine cannot tell.
        is_loaded: Whether it is in memory; None where the engine cannot tell.
        path: Its folder on this machine.
        problem: Why it cannot be used as it lies here, in words; None if nothing is known against it.
        unavailable: Why this machine cannot run it whatever is done to its files, in words; None if it can.
        min_runtime_version: An older runtime hides the variant; None if the catalog does not say.
    """

    id: str
    alias: str
    catalog: CatalogKind
    display_name: str | None = None
    publisher: str | None = None
    license: str | None = None
    license_text: str | None = None
    task: str | None = None
    device: Device | None = None
    execution_provider: str | None = None
    quantization: str | None = None
    size_bytes: int | None = None
    disk_bytes: int | None = None
    context_tokens: int | None = None
    advertised_context_tokens: int | None = None
    max_output_tokens: int | None = None
    capabilities: tuple[str, ...] = ()
    is_cached: bool | None = None
    is_loaded: bool | None = None
    path: str | None = None
    problem: str | None = None
    unavailable: str | None = None
    min_runtime_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogListing:
    """What one catalog offered when it last answered, for any machine.

    Attributes:
        models: Nothing is known here of files and memory: those fields are None.
        saved_at_unix: When it answered, in seconds.
    """

    models: tuple[ModelVariant, ...]
    saved_at_unix: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSource:
    """How it stands with one catalog.

    Attributes:
        host: Its address as far as it may be shown: host, and port if it is not the usual one.
        saved_at_unix: When what is shown of it was fetched, in seconds; None if never.
        problem: Why it could not be asked last time, in words; None if it answered or was not asked yet.
    """

    host: str
    saved_at_unix: int | None = None
    problem: str | None = None


class SnapshotOrigin(StrEnum):
    """How fresh a list of models is."""

    FILE = "file"
    """The runtime's own snapshot on disk; shown at once while the engine starts."""
    LIVE = "live"
    """Told by the running engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSnapshot:
    """All models known at one moment.

    Attributes:
        models: One entry per variant, in the catalog's order.
        saved_at_unix: When the public catalog was last fetched, in seconds; None if unknown or never.
        notice: Why something may be missing ("offline: …"); None if the list is complete.
        sources: The catalogs that were asked by ourselves, in the order given; empty where none are.
        is_cut_off: Whether the engine could not reach a catalog and will not ask it again in this life.
    """

    models: tuple[ModelVariant, ...]
    origin: SnapshotOrigin
    saved_at_unix: int | None = None
    notice: str | None = None
    sources: tuple[CatalogSource, ...] = ()
    is_cut_off: bool = False

    def find(self, name: str) -> ModelVariant | None:
        """The variant whose id is ``name``; else the best of the alias ``name``.

        Best is: loaded, then cached, then fit for this machine, then first in the catalog's order, which is
        the runtime's own choice.
        """
        for model in self.models:
            if model.id == name:
                return model
        family = [model for model in self.models if name in (model.alias, model.id.rpartition(":")[0])]
        return min(
            family,
            key=lambda model: (not model.is_loaded, not model.is_cached, model.unavailable is not None),
            default=None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A folder to be listed as a model of the user's own.  It is never copied or deleted.

    Attributes:
        replaces: Whether it may take the place of a registration of that id for another folder.
    """

    path: str
    model_id: str
    task: str = "chat-completion"
    display_name: str | None = None
    publisher: str | None = None
    license: str | None = None
    replaces: bool = False


class ProviderEvidence(StrEnum):
    """How well it is known which execution provider runs a model."""

    CONFIGURED = "configured"
    """``genai_config.json`` of the model that was loaded names it, or names none, which is the CPU."""
    DECLARED = "declared"
    """The catalog says so of the variant; nothing that was loaded confirms it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What a load cost, and what runs the model.

    Attributes:
        load_ns: Wall time of the load call; near zero if ``was_loaded``.
        rss_before_bytes: Resident memory of the engine's process just before; None if not readable.
        rss_after_bytes: The same just after.
        device: As the variant declares it; None if it does not.
        execution_providers: What runs it, such as ``CPUExecutionProvider``; several if its parts differ,
            empty if not known.
        provider_evidence: How ``execution_providers`` is known; None if it is not.
    """

    model_id: str
    load_ns: int
    was_loaded: bool
    rss_before_bytes: int | None = None
    rss_after_bytes: int | None = None
    device: Device | None = None
    execution_providers: tuple[str, ...] = ()
    provider_evidence: ProviderEvidence | None = None
