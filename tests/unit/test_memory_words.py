import pytest

from foundry_tui.domain.memory_words import tells_of_no_memory


@pytest.mark.parametrize(
    "message",
    [
        "std::bad_alloc",
        "Load failed: genai_model_instance.cc:204 failed to load model: bad allocation: std::bad_alloc",
        "CUDA error cudaErrorMemoryAllocation:out of memory",
        "CUDA out of memory. Tried to allocate 2.00 GiB",
        "Failed to allocate memory for requested buffer of size 805306368",
        "OSError: [Errno 12] Cannot allocate memory",
        "mmap failed: Not enough memory resources are available",
        "E_OUTOFMEMORY",
        "CUBLAS_STATUS_ALLOC_FAILED",
        "Could not allocate the key-value cache buffer of shape: [batch_size (1)] for 30 layers",
        "Inference failed: Resource temporarily unavailable",
    ],
)
def test_the_words_of_runtimes_drivers_and_systems_are_known(message: str) -> None:
    assert tells_of_no_memory(message)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "model not loaded",
        "genai_config.json: past_present_share_buffer uses shared memory",
        "failed to load model: no such file or directory",
        "the tokenizer is missing",
        "x" * 10_000 + "out of memory",
    ],
)
def test_what_only_speaks_of_memory_or_of_nothing_like_it_is_none(message: str) -> None:
    assert not tells_of_no_memory(message)
