"""What a restart would give back, reckoned so that it is never more than that."""

from collections.abc import Sequence

import pytest

from foundry_tui.domain.models import LoadReport
from foundry_tui.metrics.holding import Held, Holding
from foundry_tui.metrics.residual import MemoryKind
from foundry_tui.metrics.stays import Stays, Taken
from foundry_tui.reports.reclaim import held_words, reclaimed_words
from tests.support.machine import GIB, MIB, S, a_gpu, a_sample


class Process:
    """An engine's process, moved from level to level of resident memory, in MiB."""

    def __init__(self, bare: int = 60) -> None:
        self.stays = Stays()
        self._at_s = 0.0
        self._level = bare
        self.read(bare)

    def read(self, *levels: int) -> None:
        for self._level in levels:
            self._at_s += 0.5
            self.stays.take(a_sample(self._at_s, rss=self._level * MIB))

    def load(self, model_id: str, after: int | None, *, was_loaded: bool = False) -> None:
        self.stays.loading(model_id, round(self._at_s * S))
        self.stays.loaded(
            LoadReport(
                model_id=model_id,
                load_ns=S,
                was_loaded=was_loaded,
                rss_before_bytes=self._level * MIB,
                rss_after_bytes=None if after is None else after * MIB,
            )
        )
        if after is not None:
            self.read(after)

    def unload(self, model_id: str, *levels: int) -> None:
        self.stays.unloaded(model_id, round(self._at_s * S))
        self.read(*levels)

    def restart(self, bare: int = 60) -> None:
        self.stays.engine_ended(round(self._at_s * S))
        self.read(bare)

    @property
    def held(self) -> Held:
        (held,) = self.stays.holding.kinds
        return held

    @property
    def range_mib(self) -> list[float]:
        """What is surely held, and at most."""
        return [self.held.least_bytes / MIB, self.held.most_bytes / MIB]


def test_of_one_model_it_is_what_is_left_above_the_process_without_any() -> None:
    process = Process(bare=60)
    process.load("a", 560)
    process.read(600)
    process.unload("a", 300, 260, 260)

    assert process.range_mib == [200, 200]
    assert process.stays.holding.model_ids == ("a",)
    assert process.held.is_held
    assert process.held.is_sure


def test_residuals_of_models_that_came_one_after_the_other_are_not_added_up() -> None:
    process = Process(bare=60)
    process.load("a", 560)
    process.unload("a", 260)
    process.load("b", 570)
    process.unload("b", 280)

    first, second = process.stays.all
    assert (first.residual.rss_bytes, second.residual.rss_bytes) == (200 * MIB, 20 * MIB)
    assert process.range_mib == [220, 220]


def test_a_model_that_was_loaded_again_uses_what_it_had_left_and_nothing_is_promised() -> None:
    process = Process(bare=97)
    process.load("a", 335)
    process.unload("a", 254)
    process.load("a", 337)  # 83 in place of 238: measured of SmolLM2 on runtime 2.2.1

    assert process.range_mib == [2, 2]
    assert not process.held.is_held
    assert process.stays.holding.model_ids == ()


def test_what_the_models_in_memory_took_of_a_new_process_is_not_promised() -> None:
    process = Process(bare=60)
    process.load("a", 160)
    process.load("b", 560)
    process.unload("b", 360)

    assert process.range_mib == [200, 200]


def test_a_model_that_was_not_the_first_may_need_more_of_a_new_process_than_it_took() -> None:
    process = Process(bare=60)
    process.load("a", 560)
    process.load("b", 570)  # 10 above what a has brought, which it may share
    process.unload("a", 300)

    assert process.range_mib == [0, 230]
    assert process.held.is_held
    assert not process.held.is_sure


def test_once_it_was_the_first_of_a_process_its_need_is_known() -> None:
    process = Process(bare=60)
    process.load("b", 90)
    process.restart(bare=60)
    process.load("a", 560)
    process.load("b", 570)
    process.unload("a", 300)

    assert process.range_mib == [210, 210]


def test_what_grows_after_the_unload_belongs_to_those_that_are_loaded() -> None:
    process = Process(bare=60)
    process.load("a", 160)
    process.load("b", 560)
    process.unload("b", 360)
    process.read(800, 700)

    assert process.range_mib == [200, 200]


def test_what_is_given_back_later_is_no_longer_promised() -> None:
    process = Process(bare=60)
    process.load("a", 560)
    process.unload("a", 260)
    process.read(*[260] * 20, 100, 100)

    assert process.range_mib == [40, 40]


def test_a_new_process_holds_nothing_of_the_old_one() -> None:
    process = Process()
    process.load("a", 560)
    process.unload("a", 260)
    process.restart()

    assert process.stays.holding == Holding()


