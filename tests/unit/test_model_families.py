"""Which models a judge is taken to be kin to."""

import pytest

from foundry_tui.domain.model_families import families_of


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("Phi-4-mini-instruct-cuda-gpu:5", {"phi"}),
        ("phi3", {"phi"}),
        ("qwen2.5-0.5b-instruct-generic-cpu:4", {"qwen"}),
        ("Qwen/Qwen3-8B", {"qwen"}),
        ("smollm2-135m-generic-cpu:1", {"smollm"}),
        ("Meta-Llama-3.1-8B", {"llama"}),
        ("mixtral:8x7b", {"mistral"}),
        ("deepseek-r1-distill-qwen-7b-generic-gpu:3", {"deepseek", "qwen"}),
        ("gpt-oss-20b-cuda-gpu:1", {"gpt"}),
        ("graphite-phial-gptx", set()),
        ("tiny-demo-generic-cpu:1", set()),
        ("", set()),
    ],
)
def test_the_family_is_read_from_the_words_of_a_name(name: str, families: set[str]) -> None:
    assert families_of([name]) == families


def test_what_any_of_its_names_tells_counts() -> None:
    assert families_of(["my-tuned-model:1", "phi-4", "llama"]) == {"phi", "llama"}
