"""The text of a recorded request as far as it had come."""

from itertools import groupby

from foundry_tui.domain.bench import PlannedPrompt
from foundry_tui.domain.chat import ChunkKind
from foundry_tui.metrics.replay import Replay, ReplayMoment, ReplayPhase
from foundry_tui.reports.answer import describe
from foundry_tui.reports.replay import nothing_words
from foundry_tui.tui.widgets.sheet import Paragraph, Tone

__all__ = ["paragraphs_until"]

_LABELS = {
    ChunkKind.CONTENT: "Answered",
    ChunkKind.REASONING: "Reasoning",
    ChunkKind.TOOL: "Tool call",
}


def paragraphs_until(replay: Replay, moment: ReplayMoment, prompt: PlannedPrompt | None) -> list[Paragraph]:
    """What was asked, what had come by ``moment`` in its order, and at the end how it ended."""
    said: list[Paragraph] = []
    if prompt is not None:
        said.append(Paragraph(label="Asked", text=prompt.text, tone=Tone.MUTED))
    for kind, chunks in groupby(replay.chunks[: moment.count], lambda chunk: chunk.kind):
        tone = Tone.NORMAL if kind is ChunkKind.CONTENT else Tone.MUTED
        said.append(Paragraph(label=_LABELS[kind], text="".join(chunk.text for chunk in chunks), tone=tone))
    if moment.phase is not ReplayPhase.ENDED:
        return said
    trace = replay.trace
    if not replay.chunks:
        said.append(Paragraph(label="Failed", text=nothing_words(replay), tone=Tone.PROBLEM))
    elif not trace.outcome.is_timed:
        why = f": {trace.error}" if trace.error else ""
        said.append(Paragraph(label="Failed", text=f"{trace.outcome.words}{why}", tone=Tone.PROBLEM))
    said.append(Paragraph(label="Numbers", text=describe(trace), tone=Tone.MUTED))
    return said
