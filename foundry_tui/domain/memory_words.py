"""What runtimes, drivers and systems say when memory has run out."""

__all__ = ["tells_of_no_memory"]

_READ = 8_000
_SIGNS = (
    "bad_alloc",
    "out of memory",
    "out_of_memory",
    "outofmemory",
    "cannot allocate",
    "could not allocate",
    "can't allocate",
    "failed to allocate",
    "unable to allocate",
    "allocation failed",
    "not enough memory",
    "insufficient memory",
    "cudaerrormemoryallocation",
    "cublas_status_alloc_failed",
    "e_outofmemory",
    "enomem",
    "memory exhausted",
    # Measured: what a runtime says that has no memory left for the stack of a thread.
    "resource temporarily unavailable",
)


def tells_of_no_memory(message: str) -> bool:
    """Whether ``message`` says, in the words of any of them, that memory could not be had."""
    lowered = message[:_READ].lower()
    return any(sign in lowered for sign in _SIGNS)
