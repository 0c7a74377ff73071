"""Models of one run side by side, in sentences: which is faster, by how much, and how sure that is."""

import asyncio
from collections.abc import Sequence
from itertools import combinations

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical

from foundry_tui.domain.text import clean_line
from foundry_tui.services.bench.state import BenchState
from foundry_tui.tui.screens.bench.names import short_names
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["BenchCompareScreen"]

_LABEL_CELLS = 13
_PAIRED = "Each pair is the same prompt in the same round, so that what the prompts differ by does not count."


class BenchCompareScreen(Overlay[None]):
    """Compares models with each other once, when it is opened: nobody measures then.

    Args:
        state: The run; it has ended.
        models: Their names in the plan: each of them is compared with each other.
    """

    DEFAULT_CSS = """
    BenchCompareScreen Sheet { height: 1fr; }
    """

    def __init__(self, state: BenchState, models: Sequence[str]) -> None:
        super().__init__()
        self._state = state
        self._models = tuple(models)

    def compose(self) -> ComposeResult:
        with Vertical(id="compare-box", classes="full") as box:
            box.border_title = "Compare models"
            box.border_subtitle = "↑ ↓ text · Esc goes back"
            yield Sheet(label_cells=_LABEL_CELLS, id="compare-sheet")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Count, which may take a moment."""
        sheet = self.query_one(Sheet)
        sheet.set_paragraphs([Paragraph(label="", text="Counting …", tone=Tone.MUTED)])
        sheet.focus()
        self._count()

    @work(exclusive=True, group="count")
    async def _count(self) -> None:
        paragraphs = await asyncio.to_thread(_paragraphs, self._state, self._models)
        self.query_one(Sheet).set_paragraphs(paragraphs)


def _paragraphs(state: BenchState, models: Sequence[str]) -> list[Paragraph]:
    """Draws thousands of samples for each pair and measure."""
    from foundry_tui.metrics.comparison import compared
    from foundry_tui.metrics.measures import Measure
    from foundry_tui.reports.comparison_words import comparison_sentence
    from foundry_tui.reports.run_results import model_results

    results = {result.name: result for result in model_results(state.run, state.requests)}
    names = dict(zip(models, short_names([clean_line(model) for model in models]), strict=True))
    said: list[Paragraph] = []
    for first, second in combinations(models, 2):
        a, b = results[first], results[second]
        said.append(Paragraph(label="Compared", text=f"{names[second]} with {names[first]}"))
        if not (a.summary.rounds_ok and b.summary.rounds_ok):
            without = names[first] if not a.summary.rounds_ok else names[second]
            said.append(Paragraph(label="", text=f"{without} has no request that counts", tone=Tone.WARNING))
            continue
        for label, measure in (
            ("Decode rate", Measure.DECODE_RATE),
            ("First token", Measure.TTFT),
            ("Latency", Measure.LATENCY),
        ):
            result = compared(a.requests, b.requests, measure=measure)
            said.append(Paragraph(label=label, text=comparison_sentence(result, names[first], names[second])))
    return [*said, Paragraph(label="", text=_PAIRED, tone=Tone.MUTED)]
