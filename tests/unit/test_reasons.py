"""The runtime's own words made readable, and what to do about them.  The messages are captured ones."""

import time

import pytest

from foundry_tui.domain.chat import Outcome
from foundry_tui.engines.reasons import failure_of, load_remedy, plain_reason

CONTEXT = (
    "search_options.cc:108 void fl::ValidateTokenBudget(int64_t, int64_t, int64_t) request requires 4127"
    " total tokens (31 input + 4096 output), which exceeds the model's context length of 2048 tokens"
)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("plain words", "plain words"),
        (
            CONTEXT,
            "request requires 4127 total tokens (31 input + 4096 output),"
            " which exceeds the model's context length of 2048 tokens",
        ),
        (
            "Error code: 3 - model_manager.cc:88 Model &fl::ModelManager::Load(const string &) no such file",
            "no such file",
        ),
        ("generator.cc:12 void fl::Run(void (*)(int)) const it broke", "it broke"),
        ("/src/a b/session.cpp:7 it broke", "/src/a it broke"),
        ("first.h:1 second.cc:22 it broke", "it broke"),
        ("two\nlines\r\n\tand tabs", "two lines and tabs"),
        ("\x1b[31mred\x1b[0m \u202etxt", "␛[31mred␛[0m \N{REPLACEMENT CHARACTER}txt"),
        ("", "no reason given"),
        (" \n ", "no reason given"),
        ("Error code: 2 - ", "no reason given"),
        ("see http://host:80 (500)", "see http://host:80 (500)"),
    ],
)
def test_a_reason_is_one_harmless_line_without_source_places(message: str, reason: str) -> None:
    assert plain_reason(message) == reason


def test_a_reason_is_cut_at_six_hundred_characters() -> None:
    reason = plain_reason("word " * 1000)

    assert len(reason) == 600
    assert reason.endswith("…")


@pytest.mark.parametrize(
    ("status", "message", "outcome"),
    [
        (None, "Inference failed", Outcome.STREAM_ERROR),
        (500, "Inference failed", Outcome.HTTP_ERROR),
        (500, "std::bad_alloc", Outcome.OUT_OF_MEMORY),
        (None, "CUDA out of memory", Outcome.OUT_OF_MEMORY),
        (500, "Failed to allocate memory for requested buffer", Outcome.OUT_OF_MEMORY),
        (400, "Model not loaded: Model 'm' must be loaded before inference", Outcome.NOT_LOADED),
        (None, "Model not loaded", Outcome.NOT_LOADED),
    ],
)
def test_a_refusal_has_the_outcome_of_its_words(status: int | None, message: str, outcome: Outcome) -> None:
    assert failure_of(status, message)[0] is outcome


@pytest.mark.parametrize(
    ("status", "message", "remedy"),
    [
        (400, CONTEXT, "ask for at most 2017 tokens, or start a new conversation"),
        (
            None,
            "(2048 input + 1 output), which exceeds the context length of 2048 tokens",
            "the conversation alone has 2048 tokens of 2048: start a new one",
        ),
        (401, "no", "check the key: name its environment variable with --api-key-env"),
        (403, "no", "check the key: name its environment variable with --api-key-env"),
        (404, "no", "check the model id: foundry-tui models list"),
        (429, "no", "the server asks for fewer requests: wait and try again"),
        (400, "Model not loaded", "load the model first"),
        (500, "no", None),
        (None, "no", None),
    ],
)
def test_a_refusal_has_a_remedy_where_one_is_known(
    status: int | None, message: str, remedy: str | None
) -> None:
    assert failure_of(status, message)[1] == remedy


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("std::bad_alloc", "smaller variant"),
        ("Failed to read tokenizer.json", "tokenizer files"),
        ("model.onnx.data: No such file", "weights"),
        ("genai_config.json: context_length is missing", "genai_config.json is incomplete"),
        ("no idea", "download the model again"),
    ],
)
def test_a_model_that_does_not_load_has_a_remedy(reason: str, word: str) -> None:
    assert word in load_remedy(reason)


def test_a_long_word_takes_linear_time() -> None:
    ratio = _fastest_ns("x" * 16_000) / _fastest_ns("x" * 2_000)

    # Eight if linear, sixty-four if quadratic.
    assert ratio < 24


def _fastest_ns(message: str) -> int:
    def once() -> int:
        started_ns = time.process_time_ns()
        plain_reason(message)
        return max(1, time.process_time_ns() - started_ns)

    return min(once() for _ in range(3))
