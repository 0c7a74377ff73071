"""One request as the results format has it (docs/contracts): readings as they were taken, unknown is null."""

import hashlib

from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.tokens import output_tokens

__all__ = ["request_object"]


def request_object(
    trace: GenerationTrace, *, model: str, model_id: str, peak_rss_bytes: int | None = None
) -> dict[str, object]:
    """``trace`` as an entry of ``requests``.

    Args:
        trace: A request that has ended, however.
        model: The name that the user gave.
        model_id: The exact variant that answered.
        peak_rss_bytes: Of the engine's process over the request; None where it was not read.
    """
    counted = output_tokens(trace)
    text = trace.text
    usage = trace.usage
    return {
        "model": model,
        "model_id": model_id,
        "response_id": trace.response_id,
        "prompt_id": "chat",
        "round": 1,
        "phase": "timed",
        "status": trace.outcome.value,
        "warnings": list(trace.warnings),
        "error": trace.error,
        "call_ns": trace.call_ns,
        "sent_ns": trace.sent_ns,
        "headers_ns": trace.headers_ns,
        "role_ns": trace.role_ns,
        "chunk_ns": [chunk.at_ns for chunk in trace.chunks],
        "chunk_kind": [chunk.kind.value for chunk in trace.chunks],
        "chunk_chars": [len(chunk.text) for chunk in trace.chunks],
        "end_ns": trace.end_ns,
        "prompt_tokens": usage.prompt_tokens if usage is not None else None,
        "completion_tokens": counted.count if counted is not None and not counted.is_estimate else None,
        "estimated_tokens": counted.count if counted is not None and counted.is_estimate else None,
        "token_source": counted.source.value if counted is not None else None,
        "finish_reason": trace.finish_reason,
        "text": text,
        "text_sha256": hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest(),
        "peak_rss_bytes": peak_rss_bytes,
        "peak_vram_bytes": None,
        "energy_j": None,
    }
