"""The cache: what is on this disk, how much room it takes, and what is in memory."""

import time
from collections.abc import Sequence
from typing import ClassVar

from foundry_tui.domain.engine import Capability
from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, ModelVariant
from foundry_tui.domain.quantities import bytes_in_words, seconds_in_words
from foundry_tui.services.client import Job
from foundry_tui.tui.panes.models import ModelsPane, emphasis_of
from foundry_tui.tui.presenters import state_of
from foundry_tui.tui.widgets.row_table import Align, Column, Row

__all__ = ["CachePane"]


class CachePane(ModelsPane):
    """Lists the models whose files are here."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column(key="id", label="On this disk", width=22, weight=3, priority=100),
        Column(key="state", label="State", width=11, priority=90),
        Column(key="disk", label="Takes", width=9, align=Align.RIGHT, priority=80),
        Column(key="load", label="Load", width=8, align=Align.RIGHT, priority=70),
        Column(key="kind", label="Kind", width=10, priority=60),
        Column(key="path", label="Folder", width=24, weight=4, priority=50),
    )

    def rows(self, snapshot: CatalogSnapshot, jobs: Sequence[Job]) -> list[Row]:
        now_ns = time.perf_counter_ns()
        return [
            Row(
                key=model.id,
                cells=(
                    model.id,
                    state_of(model, jobs, now_ns),
                    bytes_in_words(model.disk_bytes),
                    self._load_time(model),
                    "your own" if model.catalog is CatalogKind.LOCAL else "download",
                    model.path or "n/a",
                ),
                emphasis=emphasis_of(model),
            )
            for model in _here(snapshot)
        ]

    @property
    def _is_elsewhere(self) -> bool:
        """Whether the models lie on a server that does not show us its disk."""
        info = self._client.engine_info
        return info is not None and not info.can(Capability.REGISTER)

    def line(self, snapshot: CatalogSnapshot, shown: int, jobs: Sequence[Job]) -> str:
        here = _here(snapshot)
        if self._is_elsewhere:
            return f"{len(here)} loaded there"
        known = [model.disk_bytes for model in here if model.disk_bytes is not None]
        total = bytes_in_words(sum(known) if known or not here else None)
        if known and len(known) < len(here):
            total = f"{total} and more"  # what could not be measured is not counted as nothing
        loaded = sum(1 for model in here if model.is_loaded)
        return f"{len(here)} here · {total} · {loaded} loaded"

    def empty_words(self, snapshot: CatalogSnapshot) -> str:
        if self._is_elsewhere:
            return (
                "The endpoint keeps its models on its own disk and does not show it.\n\n"
                "What it has loaded stands here, if it tells."
            )
        return (
            "Nothing on this disk yet.\n\nRegister a folder of your own:\n"
            "foundry-tui models register DIR --id my-model:1"
        )

    def _load_time(self, model: ModelVariant) -> str:
        report = self._client.load_reports.get(model.id)
        return "" if report is None else seconds_in_words(report.load_ns / 1e9)


def _here(snapshot: CatalogSnapshot) -> list[ModelVariant]:
    """What is on disk, what should be, and what an endpoint holds in memory."""
    return [model for model in snapshot.models if model.is_cached or model.is_loaded or model.problem]
