from dataclasses import replace

import pytest

from foundry_tui.domain.bench import GoodputLimits, Phase
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.goodput import LIMITS, goodput, throughput
from foundry_tui.metrics.intervals import wilson_interval
from tests.support.timed import request, trace

CHAT = LIMITS["chat"]


def test_the_limits_are_those_of_mlperf() -> None:
    assert {
        "chat": GoodputLimits(name="chat", ttft_s=2.0, per_token_s=0.2),
        "summarise": GoodputLimits(name="summarise", ttft_s=2.0, per_token_s=0.1),
        "batch": GoodputLimits(name="batch", ttft_s=None, per_token_s=None),
    } == LIMITS


def test_a_good_request_keeps_to_every_limit() -> None:
    runs = [
        request(1, trace((200.0,) * 9, ttft_ms=2000, completion=10)),
        request(2, trace((200.0,) * 9, ttft_ms=2001, completion=10)),
        request(3, trace((201.0,) * 9, ttft_ms=100, completion=10)),
        request(4, trace(outcome=Outcome.EARLY_END)),
        request(5, trace(outcome=Outcome.CANCELLED)),
        request(6, phase=Phase.WARMUP),
    ]

    found = goodput(runs, CHAT)

    assert (found.good, found.judged, found.unknown) == (1, 4, 0)
    assert found.share == 0.25
    assert found.share_interval == wilson_interval(1, 4)


def test_what_cannot_be_judged_is_neither_good_nor_bad() -> None:
    one_chunk = request(1, trace((), completion=1))
    late = request(2, trace((), ttft_ms=2500, completion=1))

    found = goodput([one_chunk, late], CHAT)

    assert (found.good, found.judged, found.unknown) == (0, 1, 1)


def test_for_a_batch_every_answer_that_ends_well_is_good() -> None:
    found = goodput([request(1, trace((), ttft_ms=60_000)), request(2)], LIMITS["batch"])

    assert (found.good, found.share) == (2, 1.0)


def test_the_rate_counts_good_requests_over_the_whole_window() -> None:
    # From 1000 ms to 1190 ms, and from 1200 ms to 1500 ms.
    runs = [
        request(1, trace(completion=10)),
        request(2, trace((), ttft_ms=300, sent_ms=1200, outcome=Outcome.TIMEOUT)),
    ]

    assert goodput(runs, CHAT).requests_per_s == pytest.approx(1 / 0.5)


def test_without_a_request_nothing_is_defined() -> None:
    found = goodput([], CHAT)

    assert (found.good, found.judged) == (0, 0)
    assert (found.share, found.share_interval, found.requests_per_s) == (None, None, None)
    assert throughput([]) is None
    assert throughput([request(1, trace(sent_ms=None))]) is None


def test_throughput_is_all_tokens_over_the_wall_time_of_all_requests() -> None:
    # Two at once, then a pause of 100 ms, then one alone: 1000–1190, 1050–1240, 1340–1530 ms.
    runs = [request(n, trace(completion=10, sent_ms=at)) for n, at in ((1, 1000), (2, 1050), (3, 1340))]

    found = throughput(runs)

    assert found is not None
    assert found.tokens == 30
    assert found.window_s == pytest.approx(0.53)
    assert found.busy_s == pytest.approx(0.43)
    assert found.tokens_per_s == pytest.approx(30 / 0.53)
    assert found.tokens_per_busy_s == pytest.approx(30 / 0.43)
    assert found.under_way == pytest.approx(0.57 / 0.43)
    assert not found.is_estimate


def test_a_request_within_another_adds_no_time() -> None:
    outer = request(1, trace((100.0,) * 9, completion=10))
    inner = [request(n, trace(sent_ms=at, completion=10)) for n, at in ((2, 1200), (3, 1600))]

    found = throughput([*inner, outer])

    assert found is not None
    assert found.busy_s == found.window_s == pytest.approx(1.0)


def test_failed_requests_take_time_and_give_no_tokens() -> None:
    runs = [request(1, trace(completion=10)), request(2, trace(sent_ms=1190, outcome=Outcome.DISCONNECTED))]

    found = throughput(runs)

    assert found is not None
    assert found.tokens == 10
    assert found.window_s == pytest.approx(0.38)


def test_throughput_of_estimated_counts_is_an_estimate() -> None:
    found = throughput([request(1, trace(completion=10)), request(2, trace(prompt=None))])

    assert found is not None
    assert (found.tokens, found.is_estimate) == (20, True)


def test_where_all_failed_there_are_no_tokens_rather_than_0() -> None:
    found = throughput([request(1, trace(outcome=Outcome.TIMEOUT))])

    assert found is not None
    assert (found.tokens, found.tokens_per_s, found.tokens_per_busy_s) == (None, None, None)


def test_lives_of_the_clock_before_and_after_a_restart_of_the_machine_are_no_common_window() -> None:
    # 190 ms of the first clock, 190 ms of the second, which begins anew a day later.
    before = request(1, trace(completion=10, sent_ms=9_000_000))
    after = replace(request(2, trace(completion=10, sent_ms=500)), at_unix_ms=before.at_unix_ms + 86_400_000)

    found = throughput([before, after])

    assert found is not None
    assert found.window_s == pytest.approx(0.38)
    assert found.busy_s == pytest.approx(0.38)
    assert found.tokens_per_s == pytest.approx(20 / 0.38)
    assert found.under_way == pytest.approx(1.0)
