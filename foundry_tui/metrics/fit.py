"""How much memory a model will need, and whether there is as much.

Measured on runtime 2.2.1, Linux, processor only, SmolLM2-135M (int4, 117 MB of files) over the web service:

* An idle host takes 59 MiB; a loaded model 15 MiB more than what follows.
* Loading takes the weights twice: as they are, and packed anew for the processor (296 MiB for 108).
* Each session holds keys and values twice, as past and as present.  Over the web service it reserves prompt
  plus ``max_tokens``, not the whole context: 411 MiB with 1,239 tokens, whatever the context is.  The
  runtime's own chat session reserves the whole context: 500, 680 and 1045 MB at 2,048, 4,096 and 8,192.
* While a prompt is read, there is a score of four bytes for each of its tokens and each word of the
  vocabulary: 641 MiB at the height of a prompt of 1,231 tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from foundry_tui.domain.loads import LoadRecord, MemoryPlace
from foundry_tui.domain.models import Device, ModelVariant
from foundry_tui.metrics.fit_lessons import NOTHING_LEARNED, EstimateError, Lessons, lessons

__all__ = [
    "Fit",
    "FitTerm",
    "FitVerdict",
    "MemoryNow",
    "ModelShape",
    "cache_bytes_per_token",
    "fit",
    "fit_of",
    "memory_of",
]

_MIB: Final = 1_048_576
CONVERSATION_TOKENS: Final = 4_096
"""What a conversation is taken to grow to, where the context allows as much."""
PROMPT_TOKENS: Final = 1_024
"""The longest prompt that is taken to be read at once."""

_HOST_BYTES: Final = 59 * _MIB
_LOADED_BYTES: Final = 15 * _MIB
_GPU_CONTEXT_BYTES: Final = 500 * _MIB
_COPIES: Final = {MemoryPlace.RAM: 2.0, MemoryPlace.GPU: 1.0}
_OWN_BYTES: Final = {MemoryPlace.RAM: _LOADED_BYTES, MemoryPlace.GPU: _GPU_CONTEXT_BYTES}
_SCORE_BYTES: Final = 4
_CACHE_COPIES: Final = 2
_CACHE_VALUE_BYTES: Final = 4
# Of five models between 135 M and 8 G parameters, weights are 2,500 to 45,000 times what a token's keys and
# values take.
_WEIGHTS_PER_CACHED_TOKEN: Final = 20_000
# Above this share of what is available the system begins to push others out.
_COMFORTABLE_SHARE: Final = 0.85


class FitVerdict(StrEnum):
    """Whether the memory suffices."""

    FITS = "fits"
    TIGHT = "tight"
    """More than 85 % of what is available now, but not all of it."""
    DOES_NOT_FIT = "does not fit"
    UNKNOWN = "unknown"
    """The size of the model or of the memory is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """The sizes of a decoder that decide what a conversation takes.

    Attributes:
        cache_value_bytes: Of one value of the keys and values; None if the model does not tell.
        context_tokens: The longest conversation.
        vocabulary: How many scores each token of a prompt has.
    """

    layers: int
    kv_heads: int
    head_size: int
    cache_value_bytes: int | None = None
    context_tokens: int | None = None
    vocabulary: int | None = None


@dataclass(frozen=True, slots=True)
class FitTerm:
    """One summand of the need.

    Attributes:
        is_assumed: Whether it rests on a rule of thumb and not on this model's own numbers.
    """

    label: str
    size_bytes: int
    is_assumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A verdict and its arithmetic.

    Attributes:
        memory: Which memory is meant: ``RAM`` or ``GPU memory``.
        terms: What it needs, largest interest first; their sum is ``need_bytes``.
        need_bytes: None where the size of the weights is not known.
        available_bytes: What can be given now without pushing others out; None if not known.
        margin_bytes: ``available_bytes - need_bytes``; negative where it lacks; None if either is not known.
        conversation_tokens: The length of the conversation that the need is for.
        full_context_bytes: The need if the whole context were used; None where the context is not known.
        load_bytes: The part of the need that the load itself takes; None where the weights are not known.
        loads: How many loads of this very model here that part was measured by; 0 where it is worked out.
        total_bytes: All of that memory, ours to use or not; None if not known.
        limit_bytes: From here on of what is in use a load asks first; None if not known.
        unknown: What the need would rest on and nobody told, in words.
        error: How good such estimates were on this machine; None where that is not kept.
    """

    verdict: FitVerdict
    memory: MemoryPlace
    terms: tuple[FitTerm, ...]
    need_bytes: int | None
    available_bytes: int | None
    margin_bytes: int | None
    conversation_tokens: int
    full_context_bytes: int | None = None
    load_bytes: int | None = None
    loads: int = 0
    total_bytes: int | None = None
    limit_bytes: int | None = None
    unknown: tuple[str, ...] = ()
    error: EstimateError | None = None

    @property
    def used_then_bytes(self) -> int | None:
        """``total - available + need``: what will be in use; None if any of them is not known."""
        if self.total_bytes is None or self.available_bytes is None or self.need_bytes is None:
            return None
        return self.total_bytes - self.available_bytes + self.need_bytes

    @property
    def over_limit_bytes(self) -> int:
        """How much more than the limit will be in use; 0 where it is within, or where that is not known."""
        if self.used_then_bytes is None or self.limit_bytes is None:
            return 0
        return max(0, self.used_then_bytes - self.limit_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryNow:
    """The memory of the machine at one moment; None where it cannot be read.

    Attributes:
        ram_available_bytes: What can be given to new work without swapping, within our control group.
        vram_available_bytes: Free memory of the GPU that has the most of it.
        vram_total_bytes: Of that GPU.
    """

    ram_available_bytes: int | None = None
    ram_total_bytes: int | None = None
    vram_available_bytes: int | None = None
    vram_total_bytes: int | None = None


def memory_of(device: Device | None) -> MemoryPlace:
    """Where a variant for that device lies; an NPU and an unknown device share the machine's memory."""
    return MemoryPlace.GPU if device is Device.GPU else MemoryPlace.RAM


