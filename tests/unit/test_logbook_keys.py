"""Keys and secrets are hidden in whatever is logged, by their form or because they were given."""

import time

import pytest

from foundry_tui.services.logbook import redact

KEY = "Xy7-abcd/efgh+1234"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {KEY}",
        f"authorization: Basic {KEY}==",
        f'{{"Authorization": "Bearer {KEY}"}}',
        f"{{'authorization': 'Bearer {KEY}'}}",
        f"(b'Authorization', b'Bearer {KEY}')",
        f'"{{\\"Authorization\\": \\"Bearer {KEY}\\"}}"',
        f"Proxy-Authorization: Digest user, response={KEY}",
        f"X-Api-Key: {KEY}",
        f"api_key={KEY}",
        f"api-key = '{KEY}'",
        f'api_key="{KEY}',
        f"ApiKey: {KEY}",
        f"AsyncOpenAI(api_key={KEY!r}, max_retries=0)",
        f"https://host/v1?token={KEY}&x=1",
        f"token={KEY}",
        f'{{"token": "{KEY}"}}',
        f"access_token: {KEY}",
        f"HF_TOKEN={KEY}",
        f"password={KEY}",
        f"client_secret: {KEY}",
        f"it sent Bearer {KEY}.",
        f"http://user:{KEY.replace('/', '')}@host/v1",
        f"https://blob/x?sv=1&sig={KEY}&se=2",
    ],
)
def test_a_key_is_hidden_by_the_form_it_stands_in(text: str) -> None:
    shown = redact(text)

    assert "[hidden]" in shown
    for part in ("Xy7-abcd", "efgh+1234"):
        assert part not in shown


def test_a_key_that_was_given_is_hidden_wherever_it_stands() -> None:
    text = f"sent {KEY} and x{KEY}y and /v1/Xy7-abcd%2Fefgh%2B1234/z"

    assert redact(text, [KEY]) == "sent [hidden] and x[hidden]y and /v1/[hidden]/z"


def test_a_short_key_is_hidden_as_a_word_only() -> None:
    assert redact("the key abc in an abcde", ["abc", ""]) == "the key [hidden] in an abcde"


@pytest.mark.parametrize(
    "text",
    [
        "the first token: 12 ms, 50 tokens=2.5 s",
        "32 prompt tokens, 7 output tokens: done",
        "--api-key-env NAME, the name of an environment variable",
        "the endpoint holds a user name or password",
        "http://127.0.0.1:5273/v1 does not answer",
        "it asks for authorization, we have none",
        "bearer of bad news",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "piece",
    ["api_key=", "Authorization: ", "token", "://", "://x", "bearer ", "\\", '"', "'a", "&key=", "sk-", "x"],
)
def test_hiding_keys_takes_time_in_proportion_to_the_text(piece: str) -> None:
    def took_ns(length: int) -> int:
        text = piece * (length // len(piece))
        began_ns = time.process_time_ns()
        redact(text)
        return time.process_time_ns() - began_ns + 1

    # Eight if linear, sixty-four if quadratic.
    assert min(took_ns(160_000) for _ in range(3)) < 30 * max(min(took_ns(20_000) for _ in range(3)), 100_000)
