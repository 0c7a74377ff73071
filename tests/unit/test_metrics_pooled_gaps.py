import random

import numpy as np
import pytest

from foundry_tui.metrics.gaps import GapTrack, GapUnit
from foundry_tui.metrics.pooled_gaps import pooled_gaps
from foundry_tui.metrics.trust import Withheld
from tests.support.timed import trace


def test_all_gaps_of_all_answers_are_in_one_pool() -> None:
    draw = random.Random(4)
    gaps_ms = [[draw.uniform(5, 80) for _ in range(draw.randint(1, 90))] for _ in range(12)]

    found = pooled_gaps([trace(of_one) for of_one in gaps_ms])

    everything_s = [gap / 1000 for of_one in gaps_ms for gap in of_one]
    assert found is not None
    assert found.n == len(everything_s)
    # Readings are whole nanoseconds.
    assert found.mean_s == pytest.approx(np.mean(everything_s), abs=2e-9)
    assert found.median_s == pytest.approx(np.percentile(everything_s, 50), abs=2e-9)
    assert found.p95_s == pytest.approx(np.percentile(everything_s, 95), abs=2e-9)
    assert found.p99_s == pytest.approx(np.percentile(everything_s, 99), abs=2e-9)
    assert found.min_s == pytest.approx(min(everything_s), abs=2e-9)
    assert found.max_s == pytest.approx(max(everything_s), abs=2e-9)


def test_of_one_answer_it_says_what_the_ribbon_says() -> None:
    answer = trace((10.0, 10.0, 400.0, 10.0) * 20, completion=81)
    alone = GapTrack.of(answer).summary()

    found = pooled_gaps([answer])

    assert found is not None
    assert (found.n, found.same_read, found.unit) == (alone.count, alone.same_read, alone.unit)
    assert alone.p95_ns is not None
    assert found.p95_s == pytest.approx(alone.p95_ns / 1e9)
    assert found.stalls == alone.stalls
    assert found.stalled_s == alone.stalled_ns / 1e9


@pytest.mark.parametrize(
    ("chunks", "completion", "expected"),
    [(98, 100, GapUnit.TOKEN), (97, 100, GapUnit.CHUNK), (100, 98, GapUnit.TOKEN), (100, 97, GapUnit.CHUNK)],
)
def test_a_gap_is_one_between_tokens_only_where_the_counts_agree(
    chunks: int, completion: int, expected: GapUnit
) -> None:
    found = pooled_gaps([trace((10.0,) * (chunks - 1), completion=completion)])

    assert found is not None
    assert found.unit is expected


def test_24_tokens_in_15_chunks_have_chunk_gaps() -> None:
    found = pooled_gaps([trace((10.0,) * 14, completion=24)] * 3)

    assert found is not None
    assert found.unit is GapUnit.CHUNK


def test_the_ratio_is_that_of_the_pool() -> None:
    found = pooled_gaps([trace((10.0,) * 99, completion=100), trace((10.0,) * 2, completion=4)])

    # 103 chunks, 104 tokens.
    assert found is not None
    assert found.unit is GapUnit.TOKEN


def test_one_answer_without_a_reported_count_makes_all_gaps_chunk_gaps() -> None:
    found = pooled_gaps([trace(completion=10), trace(prompt=None, completion=None)])

    assert found is not None
    assert found.tokens is None
    assert found.unit is GapUnit.CHUNK


def test_above_one_percent_merged_reads_percentiles_are_withheld_and_the_mean_stays() -> None:
    # 100 pairs each; one and two of them in one read.
    just = pooled_gaps([trace((10.0,) * 99 + (0.0,))])
    above = pooled_gaps([trace((10.0,) * 98 + (0.0, 0.0))])

    assert just is not None
    assert just.merged_share == 0.01
    assert just.withheld == ()
    assert just.median_s == 0.01
    assert above is not None
    assert above.withheld == (Withheld.MERGED_READS,)
    assert (above.median_s, above.p95_s, above.p99_s) == (None,) * 3
    assert not above.p95_supported
    assert (above.n, above.same_read, above.min_s, above.max_s) == (100, 2, 0, 0.01)
    assert above.mean_s == pytest.approx(0.0098)


def test_a_late_clock_of_one_request_withholds_the_percentiles_of_all() -> None:
    just = pooled_gaps([trace(delay_ms=5), trace(delay_ms=None)])
    above = pooled_gaps([trace(delay_ms=0.1), trace(delay_ms=5.1)])

    assert just is not None
    assert (just.withheld, just.delay_p99_ns) == ((), 5_000_000)
    assert above is not None
    assert above.withheld == (Withheld.LATE_CLOCK,)
    assert above.delay_p99_ns == 5_100_000
    assert (above.median_s, above.p95_s, above.p99_s) == (None,) * 3
    assert above.mean_s == pytest.approx(0.01)


def test_an_unknown_delay_stays_unknown() -> None:
    found = pooled_gaps([trace()])

    assert found is not None
    assert found.delay_p99_ns is None


def test_a_stall_is_judged_by_its_own_answer() -> None:
    # 300 ms is a stall beside gaps of 10 ms, and none beside gaps of 200 ms.
    found = pooled_gaps([trace((10.0, 10.0, 300.0)), trace((200.0, 200.0, 300.0))])

    assert found is not None
    assert found.stalls == 1
    assert found.stalled_s == 0.3


@pytest.mark.parametrize(("n", "p95", "p99"), [(58, False, False), (59, True, False), (299, True, True)])
def test_percentiles_are_supported_from_their_own_n_on(n: int, p95: bool, p99: bool) -> None:
    found = pooled_gaps([trace((10.0,) * n)])

    assert found is not None
    assert (found.p95_supported, found.p99_supported) == (p95, p99)


def test_answers_of_one_chunk_have_no_gaps() -> None:
    assert pooled_gaps([]) is None
    assert pooled_gaps([trace(()), trace((), has_text=False)]) is None


def test_of_an_answer_in_one_read_the_gaps_are_zero_and_no_percentile_is_told() -> None:
    found = pooled_gaps([trace((0.0, 0.0))])

    assert found is not None
    assert (found.n, found.same_read, found.withheld) == (2, 2, (Withheld.MERGED_READS,))
    assert (found.mean_s, found.median_s, found.min_s, found.max_s) == (0, None, 0, 0)
