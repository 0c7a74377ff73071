"""What the plot of the machine has lines of, and how they are called."""

from foundry_tui.metrics.machine_history import MachineHistory, Series, reading_of
from foundry_tui.tui.screens.resources_picture import Stretch, lines_of, picture
from tests.support.machine import S, a_gpu, a_sample


def test_each_power_has_a_line_that_names_its_scope_and_tells_watts() -> None:
    history = MachineHistory()
    for tick in range(5):
        history.take(
            reading_of(a_sample(10 + tick / 2, gpus=(a_gpu(power=142.0),), package_j=500.0 + 15 * tick))
        )

    plot = picture(
        history,
        [],
        None,
        Stretch(begin_ns=10 * S, end_ns=12 * S, now_ns=12 * S),
        cells=4,
        across=1,
        notes=(),
    )

    told = {line.name: (line.now, line.most) for line in plot.lines}
    assert told["GPU power"] == ("142 W", "142 W")
    assert told["CPU power"] == ("30 W", "30 W")


def test_a_power_that_nobody_can_read_has_no_line() -> None:
    history = MachineHistory()
    for tick in range(3):
        history.take(reading_of(a_sample(10 + tick / 2)))

    assert Series.POWER not in lines_of(history)
    assert Series.PACKAGE_POWER not in lines_of(history)
