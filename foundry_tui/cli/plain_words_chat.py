"""What was said, its numbers and its settings, in words fit to be spoken."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.cli.plain_words import count_words, duration_words, sentence, spoken
from foundry_tui.domain.chat import ChatOptions, Role
from foundry_tui.domain.conversations import Conversation, Turn
from foundry_tui.domain.quantities import UNKNOWN, count_in_words
from foundry_tui.domain.text import clean_line, shorten
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.gaps import CLASS_EDGES_MS, GapSummary, GapTrack, GapUnit, gap_class
from foundry_tui.metrics.tokens import ContextUse
from foundry_tui.reports.chat import context_in_words, describe_turn, overlong_in_words
from foundry_tui.reports.markdown_text import is_fence_line

__all__ = [
    "CodeBlock",
    "answer_line",
    "branch_lines",
    "code_blocks",
    "code_line",
    "context_line",
    "option_lines",
    "overlong_line",
    "place_of",
    "speaker",
    "timing_lines",
    "turn_line",
]

_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000
_NAME_CHARACTERS = 120
_BEGINNING_CHARACTERS = 100
_AROUND_CHARACTERS = 40
_COUNTED = re.compile(r"(?P<count>~?[\d,]+|n/a) (?P<way>in|out)")
_LANGUAGE = re.compile(r"[`~]+[ \t]*(?P<language>[\w+#.-]{1,30})")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBlock:
    """A piece of code in an answer.

    Attributes:
        language: As the answer names it; "" if it does not.
        text: Without its fence, not cleaned.
    """

    language: str
    text: str


def speaker(turn: Turn) -> str:
    """Who says it."""
    if turn.role is Role.USER:
        return "you"
    return clean_line(turn.model_id or "the model", _NAME_CHARACTERS)


def turn_line(number: int, turn: Turn, conversation: Conversation) -> str:
    """One turn of a list: who speaks, how it begins, how long it is."""
    beginning = clean_line(turn.text[: 4 * _BEGINNING_CHARACTERS], _BEGINNING_CHARACTERS) or "no text"
    words = count_words(len(turn.text.split()), "word")
    parts = [f"{number}, {speaker(turn)}, {words}"]
    if (place := place_of(turn, conversation)) is not None:
        parts.append(place)
    if turn.role is Role.ASSISTANT and turn.trace is None:
        parts.append("cut off")
    return f"{', '.join(parts)}: {spoken_end(beginning)}"


def spoken_end(text: str) -> str:
    """Text of others that was cut, its ellipsis in signs that every voice has."""
    return f"{text[:-1]}..." if text.endswith("…") else text


def place_of(turn: Turn, conversation: Conversation) -> str | None:
    """Which of several branches a turn begins; None where there is but one."""
    siblings = conversation.siblings(turn)
    if len(siblings) < 2:
        return None
    return f"branch {siblings.index(turn) + 1} of {len(siblings)}"


def branch_lines(conversation: Conversation) -> list[str]:
    """Every place of the path where something else was said too, and what."""
    lines: list[str] = []
    for number, turn in enumerate(conversation.path(), start=1):
        siblings = conversation.siblings(turn)
        if len(siblings) < 2:
            continue
        here = siblings.index(turn) + 1
        lines.append(f"Message {number} has {len(siblings)} branches; you are on branch {here}.")
        for place, sibling in enumerate(siblings, start=1):
            beginning = clean_line(sibling.text[: 4 * _BEGINNING_CHARACTERS], _BEGINNING_CHARACTERS)
            lines.append(f"Branch {place}, {speaker(sibling)}: {spoken_end(beginning or 'no text')}")
    return lines


def answer_line(turn: Turn) -> str:
    """The numbers of an answer."""
    parts = describe_turn(turn).split(" · ")
    if turn.trace is not None and not turn.trace.chunks:
        parts = ["nothing arrived", *(part for part in parts if UNKNOWN not in part)]
    return sentence(", ".join(_said(part) for part in parts))


def context_line(use: ContextUse, max_tokens: int) -> str:
    """How much of the context the next request takes, and what is left for the answer."""
    words = spoken(context_in_words(use, max_tokens))
    if use.left_tokens is None:
        words += "; the model's limit is unknown"
    elif use.left_tokens >= max_tokens:
        words += f": {count_in_words(use.left_tokens)} left for the answer"
    elif use.left_tokens:
        words += f", which may take {count_in_words(max_tokens)}"
    return sentence(words)


def overlong_line(use: ContextUse) -> str:
    """That a request does not fit; None of it was sent."""
    return overlong_in_words(use, anew="/new", again="the same once more")


def option_lines(options: ChatOptions, *, speech: bool) -> list[str]:
    """What the next request carries beside the messages, by the names that /set takes."""
    prompt = "none" if not options.system_prompt else clean_line(options.system_prompt, 2_000)
    temperature = "the engine's own" if options.temperature is None else f"{options.temperature:g}"
    return [
        f"system, the system prompt: {prompt}",
        f"temperature: {temperature}",
        f"max-tokens, the longest answer: {count_in_words(options.max_tokens)} tokens",
        f"seed: {'none' if options.seed is None else options.seed}",
        f"speech, answers by whole phrases: {'on' if speech else 'off'}",
    ]


def timing_lines(trace: GenerationTrace) -> list[str]:
    """The times between the chunks of an answer: their spread, their classes, and each stall."""
    track = GapTrack.of(trace)
    summary = track.summary()
    if summary.chunks < 2 or summary.median_ns is None:
        return [_without_gaps(summary)]
    unit = "token" if summary.unit is GapUnit.TOKEN else "chunk"
    lines = [
        f"{count_words(summary.count, 'gap')} between {unit}s: median {_time(summary.median_ns)}, "
        f"{_spread(summary)}."
    ]
    first_ns = track.wait_ns(0)
    if first_ns is not None:
        lines.insert(0, f"The first chunk came after {_time(first_ns)}.")
    lines.append(f"Of the gaps: {', '.join(_classes(track))}.")
    if summary.same_read:
        chunks = count_in_words(summary.chunks)
        shared = count_words(summary.same_read, "chunk")
        lines.append(f"{shared} of {chunks} came in one read with the chunk before; their gaps are unknown.")
    if summary.is_late:
        lines.append(f"The measuring process itself was late by {_time(summary.delay_p99_ns)}.")
    if not summary.stalls:
        return [*lines, "No stalls."]
    lines.append(f"{count_words(summary.stalls, 'stall')}, {_time(summary.stalled_ns)} together.")
    return [*lines, *_stalls(track)]


def code_blocks(text: str) -> tuple[CodeBlock, ...]:
    """The fenced code in ``text``; one that is not closed reaches to the end."""
    blocks: list[CodeBlock] = []
    opener: str | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        before, opener = opener, is_fence_line(line, opener)
        if before is None:
            lines = []
        elif opener is None:
            blocks.append(_block(before, lines))
        else:
            lines.append(line)
    if opener is not None:
        blocks.append(_block(opener, lines))
    return tuple(blocks)


def code_line(number: int, block: CodeBlock) -> str:
    """One block of a list."""
    language = f"{clean_line(block.language)}, " if block.language else ""
    lines = count_words(block.text.count("\n"), "line")
    first = clean_line(block.text.lstrip().partition("\n")[0], _BEGINNING_CHARACTERS)
    return f"{number}: {language}{lines}, begins: {spoken_end(first) or 'empty'}"


def _block(opener: str, lines: Sequence[str]) -> CodeBlock:
    language = _LANGUAGE.search(opener)
    # In a list the code is set in as far as its fence.
    depth = len(opener) - len(opener.lstrip(" "))
    kept = [line[min(depth, len(line) - len(line.lstrip(" "))) :] for line in lines]
    return CodeBlock(
        language="" if language is None else language["language"], text="".join(f"{line}\n" for line in kept)
    )


def _said(part: str) -> str:
    counted = _COUNTED.fullmatch(part)
    if counted is None:
        return spoken(clean_line(part))
    unit = "token" if counted["count"].lstrip("~") == "1" else "tokens"
    return spoken(f"{counted['count']} {unit} {counted['way']}")


def _without_gaps(summary: GapSummary) -> str:
    if summary.chunks == 0:
        return "Nothing arrived, so there are no gaps."
    if summary.chunks == 1:
        return "The answer came in one chunk, so there are no gaps."
    return f"All {count_in_words(summary.chunks)} chunks came in one read, so their gaps are unknown."


def _spread(summary: GapSummary) -> str:
    if summary.p95_ns is None:
        return f"longest {_time(summary.max_ns)}"
    return f"95th percentile {_time(summary.p95_ns)}, longest {_time(summary.max_ns)}"


def _classes(track: GapTrack) -> list[str]:
    waits = (track.wait_ns(n) for n in range(1, len(track.chunks)))
    counts = Counter(gap_class(wait) for wait in waits if wait is not None)
    words: list[str] = []
    for grade in sorted(counts):
        if grade == 0:
            bounds = f"below {CLASS_EDGES_MS[0]}"
        elif grade == len(CLASS_EDGES_MS):
            bounds = f"from {CLASS_EDGES_MS[-1]} up"
        else:
            bounds = f"from {CLASS_EDGES_MS[grade - 1]} to {CLASS_EDGES_MS[grade]}"
        words.append(f"{count_in_words(counts[grade])} {bounds}")
    return [f"{words[0]} milliseconds", *words[1:]]


def _stalls(track: GapTrack) -> list[str]:
    lines: list[str] = []
    place = track.next_stall(0)
    while place is not None:
        wait_ns, since_ns = track.wait_ns(place), track.since_sent_ns(place)
        long = "unknown" if wait_ns is None else f"{wait_ns / _NS_PER_MS:,.1f} milliseconds"
        when = "" if since_ns is None else f", {_time(since_ns)} after sending"
        lines.append(
            f"Stall {len(lines) + 1}: {long} before chunk {place + 1}{when}, {_text_at(track, place)}."
        )
        place = track.next_stall(place)
    return lines


def _text_at(track: GapTrack, place: int) -> str:
    before = ""
    for n in range(place - 1, -1, -1):
        before = track.chunks[n].text + before
        if len(before) >= _AROUND_CHARACTERS:
            break
    # As it is heard: blanks and line ends are no words.
    said = clean_line(before)[-_AROUND_CHARACTERS:].lstrip()
    came = shorten(clean_line(track.chunks[place].text[: 4 * _AROUND_CHARACTERS]), _AROUND_CHARACTERS)
    came = f'before "{spoken_end(came)}"' if came else "before white space"
    return f'{came} after "{said}"' if said else came


def _time(duration_ns: float | None) -> str:
    return duration_words(None if duration_ns is None else duration_ns / _NS_PER_S)