def cache_bytes_per_token(shape: ModelShape) -> int:
    """``layers × kv_heads × head_size × 2 × bytes``: keys and values of one token, held once.

    Four bytes for a value where the model does not say, which is what models for the processor have.
    """
    value_bytes = shape.cache_value_bytes or _CACHE_VALUE_BYTES
    return shape.layers * shape.kv_heads * shape.head_size * 2 * value_bytes


def fit_of(
    model: ModelVariant,
    now: MemoryNow,
    *,
    shape: ModelShape | None = None,
    records: Sequence[LoadRecord] | None = None,
    runtime: str | None = None,
    host_is_running: bool = False,
    conversation_tokens: int = CONVERSATION_TOKENS,
    limit_percent: int | None = None,
) -> Fit:
    """Weigh one variant, with what earlier loads on this machine taught; see ``fit``.

    Args:
        model: Its size is that of its files where they are here, else the catalog's.
        now: What there is.
        shape: As its files tell, where they are here.
        records: Of earlier loads, oldest first; None where none are kept.
        runtime: The version that will load it.
        host_is_running: Whether the idle host is already counted as used.
        conversation_tokens: For how long a conversation.
        limit_percent: Of the whole memory, from where on a load asks first; None asks never.
    """
    memory = memory_of(model.device)
    file_bytes = model.disk_bytes if model.is_cached else None
    return fit(
        file_bytes=file_bytes,
        catalog_bytes=model.size_bytes,
        shape=shape,
        context_tokens=model.context_tokens,
        device=model.device,
        available_ram_bytes=now.ram_available_bytes,
        available_vram_bytes=now.vram_available_bytes,
        total_bytes=now.vram_total_bytes if memory is MemoryPlace.GPU else now.ram_total_bytes,
        host_is_running=host_is_running,
        conversation_tokens=conversation_tokens,
        limit_percent=limit_percent,
        learned=None
        if records is None
        else lessons(
            records,
            memory=memory,
            runtime=runtime,
            model_id=model.id,
            file_bytes=file_bytes,
            copies=_COPIES[memory],
            own_bytes=_OWN_BYTES[memory],
        ),
    )


