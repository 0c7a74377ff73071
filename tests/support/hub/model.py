"""One variant as the hub offers it: its catalog record and its files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Final

from tests.support.hub.content import Content

__all__ = ["MAIN", "HubModel"]

MAIN: Final = "main"
"""The catalog that every hub has."""

_REGISTRY = "azureml://registries/loopback/models"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubModel:
    """What the hub knows of one variant.

    Attributes:
        name: Without version, such as ``tiny-hub-generic-cpu``; the runtime derives nothing from it.
        device: As the catalog says it: ``cpu``, ``gpu`` or ``npu``.
        min_fl_version: A runtime that is older leaves the record out.
        is_latest: Whether it carries the label ``latest``; None where it has the highest version of its name.
        said_bytes: Size in the record; None says what the files really have.
        catalog: Which of the hub's catalogs lists it.
        files: By path within the container, in the order of the listing.
        changed: Entries of the record that are put in place of what is derived; a value of ``...`` leaves the
            entry out.  For records that are wrong.
    """

    name: str
    alias: str
    version: int = 1
    display_name: str | None = None
    publisher: str = "Loopback"
    license: str = "MIT"
    license_text: str = "Permission is hereby granted, free of charge, to any person."
    device: str = "cpu"
    execution_provider: str = "CPUExecutionProvider"
    task: str = "chat-completion"
    context_tokens: int | None = 4096
    max_output_tokens: int | None = 1024
    capabilities: tuple[str, ...] = ()
    quantization: tuple[str, ...] = ("RTN",)
    min_fl_version: str = "0.1.0"
    is_archived: bool = False
    is_latest: bool | None = None
    said_bytes: int | None = None
    catalog: str = MAIN
    files: Mapping[str, Content] = field(default_factory=dict)
    changed: Mapping[str, object] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """``name:version``, the runtime's id of a variant."""
        return f"{self.name}:{self.version}"

    @property
    def asset_id(self) -> str:
        """By which the registry is asked for it."""
        return f"{_REGISTRY}/{self.name}/versions/{self.version}"

    @property
    def container(self) -> str:
        """Name of its container: harmless, whatever the model is called."""
        stem = "".join(c if c.isascii() and c.isalnum() else "-" for c in self.id.lower())[:40]
        return f"{stem}-{sha1(self.id.encode(errors='surrogatepass')).hexdigest()[:8]}"

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(content.size_bytes for content in self.files.values())

    def record(self) -> dict[str, object]:
        """Its entry in ``summaries``."""
        parent = f"{_REGISTRY}/{self.alias}/versions/{self.version}"
        said_bytes = self.size_bytes if self.said_bytes is None else self.said_bytes
        record: dict[str, object] = {
            "assetId": self.asset_id,
            "name": self.name,
            "alias": self.alias,
            "displayName": self.display_name or self.alias,
            "version": str(self.version),
            "publisher": self.publisher,
            "license": self.license,
            "licenseDescription": self.license_text,
            "minFLVersion": self.min_fl_version,
            "createdTime": "2026-06-02T07:03:01Z",
            "inferenceTasks": [self.task],
            "modelCapabilities": list(self.capabilities),
            "modelLimits": {
                "textLimits": {
                    "inputContextWindow": self.context_tokens,
                    "maxOutputTokens": self.max_output_tokens,
                },
                "supportedInputModalities": ["text"],
                "supportedOutputModalities": ["text"],
            },
            "variantInformation": {
                "parents": [{"assetId": parent}],
                "variantMetadata": {
                    "modelType": "ONNX",
                    "quantization": list(self.quantization),
                    "device": self.device,
                    "executionProvider": self.execution_provider,
                    "fileSizeBytes": said_bytes,
                },
            },
        }
        return {key: value for key, value in {**record, **self.changed}.items() if value is not ...}
