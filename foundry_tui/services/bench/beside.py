"""One question to a few models, side by side: a benchmark of one prompt and one round."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from foundry_tui.domain.bench import BenchPlan, Order, Phase, PlannedPrompt, RequestRun, Run
from foundry_tui.domain.chat import ChatOptions, ChunkReceived, Outcome, Role
from foundry_tui.domain.conversations import Conversation, Turn, new_id, title_from
from foundry_tui.domain.text import clean_line
from foundry_tui.services.bench.state import BenchState, Step, UnderWay

__all__ = [
    "FEWEST",
    "MOST",
    "Answer",
    "Doing",
    "Question",
    "answer_of",
    "conversation_of",
    "in_columns",
    "plan_of",
]

FEWEST = 2
MOST = 4
"""More nobody compares, and no terminal has the room."""
_NAME_CHARACTERS = 60
_ID_CHARACTERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, and whom.

    Attributes:
        models: Exact variants, each once.
        is_blind: Whether nobody is named before all is judged.
    """

    text: str
    models: tuple[str, ...]
    is_blind: bool = True

    def __post_init__(self) -> None:
        if not self.text.strip() or not FEWEST <= len(set(self.models)) == len(self.models) <= MOST:
            raise ValueError(f"a question needs words, and {FEWEST} to {MOST} models, each once")


def plan_of(question: Question, options: ChatOptions, order: Order, draw: Random) -> BenchPlan:
    """The run that a question is: each model asked once, without warm-up and probes, as a person waits.

    Args:
        question: The text is all that is sent; nothing that was said before goes with it.
        options: Of the conversation: system prompt, temperature, longest answer, seed, time-outs.
        order: What memory allows.  Where the models fit in together they stay loaded for the next question.
        draw: Who comes first when it is blind: in the order in which they were picked they could be told.
    """
    models = list(question.models)
    if question.is_blind:
        draw.shuffle(models)
    asked = f"{options.system_prompt}\0{question.text}".encode("utf-8", errors="surrogatepass")
    kind = "side by side" if question.is_blind else "side by side, open"
    return BenchPlan(
        models=tuple(models),
        # The same question has the same id in every run, and another one never has it.
        prompts=(
            PlannedPrompt(
                id=f"beside-{hashlib.sha256(asked).hexdigest()[:_ID_CHARACTERS]}",
                text=question.text,
                system=options.system_prompt,
            ),
        ),
        name=clean_line(f"{kind}: {title_from(question.text)}", _NAME_CHARACTERS),
        rounds=1,
        warmup=0,
        max_tokens=options.max_tokens,
        temperature=options.temperature,
        seed=options.seed,
        order=order,
        has_probes=False,
        unloads=order is Order.BLOCKED,
        timeouts=options.timeouts,
    )


def in_columns(run: Run, *, is_blind: bool) -> tuple[str, ...]:
    """The models from left to right: by name, or when it is blind in an order drawn from the run's id."""
    models = sorted(run.plan.models)
    if is_blind:
        Random(f"{run.id}/columns").shuffle(models)
    return tuple(models)


class Doing(StrEnum):
    """How far one answer is."""

    WAITING = "waiting"
    LOADING = "loading"
    ANSWERING = "answering"
    DONE = "done"
    FAILED = "failed"
    LEFT_OUT = "not asked"
    """The run ended before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One model's answer as far as it has come.

    Attributes:
        chunks: What has arrived; it may grow, and is only read.
        under_way: The request while it is answered.
        request: The request once it was made.
        reason: Why there is none, or why it ended early; may name the model.
    """

    model: str
    doing: Doing
    chunks: Sequence[ChunkReceived] = ()
    under_way: UnderWay | None = None
    request: RequestRun | None = None
    reason: str | None = None


def answer_of(state: BenchState, model: str) -> Answer:
    """How far the answer of that model is."""
    for one in state.under_way:
        if one.model == model and one.phase is Phase.TIMED:
            return Answer(model=model, doing=Doing.ANSWERING, chunks=one.trace.chunks, under_way=one)
    made = [one for one in state.requests if one.model == model and one.phase is Phase.TIMED]
    if made:
        last = made[-1]
        is_well = last.trace.outcome.is_timed
        return Answer(
            model=model,
            doing=Doing.DONE if is_well else Doing.FAILED,
            chunks=last.trace.chunks,
            request=last,
            reason=None if is_well else last.trace.error or last.trace.outcome.words,
        )
    known = state.model_run(model)
    if known.outcome not in (None, Outcome.COMPLETED):
        return Answer(model=model, doing=Doing.FAILED, reason=known.reason or known.outcome.words)
    if state.step is Step.ENDED:
        problem = state.run.reason if state.problem is None else state.problem.message
        return Answer(model=model, doing=Doing.LEFT_OUT, reason=problem)
    is_loading = state.step is Step.LOADING and state.model == model
    return Answer(model=model, doing=Doing.LOADING if is_loading else Doing.WAITING)


def conversation_of(run: Run, request: RequestRun, options: ChatOptions) -> Conversation:
    """The question and that answer, to be gone on with; ``options`` as they were for the question."""
    (prompt,) = run.plan.prompts
    asked = Turn(id=new_id(), parent_id=None, role=Role.USER, text=prompt.text, at_unix_ms=request.at_unix_ms)
    answered = Turn(
        id=new_id(),
        parent_id=asked.id,
        role=Role.ASSISTANT,
        text=request.trace.text,
        at_unix_ms=request.at_unix_ms,
        reasoning=request.trace.reasoning,
        model_id=request.model_id,
        trace=request.trace,
    )
    return Conversation(
        id=new_id(),
        title=title_from(prompt.text),
        created_unix_ms=request.at_unix_ms,
        updated_unix_ms=request.at_unix_ms,
        options=options,
        turns=(asked, answered),
        head_id=answered.id,
    )