def test_before_it_was_read_nothing_is_told() -> None:
    process = Process()
    process.load("a", 560)
    process.unload("a")

    assert process.stays.holding == Holding(model_ids=("a",), was_unloaded=True, kinds=())


def test_where_it_is_not_known_what_a_loaded_model_took_nothing_is_told() -> None:
    process = Process()
    process.load("a", 560)
    process.load("found there", None, was_loaded=True)
    process.unload("a", 260)

    assert process.stays.holding.kinds == ()


def test_where_the_level_before_the_first_load_is_not_known_nothing_is_told() -> None:
    process = Process()
    process.load("found there", 560, was_loaded=True)
    process.load("a", 700)
    process.unload("a", 600)

    assert process.stays.holding.kinds == ()


def test_a_restart_is_not_judged_by_memory_of_gpus_that_the_old_process_had() -> None:
    stays = Stays()
    stays.take(a_sample(1, rss=60 * MIB, gpus=(a_gpu(process=0),)))
    for begun_s, is_again in ((2, False), (12, True)):
        stays.loading("a", begun_s * S)
        if is_again:
            stays.take(a_sample(begun_s + 0.2, rss=60 * MIB, gpus=(a_gpu(process=0),)))
        stays.loaded(
            LoadReport(
                model_id="a",
                load_ns=S,
                was_loaded=False,
                rss_before_bytes=60 * MIB,
                rss_after_bytes=90 * MIB,
            )
        )
        stays.take(a_sample(begun_s + 1, rss=90 * MIB, gpus=(a_gpu(process=4 * GIB),)))
        stays.unloaded("a", (begun_s + 2) * S)
        stays.take(a_sample(begun_s + 3, rss=60 * MIB, gpus=(a_gpu(process=3 * GIB),)))
        (held,) = stays.holding.held
        assert (held.kind, held.least_bytes) == (MemoryKind.VRAM, 3 * GIB)
        stays.engine_ended((begun_s + 4) * S)

    assert [stay.before.vram_bytes for stay in stays.all] == [0, 0]


def words(process: Process) -> str:
    return held_words(process.stays.holding, "r restarts the host")


def test_words_name_the_model_the_amount_and_the_remedy() -> None:
    process = Process()
    assert words(process) == (
        "no model was unloaded since the host started: nothing is held beyond what is loaded"
    )
    process.load("qwen", 560)
    process.unload("qwen")
    assert words(process) == "qwen unloaded; what is still held is not known"
    process.read(260)
    assert words(process) == (
        "qwen unloaded, not freed: 200 MiB of RAM still held · r restarts the host and takes it back"
    )
    process.read(64)
    assert words(process) == "qwen unloaded and freed: nothing is held beyond 4.00 MiB of RAM"
    process.read(60)
    assert words(process) == "qwen unloaded and freed: nothing is held"


@pytest.mark.parametrize(
    ("models", "who"), [("ab", "a and b"), ("abc", "3 models"), (["\x1b]8;;x\x07[b]"], "␛]8;;x␇[b]")]
)
def test_words_name_two_models_count_more_and_make_names_harmless(models: Sequence[str], who: str) -> None:
    process = Process()
    for model_id in models:
        process.load(model_id, 560)
        process.unload(model_id, 260)

    assert words(process).startswith(f"{who} unloaded, not freed: ")


def test_words_give_a_range_where_it_is_one() -> None:
    process = Process(bare=60)
    process.load("a", 560)
    process.load("b", 570)
    process.unload("a", 300)

    assert words(process).startswith("a unloaded, not freed: up to 230 MiB of RAM still held")


@pytest.mark.parametrize(
    ("before", "after", "loaded", "said"),
    [
        (
            Taken(rss_bytes=812 * MIB),
            Taken(rss_bytes=431 * MIB),
            2,
            "the host held 812 MiB, now 431 MiB: 381 MiB back (2 models loaded again)",
        ),
        (
            Taken(rss_bytes=400 * MIB, vram_bytes=5 * GIB),
            Taken(rss_bytes=400 * MIB, vram_bytes=4 * GIB),
            1,
            "the host held 400 MiB, now 400 MiB: nothing back; GPU memory 5.00 GiB, now 4.00 GiB: 1.00 GiB"
            " back (1 model loaded again)",
        ),
        (
            Taken(rss_bytes=300 * MIB, vram_bytes=0),
            Taken(rss_bytes=310 * MIB, vram_bytes=0),
            0,
            "the host held 300 MiB, now 310 MiB: nothing back, 10.0 MiB more (no model was loaded)",
        ),
    ],
)
def test_words_of_a_restart_have_only_what_was_read(
    before: Taken, after: Taken, loaded: int, said: str
) -> None:
    assert reclaimed_words(before, after, loaded) == said
