"""What each model's stay in memory took of it: before, loaded, at most, and what was left behind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from foundry_tui.domain.models import LoadReport
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.metrics.holding import HeldTrack, Holding, Need
from foundry_tui.metrics.residual import MemoryKind, Residual
from foundry_tui.metrics.vram import engine_vram

__all__ = ["Stay", "StayEnd", "Stays", "Taken", "taken_of"]

_NS_PER_S = 1_000_000_000
_SETTLING_NS = 3 * _NS_PER_S
"""So long memory is looked at after an unload: it is not given back all at once."""
_MOST_STAYS = 100


class StayEnd(StrEnum):
    """How a stay ended."""

    UNLOADED = "unloaded"
    ENGINE_ENDED = "engine ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Memory of the engine at one moment; None where it could not be read."""

    rss_bytes: int | None = None
    vram_bytes: int | None = None

    def of(self, kind: MemoryKind) -> int | None:
        """One of the two; None of any other kind."""
        match kind:
            case MemoryKind.RSS:
                return self.rss_bytes
            case MemoryKind.VRAM:
                return self.vram_bytes
            case MemoryKind.USS:
                return None  # reading it takes too long to be done at every sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One model in memory, from its load on.

    All memory is that of the whole engine: while several models are loaded nobody can tell whose it is.

    Attributes:
        begun_ns: When the load began.
        load_ns: How long it took; None if it was loaded already.
        before: Just before the load.
        loaded: Just after it.
        peak: The most from the beginning of the load on.
        after: The least within three seconds after the unload; None until then, or if the engine ended.
        ended_ns: None while it is in memory.
        is_shared: Whether another model was in memory, came or went meanwhile.
        life: Which life of the engine it was in, counted from 0.
        is_first: Whether nothing was loaded into that process before.
    """

    model_id: str
    begun_ns: int
    load_ns: int | None = None
    before: Taken = Taken()
    loaded: Taken = Taken()
    peak: Taken = Taken()
    after: Taken | None = None
    ended_ns: int | None = None
    end: StayEnd | None = None
    is_shared: bool = False
    life: int = 0
    is_first: bool = False

    @property
    def grown(self) -> Taken:
        """``loaded - before``."""
        return _difference(self.loaded, self.before)

    def of(self, kind: MemoryKind) -> Residual:
        """One kind of memory around this stay; after it nothing is known of what is in memory."""
        return Residual(
            kind=kind,
            before_bytes=self.before.of(kind),
            loaded_bytes=self.loaded.of(kind),
            peak_bytes=self.peak.of(kind),
            after_bytes=None if self.after is None else self.after.of(kind),
        )

    @property
    def residual(self) -> Taken:
        """``after - before``: what the unload has not given back; unknown of what is in memory."""
        return Taken(
            rss_bytes=self.of(MemoryKind.RSS).left_bytes, vram_bytes=self.of(MemoryKind.VRAM).left_bytes
        )


class Stays:
    """Follows all models, sample by sample; each sample costs some microseconds."""

    def __init__(self) -> None:
        self._stays: list[Stay] = []
        self._loading: dict[str, tuple[int, Taken]] = {}
        self._newest = Taken()
        self._life = 0
        self._gone: dict[str, None] = {}
        self._tracks = _new_tracks()

    @property
    def all(self) -> Sequence[Stay]:
        """The newest hundred, oldest first."""
        return tuple(self._stays)

    @property
    def holding(self) -> Holding:
        """What the engine's process holds of models that have left memory in its present life."""
        in_memory = {stay.model_id for stay in self._stays if stay.ended_ns is None}
        found = [track.held for track in self._tracks.values()]
        return Holding(
            model_ids=tuple(model_id for model_id in self._gone if model_id not in in_memory),
            was_unloaded=bool(self._gone),
            kinds=tuple(held for held in found if held is not None),
        )

    def take(self, sample: ResourceSample) -> None:
        """Widen what is in memory by one sample, and look at what was unloaded just now."""
        taken = taken_of(sample)
        self._newest = taken
        for model_id, (begun_ns, before) in self._loading.items():
            # Where none was taken since the engine began, one from within the load is the nearest.
            self._loading[model_id] = (begun_ns, _filled(before, taken))
        for place, stay in enumerate(self._stays):
            if stay.ended_ns is None:
                self._stays[place] = replace(
                    stay,
                    peak=_joined(stay.peak, taken, largest=True),
                    # The first sample after the load tells what the report cannot.
                    loaded=_filled(stay.loaded, taken),
                )
            elif self._settles(stay, sample.at_ns):
                least = taken if stay.after is None else _joined(stay.after, taken, largest=False)
                self._stays[place] = replace(stay, after=least)
        self._take_held(taken)

    def loading(self, model_id: str, at_ns: int) -> None:
        """A load begins: what an unload before it leaves behind is seen no more."""
        self._loading[model_id] = (at_ns, self._newest)

    def not_loaded(self, model_id: str) -> None:
        """The load came to nothing."""
        self._loading.pop(model_id, None)

    def loaded(self, report: LoadReport) -> None:
        """A load has ended well."""
        begun_ns, before = self._loading.pop(report.model_id, (0, Taken()))
        is_known = any(stay.ended_ns is None and stay.model_id == report.model_id for stay in self._stays)
        if is_known and report.was_loaded:
            return
        if report.rss_before_bytes is not None:
            before = replace(before, rss_bytes=report.rss_before_bytes)
        after = Taken(rss_bytes=report.rss_after_bytes)
        is_shared = any(stay.ended_ns is None for stay in self._stays)
        is_first = not report.was_loaded and not any(stay.life == self._life for stay in self._stays)
        if is_first:
            for kind, track in self._tracks.items():
                track.first_load(before.of(kind))
        for place, stay in enumerate(self._stays):
            if stay.ended_ns is None:
                self._stays[place] = replace(stay, is_shared=True)
        peak = _joined(before, after, largest=True)
        for kind, track in self._tracks.items():
            track.seen(peak.of(kind))
        self._stays.append(
            Stay(
                model_id=report.model_id,
                begun_ns=begun_ns,
                load_ns=None if report.was_loaded else report.load_ns,
                before=Taken() if report.was_loaded else before,
                loaded=after,
                peak=peak,
                is_shared=is_shared,
                life=self._life,
                is_first=is_first,
            )
        )
        del self._stays[:-_MOST_STAYS]

    def unloaded(self, model_id: str, at_ns: int) -> None:
        """A model has left memory."""
        self._end(StayEnd.UNLOADED, at_ns, model_id)
        self._gone[model_id] = None
        for track in self._tracks.values():
            track.unloaded()

    def engine_ended(self, at_ns: int) -> None:
        """The engine is gone, and all that it had in memory with it."""
        self._loading.clear()
        self._end(StayEnd.ENGINE_ENDED, at_ns, None)
        self._life += 1
        self._gone.clear()
        self._tracks = _new_tracks()
        self._newest = Taken()  # of a process that is gone

    def _end(self, end: StayEnd, at_ns: int, model_id: str | None) -> None:
        for place, stay in enumerate(self._stays):
            if stay.ended_ns is None and model_id in (None, stay.model_id):
                self._stays[place] = replace(stay, ended_ns=at_ns, end=end)

    def _take_held(self, taken: Taken) -> None:
        loaded = [stay for stay in self._stays if stay.ended_ns is None] if self._gone else []
        for kind, track in self._tracks.items():
            needs = [self._need(stay, kind, track.bare_bytes) for stay in loaded]
            track.take(taken.of(kind), needs, was_unloaded=bool(self._gone))

    def _need(self, stay: Stay, kind: MemoryKind, bare_bytes: int | None) -> Need | None:
        """See ``Held``; None where it was not read what the load took."""
        took, ended_at = stay.grown.of(kind), stay.loaded.of(kind)
        if took is None or ended_at is None or bare_bytes is None:
            return None
        firsts = [
            grown
            for other in self._stays
            if other.is_first and other.model_id == stay.model_id
            if (grown := other.grown.of(kind)) is not None
        ]
        least = max(0, took, *firsts)
        return Need(least_bytes=least, most_bytes=least if firsts else max(least, ended_at - bare_bytes))

    def _settles(self, stay: Stay, at_ns: int) -> bool:
        if stay.end is not StayEnd.UNLOADED or stay.ended_ns is None or self._loading:
            return False
        is_newest = all(other.begun_ns <= stay.ended_ns for other in self._stays)
        return is_newest and at_ns >= stay.ended_ns and at_ns - stay.ended_ns <= _SETTLING_NS


