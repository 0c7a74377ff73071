"""The history of a model, and what people write to runs, over the list of runs."""

from dataclasses import replace
from typing import TypeVar

from foundry_tui.domain.bench import RunStatus
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.tui.screens.bench.history import HistoryScreen
from foundry_tui.tui.screens.bench.runs import RunsScreen
from foundry_tui.tui.screens.tagging import LineScreen, TagsScreen
from tests.support.memory_runs import MemoryRuns
from tests.tui.benched import QWEN, SMOLLM, answers, benched, ended, running
from tests.tui.overlay_host import NARROW, WIDE, Opened, opened

T = TypeVar("T")


async def kept(store: MemoryRuns, run_id: str, runtime: str, *, gap_ms: float = 20.0) -> None:
    """A run of both models, a day after the last one."""
    requests = [*answers(QWEN, 8, gap_ms=gap_ms), *answers(SMOLLM, 8, first=2)]
    state = ended(running(*requests), RunStatus.COMPLETED)
    started = 1_767_355_200_000 + len(store.kept) * 86_400_000
    run = replace(
        state.run,
        id=run_id,
        environment=(("onnxruntime", runtime),),
        started_unix_ms=started,
        name=f"run {run_id}",
    )
    await store.import_run(run, requests)


def text(user: Opened[T]) -> str:
    return "\n".join(user.lines())


async def test_a_history_has_a_chart_a_table_and_what_changed_since_the_run_before() -> None:
    store = MemoryRuns()
    await kept(store, "aaaa1111", "1.22")
    await kept(store, "bbbb2222", "1.23", gap_ms=40.0)
    screen = HistoryScreen(store, [QWEN.partition(":")[0]])

    async with opened(screen, size=WIDE) as user:
        await user.until(lambda: len(screen.table.rows) == 2)
        await user.pilot.pause()  # the answer to the last event is drawn
        shown = text(user)

        assert "History of qwen2.5-0.5b-instruct-generic-cpu: decode rate" in shown
        assert "onnxruntime 1.23, model 4" in shown
        assert "├" in shown
        assert "version of onnxruntime 1.22 → 1.23; bbbb2222 is slower than aaaa1111 by 42.7 %" in shown

        await user.pilot.press("home")
        await user.until(lambda: "The first run of it" in text(user))
        await user.pilot.press("m")
        await user.until(lambda: "time to first token" in text(user))
        assert "The first run of it" in text(user)  # the cursor stays where it was


async def test_the_other_models_of_the_run_are_a_key_away() -> None:
    store = MemoryRuns()
    await kept(store, "aaaa1111", "1.22")
    screen = HistoryScreen(store, ["qwen2.5-0.5b-instruct-generic-cpu", SMOLLM, "nowhere"])

    async with opened(screen, size=NARROW) as user:
        await user.until(lambda: len(screen.table.rows) == 1)
        await user.pilot.press("o")
        await user.until(lambda: "History of smollm2-360m" in text(user))
        await user.pilot.press("o")
        await user.until(lambda: "No run has measured it." in text(user))


async def test_a_store_that_cannot_be_read_is_told_of_in_the_place_of_the_runs() -> None:
    store = MemoryRuns(unreadable=StorageProblem("the database is damaged"))
    screen = HistoryScreen(store, [QWEN])

    async with opened(screen, size=NARROW) as user:
        await user.until(lambda: "the database is damaged" in text(user))

        assert screen.table.rows == ()


async def test_a_run_is_tagged_noted_and_renamed_from_the_list() -> None:
    async with benched() as place:
        await kept(place.runs, "aaaa1111", "1.22")
        screen = RunsScreen(place.bench, choose=place.choices.append)
        async with opened(screen, size=WIDE) as user:
            await user.until(lambda: len(screen.table.rows) == 1)

            async def write(key: str, over: type[LineScreen | TagsScreen], words: str) -> None:
                await user.pilot.press(key)
                await user.until(lambda: isinstance(user.app.screen, over))
                await user.pilot.press("ctrl+u", *words, "enter")
                await user.until(lambda: user.app.screen is screen)

            await write("t", TagsScreen, "ci,x")
            await user.until(lambda: "tags: ci, x" in text(user))
            await write("n", LineScreen, "why")
            await write("m", LineScreen, "new")
            await user.until(lambda: "▌new " in text(user))

        run = place.runs.kept["aaaa1111"]
        assert (run.name, run.note, run.tags) == ("new", "why", ("ci", "x"))


async def test_an_empty_note_removes_it_and_escape_leaves_it() -> None:
    async with benched() as place:
        await kept(place.runs, "aaaa1111", "1.22")
        await place.runs.describe_run("aaaa1111", name="n", note="old", tags=())
        screen = RunsScreen(place.bench, choose=place.choices.append)
        async with opened(screen, size=WIDE) as user:
            await user.until(lambda: len(screen.table.rows) == 1)
            await user.pilot.press("n")
            await user.until(lambda: isinstance(user.app.screen, LineScreen))
            await user.pilot.press("escape")
            await user.until(lambda: user.app.screen is screen)
            left = place.runs.kept["aaaa1111"].note

            await user.pilot.press("n")
            await user.until(lambda: isinstance(user.app.screen, LineScreen))
            await user.pilot.press("ctrl+u", "enter")
            await user.until(lambda: place.runs.kept["aaaa1111"].note == "")

        assert left == "old"


async def test_the_list_opens_the_history_of_the_run_under_the_cursor() -> None:
    async with benched() as place:
        await kept(place.runs, "aaaa1111", "1.22")
        screen = RunsScreen(place.bench, choose=place.choices.append)
        async with opened(screen, size=WIDE) as user:
            await user.until(lambda: len(screen.table.rows) == 1)

            await user.pilot.press("h")

            await user.until(lambda: isinstance(user.app.screen, HistoryScreen))
            await user.until(lambda: "n=" in text(user) or "aaaa1111" in text(user))
