"""What a model's stay in memory took: before, loaded, at most, after."""

from foundry_tui.domain.models import LoadReport
from foundry_tui.metrics.stays import Stay, StayEnd, Stays, Taken
from tests.support.machine import GIB, MIB, S, a_gpu, a_sample


def report(model_id: str = "small", *, before: int | None = 60, after: int | None = 290) -> LoadReport:
    return LoadReport(
        model_id=model_id,
        load_ns=2 * S,
        was_loaded=False,
        rss_before_bytes=None if before is None else before * MIB,
        rss_after_bytes=None if after is None else after * MIB,
    )


def loaded(stays: Stays, at_s: float, one: LoadReport) -> None:
    stays.loading(one.model_id, round(at_s * S))
    stays.loaded(one)


def newest(stays: Stays) -> Stay:
    return stays.all[-1]


def test_a_stay_has_all_five_numbers() -> None:
    stays = Stays()
    stays.take(a_sample(1, rss=60 * MIB))
    loaded(stays, 2, report())
    for at_s, rss in ((5, 290), (6, 350), (7, 300)):
        stays.take(a_sample(at_s, rss=rss * MIB))
    stays.unloaded("small", 8 * S)
    for late_s, rss in ((8.5, 280), (9, 207), (10, 210)):
        stays.take(a_sample(late_s, rss=rss * MIB))

    stay = newest(stays)

    assert stay.before.rss_bytes == 60 * MIB
    assert stay.loaded.rss_bytes == 290 * MIB
    assert stay.grown.rss_bytes == 230 * MIB
    assert stay.peak.rss_bytes == 350 * MIB
    assert stay.after == Taken(rss_bytes=207 * MIB)
    assert stay.residual.rss_bytes == 147 * MIB
    assert stay.end is StayEnd.UNLOADED


def test_memory_of_gpus_is_told_by_the_samples_before_and_after_the_load() -> None:
    stays = Stays()
    stays.take(a_sample(1, rss=1, gpus=(a_gpu(process=GIB),)))
    loaded(stays, 2, report())
    stays.take(a_sample(4, rss=1, gpus=(a_gpu(process=5 * GIB),)))
    stays.take(a_sample(5, rss=1, gpus=(a_gpu(process=6 * GIB),)))

    stay = newest(stays)

    assert stay.before.vram_bytes == GIB
    assert stay.grown.vram_bytes == 4 * GIB
    assert stay.peak.vram_bytes == 6 * GIB


def test_what_comes_long_after_an_unload_is_not_of_it() -> None:
    stays = Stays()
    loaded(stays, 1, report())
    stays.unloaded("small", 5 * S)
    stays.take(a_sample(5.5, rss=200 * MIB))
    stays.take(a_sample(20, rss=90 * MIB))

    assert newest(stays).after == Taken(rss_bytes=200 * MIB)


def test_a_load_right_after_an_unload_ends_the_look_at_what_is_left() -> None:
    stays = Stays()
    loaded(stays, 1, report())
    stays.unloaded("small", 5 * S)
    stays.take(a_sample(5.2, rss=200 * MIB))
    loaded(stays, 5.5, report("other", before=200, after=400))
    stays.take(a_sample(6, rss=100 * MIB))

    assert stays.all[0].after == Taken(rss_bytes=200 * MIB)


def test_two_models_in_memory_share_it_and_say_so() -> None:
    stays = Stays()
    loaded(stays, 1, report("one"))
    loaded(stays, 2, report("other", before=290, after=500))

    assert [stay.is_shared for stay in stays.all] == [True, True]


def test_an_engine_that_ended_leaves_nothing_behind_to_be_measured() -> None:
    stays = Stays()
    loaded(stays, 1, report())
    stays.engine_ended(4 * S)
    stays.take(a_sample(4.5, rss=55 * MIB))

    assert newest(stays).end is StayEnd.ENGINE_ENDED
    assert newest(stays).after is None
    assert newest(stays).residual == Taken()


def test_a_model_that_was_loaded_already_begins_no_second_stay() -> None:
    stays = Stays()
    loaded(stays, 1, report())
    loaded(stays, 3, LoadReport(model_id="small", load_ns=1, was_loaded=True))

    assert len(stays.all) == 1


def test_where_memory_cannot_be_read_nothing_is_made_up() -> None:
    stays = Stays()
    loaded(stays, 1, report(before=None, after=None))
    stays.take(a_sample(2))
    stays.unloaded("small", 3 * S)
    stays.take(a_sample(3.5))

    stay = newest(stays)

    assert (stay.before, stay.loaded, stay.peak) == (Taken(), Taken(), Taken())
    assert stay.residual == Taken()


def test_only_the_newest_hundred_are_kept() -> None:
    stays = Stays()
    for number in range(130):
        loaded(stays, number, report(f"m{number}"))
        stays.unloaded(f"m{number}", number * S)

    assert [stays.all[0].model_id, stays.all[-1].model_id, str(len(stays.all))] == ["m30", "m129", "100"]