def fit(
    *,
    file_bytes: int | None,
    catalog_bytes: int | None = None,
    shape: ModelShape | None = None,
    context_tokens: int | None = None,
    device: Device | None = None,
    available_ram_bytes: int | None,
    available_vram_bytes: int | None = None,
    total_bytes: int | None = None,
    host_is_running: bool = False,
    conversation_tokens: int = CONVERSATION_TOKENS,
    limit_percent: int | None = None,
    learned: Lessons | None = None,
) -> Fit:
    """Weigh what a model needs against what there is.

    ``need = weights + packed weights + 2 × cache × tokens + scores + overhead``, with ``cache`` as
    ``cache_bytes_per_token``, ``tokens`` the smaller of ``conversation_tokens`` and the context, and
    ``scores`` ``prompt × vocabulary × 4``.  On a GPU nothing is packed anew.  An NPU and an unknown device
    are taken to share the machine's memory.  What the load takes, which is all but the cache and the scores,
    is what was measured of this model where it was loaded here before, else rests on what others took.

    Args:
        file_bytes: Of the model's files on disk; None if they are not here.
        catalog_bytes: What the catalog says of their size, used in their place.
        shape: As the files tell; None takes ``weights / 20,000`` for a token.
        context_tokens: What the catalog says, where the shape tells none.
        device: Where the variant runs.
        available_ram_bytes: What can be given to new work without swapping.
        available_vram_bytes: Free memory of the GPU.
        total_bytes: Of whichever memory it needs, all that there is.
        host_is_running: Whether the idle host is already counted as used.
        conversation_tokens: For how long a conversation.
        limit_percent: Of ``total_bytes``, from where on a load asks first; None asks never.
        learned: From earlier loads on this machine; None where that is not kept.
    """
    memory = memory_of(device)
    available = available_vram_bytes if memory is MemoryPlace.GPU else available_ram_bytes
    context = (shape.context_tokens if shape is not None else None) or context_tokens
    tokens = min(conversation_tokens, context) if context else conversation_tokens
    weights = file_bytes if file_bytes is not None else catalog_bytes
    limit = None if total_bytes is None or limit_percent is None else total_bytes * limit_percent // 100
    unknown = _unknown(weights, shape, context)
    error = None if learned is None else learned.error
    if weights is None:
        return Fit(
            verdict=FitVerdict.UNKNOWN,
            memory=memory,
            terms=(),
            need_bytes=None,
            available_bytes=available,
            margin_bytes=None,
            conversation_tokens=tokens,
            total_bytes=total_bytes,
            limit_bytes=limit,
            unknown=unknown,
            error=error,
        )
    before, after = _load_terms(
        memory, weights, learned or NOTHING_LEARNED, is_size_assumed=file_bytes is None
    )
    load_bytes = sum(term.size_bytes for term in (*before, *after))
    if memory is MemoryPlace.RAM and not host_is_running:
        after = _with_host(after)
    per_token = cache_bytes_per_token(shape) if shape else weights // _WEIGHTS_PER_CACHED_TOKEN
    is_cache_assumed = shape is None or shape.cache_value_bytes is None
    cache = _CACHE_COPIES * per_token * tokens
    between = [FitTerm(f"keys and values of {tokens:,} tokens, twice", cache, is_cache_assumed)]
    if shape is not None and shape.vocabulary is not None:
        prompt = min(PROMPT_TOKENS, tokens)
        scores = prompt * shape.vocabulary * _SCORE_BYTES
        between.append(FitTerm(f"scores of a prompt of {prompt:,} tokens", scores, True))
    terms = (*before, *between, *after)
    need = sum(term.size_bytes for term in terms)
    return Fit(
        verdict=_verdict(need, available),
        memory=memory,
        terms=terms,
        need_bytes=need,
        available_bytes=available,
        margin_bytes=None if available is None else available - need,
        conversation_tokens=tokens,
        full_context_bytes=need + _CACHE_COPIES * per_token * (context - tokens) if context else None,
        load_bytes=load_bytes,
        loads=0 if learned is None else learned.loads,
        total_bytes=total_bytes,
        limit_bytes=limit,
        unknown=unknown,
        error=error,
    )


def _load_terms(
    memory: MemoryPlace, weights: int, learned: Lessons, *, is_size_assumed: bool
) -> tuple[list[FitTerm], list[FitTerm]]:
    """What stands before the keys and values, and what after them."""
    if learned.load_bytes is not None:
        times = "as its load took here" if learned.loads == 1 else f"median of its {learned.loads} loads here"
        return [FitTerm(f"the model in memory, {times}", learned.load_bytes, False)], []
    copies = _COPIES[memory] if learned.copies is None else max(1.0, learned.copies)
    packed = round((copies - 1) * weights)
    before = [FitTerm("weights", weights, is_size_assumed)]
    if packed:
        here = "" if learned.copies is None else ", as loads here took"
        label = "weights packed for the processor" if memory is MemoryPlace.RAM else "more for the weights"
        before.append(FitTerm(label + here, packed, True))
    own = _OWN_BYTES[memory] if learned.own_bytes is None else learned.own_bytes
    here = "" if learned.own_bytes is None else ", as loads here took"
    label = "the runtime's own" if memory is MemoryPlace.RAM else "the driver's own"
    return before, [FitTerm(label + here, own, True)]


def _with_host(after: list[FitTerm]) -> list[FitTerm]:
    """The idle host takes its share, too: part of what is the runtime's own."""
    if not after:
        return [FitTerm("the idle runtime's own", _HOST_BYTES, True)]
    (own,) = after
    return [FitTerm(own.label, own.size_bytes + _HOST_BYTES, own.is_assumed)]


def _unknown(weights: int | None, shape: ModelShape | None, context: int | None) -> tuple[str, ...]:
    missing: list[str] = []
    if weights is None:
        missing.append("the size of its files")
    if shape is None:
        missing.append("its layers, heads and vocabulary")
    else:
        if shape.cache_value_bytes is None:
            missing.append("the size of a key or value")
        if shape.vocabulary is None:
            missing.append("its vocabulary")
    if context is None:
        missing.append("its context")
    return tuple(missing)


def _verdict(need_bytes: int, available_bytes: int | None) -> FitVerdict:
    if available_bytes is None:
        return FitVerdict.UNKNOWN
    if need_bytes > available_bytes:
        return FitVerdict.DOES_NOT_FIT
    return FitVerdict.FITS if need_bytes <= available_bytes * _COMFORTABLE_SHARE else FitVerdict.TIGHT
