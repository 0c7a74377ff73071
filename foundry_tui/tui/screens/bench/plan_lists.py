"""The two lists of the page on which a benchmark is planned, and what is said of the row under the cursor."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.style import Style

from foundry_tui.domain.bench import PlannedPrompt
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.predictions import ModelPrediction
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.prediction_words import memory_words, rate_cell, speed_words
from foundry_tui.tui.screens.bench.draft import Switch, goodput_words
from foundry_tui.tui.screens.bench.names import names_within
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.table_parts import Align, Column, Row, cut, place

__all__ = [
    "MODEL_COLUMNS",
    "NO_MODELS",
    "PROMPT_COLUMNS",
    "Marks",
    "about_model",
    "left_out_words",
    "model_rows",
    "prompt_rows",
    "switch_words",
]

MODEL_COLUMNS = (
    Column(key="mark", label="", width=1, priority=3),
    Column(key="name", label="Model", width=20, weight=1, priority=4),
    Column(key="device", label="Device", width=6, priority=2),
    Column(key="predicted", label="Predicted", width=12, align=Align.RIGHT, priority=1),
)
PROMPT_COLUMNS = (
    Column(key="mark", label="", width=1, priority=2),
    Column(key="id", label="Prompt", width=12, priority=3),
    Column(key="text", label="Text", width=8, weight=1, priority=1),
)
NO_MODELS = "No model is here yet.\n\nIn the catalog, d downloads one."
_MARK = "✓"


class Marks(RowTable):
    """A list of which some are taken; Enter begins."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "screen.mark", "Take/leave", key_display="␣", id="plan.mark"),
        Binding("b,enter", "screen.begin", "Begin", key_display="b", show=False, id="plan.begin"),
        Binding("a", "screen.mark_all", "All/none", id="plan.mark_all"),
        Binding("p", "screen.next_set", "Prompt set", id="plan.next_set"),
        Binding("j", "screen.targets", "models.json", id="plan.targets"),
        Binding("g", "screen.goodput", "Goodput", show=False, id="plan.goodput"),
        Binding("o", "screen.offer", "Download what is missing", show=False, id="plan.offer"),
        *(
            Binding(switch.key, f"screen.switch('{switch}')", switch.label, show=False, id=f"plan.{switch}")
            for switch in Switch
        ),
    ]


def model_rows(
    models: Sequence[ModelVariant],
    taken: Collection[str],
    predictions: Mapping[str, ModelPrediction],
    *,
    width: int,
) -> list[Row]:
    """A row for each model, for a table of ``width`` cells; by id what is predicted of some."""
    room = next((one.width for one in place(MODEL_COLUMNS, width) if one.column.key == "name"), 20)
    names = names_within([clean_line(model.id) for model in models], room)
    return [
        Row(
            key=model.id,
            cells=(
                _MARK if model.id in taken else "",
                name,
                "" if model.device is None else model.device.value,
                "" if (found := predictions.get(model.id)) is None else rate_cell(found),
            ),
        )
        for name, model in zip(names, models, strict=True)
    ]


def prompt_rows(prompts: Iterable[PlannedPrompt], taken: Collection[str]) -> list[Row]:
    """A row for each prompt."""
    return [
        Row(key=prompt.id, cells=(_MARK if prompt.id in taken else "", prompt.id, prompt.text))
        for prompt in prompts
    ]


def switch_words(switches: Collection[Switch], goodput: str | None) -> Content:
    """What is on and off, and by what answers are judged, each with its key; a click does the same."""
    parts = [
        (f"[{'x' if switch in switches else ' '}] {switch.key} {switch.label}", f"switch('{switch}')")
        for switch in Switch
    ]
    parts.append((f"g {goodput_words(goodput)}", "goodput"))
    said = [Content(text).stylize(Style.from_meta({"@click": f"screen.{action}"})) for text, action in parts]
    return Content("\n").join([Content("   ").join(said[:-1]), said[-1]])


def about_model(model_id: str, prediction: ModelPrediction | None, *, at_once: str, cells: int) -> str:
    """Its whole name, and how fast it is expected to be and what it takes of memory, on three lines.

    Args:
        model_id: Of whatever making.
        prediction: None while it is not known.
        at_once: How many requests at once are planned, as it was written.
        cells: For each line.
    """
    lines = [clean_line(model_id)]
    if prediction is not None:
        alone = "" if at_once.strip() == "1" else "one request at a time: "
        lines.append(f"predicted decode {alone}{speed_words(prediction)}")
        lines.append(f"predicted load {memory_words(prediction.memory)}")
    return "\n".join(cut(line, cells) for line in lines)


def left_out_words(names: Sequence[str]) -> str:
    """Which models were wanted and are not here; empty where none is."""
    if not names:
        return ""
    return f"Left out, for it is not on this machine: {clean_line(', '.join(names), 200)}"
