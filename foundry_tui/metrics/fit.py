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

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from foundry_tui.domain.models import Device

__all__ = ["Fit", "FitTerm", "FitVerdict", "ModelShape", "cache_bytes_per_token", "fit"]

_MIB: Final = 1_048_576
CONVERSATION_TOKENS: Final = 4_096
"""What a conversation is taken to grow to, where the context allows as much."""
PROMPT_TOKENS: Final = 1_024
"""The longest prompt that is taken to be read at once."""

_HOST_BYTES: Final = 59 * _MIB
_LOADED_BYTES: Final = 15 * _MIB
_GPU_CONTEXT_BYTES: Final = 500 * _MIB
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
    """

    verdict: FitVerdict
    memory: str
    terms: tuple[FitTerm, ...]
    need_bytes: int | None
    available_bytes: int | None
    margin_bytes: int | None
    conversation_tokens: int
    full_context_bytes: int | None = None


def cache_bytes_per_token(shape: ModelShape) -> int:
    """``layers × kv_heads × head_size × 2 × bytes``: keys and values of one token, held once.

    Four bytes for a value where the model does not say, which is what models for the processor have.
    """
    value_bytes = shape.cache_value_bytes or _CACHE_VALUE_BYTES
    return shape.layers * shape.kv_heads * shape.head_size * 2 * value_bytes


def fit(
    *,
    file_bytes: int | None,
    catalog_bytes: int | None = None,
    shape: ModelShape | None = None,
    context_tokens: int | None = None,
    device: Device | None = None,
    available_ram_bytes: int | None,
    available_vram_bytes: int | None = None,
    host_is_running: bool = False,
    conversation_tokens: int = CONVERSATION_TOKENS,
) -> Fit:
    """Weigh what a model needs against what there is.

    ``need = weights + packed weights + 2 × cache × tokens + scores + overhead``, with ``cache`` as
    ``cache_bytes_per_token``, ``tokens`` the smaller of ``conversation_tokens`` and the context, and
    ``scores`` ``prompt × vocabulary × 4``.  On a GPU nothing is packed anew.  An NPU and an unknown device
    are taken to share the machine's memory.

    Args:
        file_bytes: Of the model's files on disk; None if they are not here.
        catalog_bytes: What the catalog says of their size, used in their place.
        shape: As the files tell; None takes ``weights / 20,000`` for a token.
        context_tokens: What the catalog says, where the shape tells none.
        device: Where the variant runs.
        available_ram_bytes: What can be given to new work without swapping.
        available_vram_bytes: Free memory of the GPU.
        host_is_running: Whether the idle host is already counted as used.
        conversation_tokens: For how long a conversation.
    """
    is_gpu = device is Device.GPU
    available = available_vram_bytes if is_gpu else available_ram_bytes
    context = (shape.context_tokens if shape is not None else None) or context_tokens
    tokens = min(conversation_tokens, context) if context else conversation_tokens
    weights = file_bytes if file_bytes is not None else catalog_bytes
    memory = "GPU memory" if is_gpu else "RAM"
    if weights is None:
        return Fit(
            verdict=FitVerdict.UNKNOWN,
            memory=memory,
            terms=(),
            need_bytes=None,
            available_bytes=available,
            margin_bytes=None,
            conversation_tokens=tokens,
        )
    per_token = cache_bytes_per_token(shape) if shape else weights // _WEIGHTS_PER_CACHED_TOKEN
    is_cache_assumed = shape is None or shape.cache_value_bytes is None
    terms = [FitTerm("weights", weights, file_bytes is None)]
    if not is_gpu:
        terms.append(FitTerm("weights packed for the processor", weights, True))
    cache = _CACHE_COPIES * per_token * tokens
    terms.append(FitTerm(f"keys and values of {tokens:,} tokens, twice", cache, is_cache_assumed))
    if shape is not None and shape.vocabulary is not None:
        prompt = min(PROMPT_TOKENS, tokens)
        scores = prompt * shape.vocabulary * _SCORE_BYTES
        terms.append(FitTerm(f"scores of a prompt of {prompt:,} tokens", scores, True))
    if is_gpu:
        terms.append(FitTerm("the driver's own", _GPU_CONTEXT_BYTES, True))
    else:
        host = 0 if host_is_running else _HOST_BYTES
        terms.append(FitTerm("the runtime's own", _LOADED_BYTES + host, True))
    need = sum(term.size_bytes for term in terms)
    return Fit(
        verdict=_verdict(need, available),
        memory=memory,
        terms=tuple(terms),
        need_bytes=need,
        available_bytes=available,
        margin_bytes=None if available is None else available - need,
        conversation_tokens=tokens,
        full_context_bytes=need + _CACHE_COPIES * per_token * (context - tokens) if context else None,
    )


def _verdict(need_bytes: int, available_bytes: int | None) -> FitVerdict:
    if available_bytes is None:
        return FitVerdict.UNKNOWN
    if need_bytes > available_bytes:
        return FitVerdict.DOES_NOT_FIT
    return FitVerdict.FITS if need_bytes <= available_bytes * _COMFORTABLE_SHARE else FitVerdict.TIGHT
