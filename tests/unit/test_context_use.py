"""How much of a context the next request takes: counted where an engine counted, else estimated."""

from foundry_tui.domain.chat import Outcome, Role, TokenUsage
from foundry_tui.domain.conversations import Turn
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.tokens import context_use

MODEL = ModelVariant(id="small:1", alias="small", catalog=CatalogKind.LOCAL, context_tokens=1000)


def said(text: str) -> Turn:
    return Turn(id=f"u{text[:5]}", parent_id=None, role=Role.USER, text=text, at_unix_ms=0)


def answered(text: str, *, prompt: int | None, completion: int | None, model_id: str = "small:1") -> Turn:
    trace = GenerationTrace(
        call_ns=None,
        sent_ns=None,
        headers_ns=None,
        role_ns=None,
        chunks=(),
        end_ns=None,
        usage=TokenUsage(prompt_tokens=prompt, completion_tokens=completion),
        outcome=Outcome.COMPLETED,
    )
    return Turn(
        id=f"a{text[:5]}",
        parent_id=None,
        role=Role.ASSISTANT,
        text=text,
        at_unix_ms=0,
        model_id=model_id,
        trace=trace,
    )


def test_a_first_prompt_is_estimated_at_three_characters_a_token_and_eight_for_its_frame() -> None:
    use = context_use((), "x" * 30, system_prompt=None, model=MODEL)

    assert use.prompt_tokens == 10 + 8
    assert use.share == 0.018
    assert use.left_tokens == 982


def test_the_system_prompt_counts_too() -> None:
    use = context_use((), "x" * 30, system_prompt="y" * 60, model=MODEL)

    assert use.prompt_tokens == 18 + 28


def test_what_the_engine_counted_is_taken_over_any_estimate() -> None:
    path = (said("x" * 3000), answered("y" * 3000, prompt=500, completion=250))

    use = context_use(path, "z" * 30, system_prompt="left out: it was counted", model=MODEL)

    assert use.prompt_tokens == 750 + 18


def test_a_count_of_another_model_is_no_count_of_this_one() -> None:
    path = (said("x" * 30), answered("y" * 60, prompt=500, completion=250, model_id="other:1"))

    use = context_use(path, "", system_prompt=None, model=MODEL)

    assert use.prompt_tokens == 18 + 28


def test_half_a_count_is_none() -> None:
    path = (said("x" * 30), answered("y" * 60, prompt=500, completion=None))

    use = context_use(path, "", system_prompt=None, model=MODEL)

    assert use.prompt_tokens == 18 + 28


def test_an_unknown_context_has_no_share_and_nothing_that_is_left() -> None:
    use = context_use((), "x", system_prompt=None, model=None)

    assert use.share is None
    assert use.left_tokens is None


def test_what_does_not_fit_leaves_nothing() -> None:
    use = context_use((), "x" * 30_000, system_prompt=None, model=MODEL)

    assert use.left_tokens == 0
    assert use.share is not None
    assert use.share > 10
