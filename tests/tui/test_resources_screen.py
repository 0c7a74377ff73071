"""The resources as they are used: what is told when, and what is not drawn."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from foundry_tui.domain.engine import EngineDead, EngineIdle, EngineReady
from foundry_tui.domain.errors import EngineBusy, NotSupported
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.tui.screens.help import HelpScreen
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.screens.resources import ResourcesScreen
from foundry_tui.tui.widgets.resource_strip import ResourceStrip
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.time_plot import TimePlot
from tests.support.machine import GIB, MIB, a_gpu, a_sample
from tests.tui.harness import NARROW, WIDE, driven
from tests.tui.machine_screens import BEGIN_S, INFO, Machine, busy_session
from tests.tui.overlay_host import Opened, opened

MODEL = "smollm2-360m-instruct-cuda-gpu:1"


@asynccontextmanager
async def shown(
    machine: Machine, *, size: tuple[int, int] = WIDE, is_plain: bool = False
) -> AsyncGenerator[Opened[None], None]:
    """The screen, drawn once."""
    async with opened(machine.screen(is_plain=is_plain), size=size) as user:
        await user.until(lambda: bool(machine.waited_s))
        await user.pilot.pause()  # what was drawn is painted
        yield user


async def drawn(user: Opened[None], machine: Machine) -> None:
    """Let the screen draw once more."""
    count = len(machine.waited_s)
    machine.turn.set()
    await user.until(lambda: len(machine.waited_s) > count)
    await user.pilot.pause()  # what was drawn is painted


async def test_it_opens_by_5_and_by_alt_5_and_says_what_is_missing_and_why() -> None:
    async with driven(size=NARROW) as user:
        await user.up()
        await user.pilot.press("5")
        await user.until(lambda: isinstance(user.app.screen, ResourcesScreen))
        await user.until(lambda: user.shows("VRAM, engine VRAM, GPU load, GPU power: n/a, no driver"))

        assert user.shows("No model was loaded so far.")

        await user.pilot.press("escape", "alt+5")
        assert isinstance(user.app.screen, ResourcesScreen)


async def test_what_happened_before_it_was_opened_stands_on_it() -> None:
    async with driven(size=NARROW) as user:
        await user.up()
        await user.pilot.press("l")
        await user.until(lambda: bool(user.client.load_reports) and not user.client.jobs.value)
        await user.pilot.press("5")
        await user.until(lambda: user.shows("in memory"))
        await user.pilot.press("v")
        await user.until(lambda: user.shows("engine started"))

        assert user.shows(f"loaded {next(iter(user.client.load_reports))} in 10.0 ms")


async def test_each_number_of_a_stay_has_its_column() -> None:
    machine = Machine()
    await busy_session(machine)
    async with shown(machine) as user:
        line = next(line for line in user.lines() if "smollm2" in line and "MiB" in line)
        of_gpu = next(line for line in user.lines() if "GPU memory" in line)

        assert line.split()[2:] == [
            *("100", "ms", "60.0", "MiB", "290", "MiB", "+230", "MiB"),
            *("320", "MiB", "207", "MiB", "+147", "MiB", "│"),
        ]
        assert of_gpu.split()[3:] == [
            *("0", "B", "4.00", "GiB", "+4.00", "GiB", "5.00", "GiB", "0", "B", "+0", "B", "│"),
        ]


async def test_memory_is_told_apart_by_whose_it_is() -> None:
    machine = Machine()
    machine.read(a_sample(BEGIN_S, used=3 * GIB, rss=GIB, gpus=(a_gpu(used=6 * GIB, process=5 * GIB),)))
    async with shown(machine) as user:
        assert user.shows("RAM 3.00 GiB of 8.00 GiB: engine 1.00 GiB, others 2.00 GiB")
        assert user.shows("VRAM 6.00 GiB of 24.0 GiB: engine 5.00 GiB, others 1.00 GiB")


async def test_before_the_first_reading_it_says_so() -> None:
    async with shown(Machine(), size=NARROW) as user:
        assert user.shows("The machine is being read")


async def test_an_engine_elsewhere_is_said_not_to_be_measurable() -> None:
    machine = Machine(state=EngineReady(replace(INFO, capabilities=(), pid=None)))
    machine.read(a_sample(BEGIN_S))
    async with shown(machine) as user:
        assert user.shows(
            "engine RAM: n/a, the engine at http://127.0.0.1:5273 is not measurable from here; the machine"
            " shown is this"
        )


async def test_an_engine_that_is_not_up_is_the_reason_of_what_is_missing() -> None:
    machine = Machine(state=EngineIdle())
    machine.read(a_sample(BEGIN_S))
    async with shown(machine, size=NARROW) as user:
        assert user.shows("engine RAM: n/a, the engine is not up yet")
        machine.state = EngineDead("killed")
        await drawn(user, machine)
        assert user.shows("engine RAM: n/a, the engine is down")


async def test_troubles_of_the_sampler_and_of_a_gpu_have_a_line() -> None:
    machine = Machine()
    trouble = "what reads disk and sensors has not answered for 12 s"
    machine.read(a_sample(BEGIN_S, troubles=(trouble,)))
    async with shown(machine, size=NARROW) as user:
        assert user.shows(f"! {trouble}")
        machine.read(a_sample(BEGIN_S + 1))
        await drawn(user, machine)
        assert not user.shows("has not answered")


async def test_it_draws_twice_a_second_and_once_while_a_benchmark_measures() -> None:
    machine = Machine()
    async with shown(machine, size=NARROW) as user:
        await drawn(user, machine)
        machine.is_measuring = True
        await drawn(user, machine)

        assert machine.waited_s[-2:] == [0.5, 1.0]


async def test_nothing_is_drawn_while_it_is_hidden_and_all_again_when_it_is_not() -> None:
    machine = Machine()
    machine.read(a_sample(BEGIN_S, used=2 * GIB))
    async with shown(machine, size=NARROW) as user:
        user.app.push_screen(HelpScreen(()))
        await user.until(lambda: isinstance(user.app.screen, HelpScreen))
        count = len(machine.waited_s)
        machine.read(a_sample(BEGIN_S + 1, used=3 * GIB))
        machine.turn.set()
        await user.pilot.pause()  # it could draw now

        assert len(machine.waited_s) == count

        await user.pilot.press("escape")
        await user.until(lambda: len(machine.waited_s) > count)
        await drawn(user, machine)
        assert user.shows("RAM 3.00 GiB")


async def test_below_a_question_it_goes_on() -> None:
    machine = Machine()
    async with shown(machine, size=NARROW) as user:
        user.app.push_screen(ConfirmScreen("Really?", "Yes"))
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))

        await drawn(user, machine)


async def test_paused_it_stands_still_while_the_readings_go_on() -> None:
    machine = Machine()
    machine.read(a_sample(BEGIN_S, used=2 * GIB))
    async with shown(machine, size=NARROW) as user:
        await user.pilot.press("space")
        machine.read(a_sample(BEGIN_S + 9, used=5 * GIB))
        machine.turn.set()
        await user.pilot.press("v")  # what is drawn for a key is of the same moment

        assert user.shows("paused at 14h30:00")
        assert user.shows("RAM 2.00 GiB")

        await user.pilot.press("space")
        assert user.shows("RAM 5.00 GiB")
        assert user.shows("1 min, as it goes")


async def test_zoom_goes_from_fifteen_seconds_to_all_of_the_session() -> None:
    machine = Machine()
    machine.read(a_sample(BEGIN_S))
    async with shown(machine, size=NARROW) as user:
        said = []
        for key in ("plus", "plus", "minus", "minus", "minus", "minus", "minus"):
            await user.pilot.press(key)
            said.append(
                next(line for line in user.lines() if "as it goes" in line).strip("│ ").partition(",")[0]
            )

        assert said == ["15 s", "15 s", "1 min", "5 min", "30 min", *["all of the session"] * 2]


async def test_an_arrow_pauses_and_tells_the_values_of_that_moment() -> None:
    machine = Machine()
    for second in range(120):
        machine.read(a_sample(BEGIN_S + second / 2, rss=(second + 1) * MIB))
    async with shown(machine) as user:
        await user.pilot.press(*["left"] * 3)

        assert user.shows("values of 14h30:")
        then = next(line for line in user.lines() if " engine" in line and " at " in line)
        value = int(then.split(" at ")[1].split()[0])
        assert 110 <= value < 120


async def test_looking_further_back_than_the_edge_moves_the_stretch() -> None:
    machine = Machine()
    for second in range(600):
        machine.read(a_sample(BEGIN_S + second, rss=(second + 1) * MIB))
    async with shown(machine) as user:
        await user.pilot.press(*["shift+left"] * 12)

        assert not any("-0:10" in line and "time ago" in line for line in user.lines())
        await user.pilot.press(*["shift+right"] * 14)
        assert any("-0:10" in line and "time ago" in line for line in user.lines())


async def test_n_goes_from_event_to_event_and_says_what_it_was() -> None:
    machine = Machine()
    await busy_session(machine)
    async with shown(machine) as user:
        await user.pilot.press("N")
        assert user.shows(f"unloaded {MODEL}")
        await user.pilot.press("N")
        assert user.shows(f"answered by {MODEL}")
        await user.pilot.press("n")
        assert user.shows(f"unloaded {MODEL}")


async def test_a_row_of_the_events_leads_to_its_moment() -> None:
    machine = Machine()
    await busy_session(machine)
    async with shown(machine) as user:
        await user.pilot.press("v", "end", "enter")

        assert user.app.screen.query_one(RowTable).cursor_key is not None
        assert user.shows("values of 14h30:00")
        assert user.shows("engine started in 1.20 s")


async def test_on_a_plain_screen_all_is_ascii() -> None:
    machine = Machine()
    await busy_session(machine)
    async with shown(machine, size=NARROW, is_plain=True) as user:
        plot = user.app.screen.query_one(TimePlot)

        assert all(plot.render_line(y).text.isascii() for y in range(plot.size.height))


def reads(user: Opened[None], text: str) -> bool:
    """Whether ``text`` stands on the screen, be it wrapped."""
    return text in " ".join(" ".join(line.strip("│ ▎┃▊▌▐") for line in user.lines()).split())


HELD = f"{MODEL} unloaded, not freed: 147 MiB of RAM still held"
CAME_BACK = "the host held 207 MiB, now 60.0 MiB: 147 MiB back (no model was loaded)"


async def test_what_an_unloaded_model_has_left_is_told_with_the_key_that_takes_it_back() -> None:
    machine = Machine()
    await busy_session(machine)
    async with shown(machine) as user:
        assert reads(user, f"{HELD} · r restarts the host and takes it back")

        machine.restarting = asyncio.Event()
        await user.pilot.press("r", "r")
        assert user.shows("the host is being restarted")
        assert machine.restarts == 1
        machine.restarting.set()
        await user.until(lambda: user.shows(CAME_BACK))

        assert not reads(user, HELD)
        assert user.told == []


async def test_a_restart_goes_on_where_the_resources_are_left_meanwhile() -> None:
    machine = Machine(restarting=asyncio.Event())
    await busy_session(machine)
    async with shown(machine) as user:
        await user.pilot.press("r")
        await user.until(lambda: machine.restarts == 1)
        await user.pilot.press("escape")
        assert user.results == [None]
        assert machine.restarting is not None
        machine.restarting.set()

        await user.until(lambda: user.told == [f"T{CAME_BACK[1:]}."])


async def test_while_somebody_uses_the_engine_the_key_says_who_and_offers_it_still() -> None:
    machine = Machine(reclaimed=EngineBusy("the engine is in use: chat with small", remedy="wait"))
    await busy_session(machine)
    async with shown(machine) as user:
        await user.pilot.press("r")
        await user.until(lambda: bool(user.told))

        assert user.told == ["It did not work\nthe engine is in use: chat with small\n→ wait"]
        assert user.shows(f"{MODEL} unloaded, not freed")


async def test_in_the_app_an_answer_goes_on_and_after_it_the_host_is_restarted() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        user.engine.gate = asyncio.Event()
        await user.send("hi")
        await user.until(lambda: user.engine.open_streams == 1)

        await user.pilot.press("alt+5", "r")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))
        await user.pilot.press("shift+tab", "enter")
        await user.until(lambda: f"in use: chat with {SCRIPTED_MODEL_ID}" in user.words_told)
        assert (user.engine.starts, user.engine.open_streams) == (1, 1)

        user.engine.gate.set()
        await user.until(lambda: user.engine.open_streams == 0)
        await user.pilot.press("r")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))
        await user.pilot.press("shift+tab", "enter")
        await user.until(lambda: user.shows("the host was restarted, and what"))

        assert user.engine.starts == 2


async def test_where_the_engine_is_not_ours_nothing_is_offered_and_the_key_says_why() -> None:
    machine = Machine(obstacle=NotSupported("the engine is none of this app's own processes"))
    await busy_session(machine)
    async with shown(machine) as user:
        assert not user.shows("still held")

        await user.pilot.press("r")
        await user.until(lambda: bool(user.told))

        assert user.told == ["It did not work\nthe engine is none of this app's own processes"]
        assert machine.restarts == 0


async def test_where_nothing_is_held_the_key_asks_first() -> None:
    machine = Machine()
    machine.read(a_sample(BEGIN_S))
    async with shown(machine) as user:
        await user.pilot.press("r")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))
        assert reads(user, "nothing is held beyond what is loaded")
        await user.pilot.press("enter")  # the harmless answer has the focus
        await user.until(lambda: isinstance(user.app.screen, ResourcesScreen))
        assert machine.restarts == 0

        await user.pilot.press("r")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))
        await user.pilot.press("shift+tab", "enter")
        await user.until(lambda: user.shows(CAME_BACK))


async def test_a_model_that_was_freed_is_told_to_be() -> None:
    machine = Machine()
    machine.read(a_sample(BEGIN_S, rss=60 * MIB))
    machine.load("small", before=60 * MIB, after=290 * MIB)
    machine.chronicle.unloaded("small")
    machine.read(a_sample(machine.now_s + 1, rss=63 * MIB))
    async with shown(machine, size=NARROW) as user:
        assert user.shows("small unloaded and freed: nothing is held beyond 3.00 MiB of RAM")


async def test_hostile_names_are_harmless() -> None:
    machine = Machine()
    hostile = "\x1b]8;;http://evil\x07[bold]x[/]\u202e"
    machine.read(
        a_sample(BEGIN_S, troubles=(hostile,), gpus=(a_gpu(name=hostile, throttles=None),), absence=hostile)
    )
    machine.load(hostile, before=1, after=2)
    machine.read(a_sample(machine.now_s + 1, absence=hostile))
    async with shown(machine) as user:
        await user.pilot.press("v")
        text = "\n".join(user.lines())

        assert "[bold]x[/]" in text
        assert "\x1b" not in text
        assert "\u202e" not in text


async def test_while_it_is_open_what_it_covers_is_not_painted() -> None:
    async with driven(size=NARROW) as user:
        await user.up()
        strip = user.workspace.query_one(ResourceStrip)
        await user.pilot.press("alt+5")
        await user.until(lambda: isinstance(user.app.screen, ResourcesScreen))
        strip.parts = ()
        user.workspace.show_resources()

        assert strip.parts == ()

        await user.pilot.press("escape")
        user.workspace.show_resources()
        assert strip.parts != ()
