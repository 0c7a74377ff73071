"""Numbers as a person reads them."""

import pytest

from foundry_tui.domain.quantities import bytes_in_words, count_in_words, rate_in_words, seconds_in_words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (None, "n/a"),
        (0, "0 B"),
        (1, "1 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (1536, "1.50 KiB"),
        (10_239, "10.0 KiB"),
        (102_400, "100 KiB"),
        (1024 * 1023, "1023 KiB"),
        (1024 * 1024 - 1, "1.00 MiB"),
        (122_683_392, "117 MiB"),
        (2_802_466_161, "2.61 GiB"),
        (1024**4, "1.00 TiB"),
        (5000 * 1024**4, "5000 TiB"),
        (-1536, "-1.50 KiB"),
    ],
)
def test_bytes_have_binary_units_and_three_digits(count: int | None, words: str) -> None:
    assert bytes_in_words(count) == words


@pytest.mark.parametrize(
    ("count", "words"), [(1536, "+1.50 KiB"), (-1536, "-1.50 KiB"), (0, "+0 B"), (None, "n/a")]
)
def test_a_difference_of_bytes_carries_its_sign(count: int | None, words: str) -> None:
    assert bytes_in_words(count, sign=True) == words


@pytest.mark.parametrize(
    ("count", "words"), [(None, "n/a"), (0, "0"), (999, "999"), (131_072, "131,072"), (-1234, "-1,234")]
)
def test_counts_have_groups(count: int | None, words: str) -> None:
    assert count_in_words(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "n/a"),
        (0.0, "0.0 ms"),
        (0.0123, "12.3 ms"),
        (0.09994, "99.9 ms"),
        (0.09996, "100 ms"),
        (0.123, "123 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (1.0, "1.00 s"),
        (1.924, "1.92 s"),
        (59.99, "59.99 s"),
        (59.996, "1 min 00 s"),
        (125.0, "2 min 05 s"),
        (3599.6, "60 min 00 s"),
    ],
)
def test_seconds_are_worded_by_their_size(seconds: float | None, words: str) -> None:
    assert seconds_in_words(seconds) == words


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (None, "n/a tok/s"),
        (0.04, "0.0 tok/s"),
        (41.34, "41.3 tok/s"),
        (99.94, "99.9 tok/s"),
        (99.96, "100 tok/s"),
        (812.4, "812 tok/s"),
        (12_345.6, "12,346 tok/s"),
    ],
)
def test_rates_have_one_decimal_below_a_hundred(rate: float | None, words: str) -> None:
    assert rate_in_words(rate) == words


def test_an_estimated_rate_is_marked_and_an_unknown_one_is_not() -> None:
    assert rate_in_words(41.34, is_estimate=True) == "~41.3 tok/s"
    assert rate_in_words(None, is_estimate=True) == "n/a tok/s"