def taken_of(sample: ResourceSample) -> Taken:
    """The engine's memory as a sample has it."""
    return Taken(rss_bytes=sample.host.process_rss_bytes, vram_bytes=engine_vram(sample.gpu).total_bytes)


def _new_tracks() -> dict[MemoryKind, HeldTrack]:
    return {kind: HeldTrack(kind) for kind in (MemoryKind.RSS, MemoryKind.VRAM)}


def _difference(later: Taken, earlier: Taken) -> Taken:
    return Taken(
        rss_bytes=_minus(later.rss_bytes, earlier.rss_bytes),
        vram_bytes=_minus(later.vram_bytes, earlier.vram_bytes),
    )


def _minus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one - other


def _joined(one: Taken, other: Taken, *, largest: bool) -> Taken:
    return Taken(
        rss_bytes=_extreme(one.rss_bytes, other.rss_bytes, largest=largest),
        vram_bytes=_extreme(one.vram_bytes, other.vram_bytes, largest=largest),
    )


def _extreme(one: int | None, other: int | None, *, largest: bool) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return (max if largest else min)(known, default=None)


def _filled(known: Taken, taken: Taken) -> Taken:
    return Taken(
        rss_bytes=taken.rss_bytes if known.rss_bytes is None else known.rss_bytes,
        vram_bytes=taken.vram_bytes if known.vram_bytes is None else known.vram_bytes,
    )
