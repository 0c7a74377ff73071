"""A second model judges the answers of a run: one by one, or two and two in both orders.

Whatever is judged is kept at once, so that a judge that is killed loses no more than the request under way,
and the next call goes on behind it.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import Generic, Protocol, TypeVar

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.chat import (
    ChatEvent,
    ChatMessage,
    ChatOptions,
    ChatRequest,
    ChunkKind,
    ChunkReceived,
    Outcome,
    PhaseTimeouts,
    Role,
)
from foundry_tui.domain.errors import GenerationFailed
from foundry_tui.domain.judging import REPLY_CHARACTERS, Judgement, JudgePreference, JudgeVersion, Verdict
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.scoring import Rubric
from foundry_tui.ports.storage import JudgeStore
from foundry_tui.services.scoring.judge_words import (
    JUDGE_TOKENS,
    PAIR_PROMPT_SHA256,
    SCORE_PROMPT_SHA256,
    SEED,
    TEMPERATURE,
    Shown,
    fence_for,
    pair_prompt,
    read_scores,
    read_verdict,
    score_prompt,
)
from foundry_tui.services.scoring.sheet import answers_to_score

__all__ = ["ATTEMPTS", "Chats", "Judge", "JudgeProgress"]

ATTEMPTS = 2
"""The first, and one more in sharper words."""

# A judge that goes on for longer than any reply of the form could is not listened to any further.
_READ_CHARACTERS = 20_000
# So many requests in a row that fail mean that it is not the answers: the others would fail as well.
_FAILURES = 3

# With less room no reply of the form is complete.
_LEAST_TOKENS = 32

T = TypeVar("T")


class Chats(Protocol):
    """What a judge needs of ``ClientService``."""

    def prepare(
        self,
        model: ModelVariant,
        messages: tuple[ChatMessage, ...],
        options: ChatOptions,
        *,
        prompt_tokens: int | None = None,
    ) -> ChatRequest:
        """A request for ``model``."""
        ...

    def chat(self, request: ChatRequest) -> AbstractAsyncContextManager[AsyncIterator[ChatEvent]]:
        """Its answer, read inside the block."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeProgress:
    """How far the work is.

    Attributes:
        total: All that is to be judged: answers, or pairs of them in each order.
        known: Of these, how many were judged before, and so were left as they are.
        made: How many were judged now.
        refused: Of ``made``, how many without a reply that could be read.
        retries: How often the judge was asked a second time.
        failed: How many requests broke, or could not be made; what they were about is not judged, and is
            tried by the next call.
        problem: Why the last of these was not answered, in words.
    """

    total: int
    known: int
    made: int = 0
    refused: int = 0
    retries: int = 0
    failed: int = 0
    problem: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to judge."""
        return self.known + self.made == self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read(Generic[T]):
    """What came of asking; ``found`` is None for a refusal."""

    found: T | None
    attempts: int
    reply: str


class Judge:
    """One model that judges by one rubric, at temperature 0 and with one seed.

    Args:
        chats: Who asks; the model must be in memory, or its engine bring it there.
        store: Where each judgement goes as soon as it is there.
        model: The judge.
        rubric: By what.
        same_family: Whether it is, or is kin to, a model of the run, which was allowed.
        unix_ms: The time of day.
        timeouts: Of each request.
        draw: Draws the mark of a fence; nobody can foresee it.
    """

    def __init__(
        self,
        chats: Chats,
        store: JudgeStore,
        *,
        model: ModelVariant,
        rubric: Rubric,
        same_family: bool,
        unix_ms: Callable[[], int],
        timeouts: PhaseTimeouts | None = None,
        draw: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._chats = chats
        self._store = store
        self._model = model
        self._rubric = rubric
        self._same_family = same_family
        self._unix_ms = unix_ms
        self._options = ChatOptions(
            max_tokens=JUDGE_TOKENS,
            temperature=TEMPERATURE,
            seed=SEED,
            timeouts=timeouts or PhaseTimeouts(),
        )
        self._draw = draw

    async def score(
        self,
        run: Run,
        requests: Sequence[RequestRun],
        *,
        again: bool = False,
        on_progress: Callable[[JudgeProgress], None] = lambda _: None,
    ) -> JudgeProgress:
        """Judge each answer that people would score, but for those that this version judged before.

        Args:
            run: The answers are of it.
            requests: All of the run.
            again: Whether those that were judged before are judged once more.
            on_progress: Told at the beginning and after each answer.

        Raises:
            EngineError: The judge does not answer any more; what was judged is kept.
            StorageProblem: It cannot be kept.
        """
        by = self._version(SCORE_PROMPT_SHA256)
        known = {one.number for one in await self._store.judgements(run.id) if one.by == by and not again}
        answers = answers_to_score(run, requests)
        shown = _shown(run, answers)
        wanted = [answer.number for answer in answers if answer.number not in known]
        work = _Work(JudgeProgress(total=len(answers), known=len(answers) - len(wanted)), on_progress)
        for number in wanted:
            read = await work.tried(self._scored(shown[number]))
            if read is None:
                continue
            judgement = Judgement(
                run_id=run.id,
                number=number,
                by=by,
                values=read.found,
                attempts=read.attempts,
                reply=read.reply[:REPLY_CHARACTERS],
                same_family=self._same_family,
                at_unix_ms=self._unix_ms(),
            )
            await self._store.keep_judgement(self._rubric, judgement)
            work.made(read)
        return work.progress

    async def compare(
        self,
        run: Run,
        requests: Sequence[RequestRun],
        *,
        again: bool = False,
        on_progress: Callable[[JudgeProgress], None] = lambda _: None,
    ) -> JudgeProgress:
        """Hold the answers of every two models to each prompt against each other, in both orders.

        The arguments and errors are those of ``score``.
        """
        by = self._version(PAIR_PROMPT_SHA256)
        kept = await self._store.preferences(run.id)
        known = {(one.first, one.second) for one in kept if one.by == by and not again}
        answers = answers_to_score(run, requests)
        shown = _shown(run, answers)
        orders = _orders(answers)
        wanted = [order for order in orders if order not in known]
        work = _Work(JudgeProgress(total=len(orders), known=len(orders) - len(wanted)), on_progress)
        for first, second in wanted:
            read = await work.tried(self._compared(shown[first], shown[second]))
            if read is None:
                continue
            preference = JudgePreference(
                run_id=run.id,
                first=first,
                second=second,
                by=by,
                verdict=read.found,
                attempts=read.attempts,
                reply=read.reply[:REPLY_CHARACTERS],
                same_family=self._same_family,
                at_unix_ms=self._unix_ms(),
            )
            await self._store.keep_preference(self._rubric, preference)
            work.made(read)
        return work.progress

    def _version(self, prompt_sha256: str) -> JudgeVersion:
        return JudgeVersion(
            judge=self._model.id, rubric_sha256=self._rubric.sha256, prompt_sha256=prompt_sha256
        )

    async def _scored(self, one: Shown) -> _Read[tuple[tuple[str, int], ...]]:
        def told(fence: str, is_sharper: bool) -> str:
            return score_prompt(self._rubric, one, fence=fence, is_sharper=is_sharper)

        return await self._asked(
            (one.prompt, one.answer), told, lambda reply: read_scores(reply, self._rubric)
        )

    async def _compared(self, a: Shown, b: Shown) -> _Read[Verdict]:
        def told(fence: str, is_sharper: bool) -> str:
            return pair_prompt(self._rubric, a, b, fence=fence, is_sharper=is_sharper)

        return await self._asked((a.prompt, a.answer, b.answer), told, read_verdict)

    async def _asked(
        self, texts: tuple[str, ...], told: Callable[[str, bool], str], read: Callable[[str], T | None]
    ) -> _Read[T]:
        """Ask, and once more in sharper words where the reply cannot be read."""
        reply = ""
        for attempt in range(1, ATTEMPTS + 1):
            # The second try has a mark of its own: a reply to the first may have quoted that one.
            reply = await self._reply(told(fence_for(texts, self._draw), attempt > 1))
            found = None if len(reply) > _READ_CHARACTERS else read(reply)
            if found is not None:
                return _Read(found=found, attempts=attempt, reply=reply)
        return _Read(found=None, attempts=ATTEMPTS, reply=reply)

    async def _reply(self, prompt: str) -> str:
        """What the judge says, without what it thinks aloud; nothing is a reply too."""
        message = ChatMessage(role=Role.USER, text=prompt)
        request = self._chats.prepare(self._model, (message,), self._options)
        if request.max_tokens < _LEAST_TOKENS:
            # A reply that is cut would pass for a refusal, which is the judge's own doing.
            raise GenerationFailed(
                "a prompt and its answer leave the judge no room for a reply", outcome=Outcome.SKIPPED
            )
        reply = ""
        try:
            async with self._chats.chat(request) as events:
                async for event in events:
                    if isinstance(event, ChunkReceived) and event.kind is ChunkKind.CONTENT:
                        reply += event.text
                    if len(reply) > _READ_CHARACTERS:
                        break
        except GenerationFailed as error:
            if error.outcome is not Outcome.EMPTY:
                raise
        return reply


class _Work:
    """Counts what becomes of each request, and tells of it."""

    def __init__(self, progress: JudgeProgress, on_progress: Callable[[JudgeProgress], None]) -> None:
        self.progress = progress
        self._on_progress = on_progress
        self._in_a_row = 0
        on_progress(progress)

    async def tried(self, asking: Awaitable[_Read[T]]) -> _Read[T] | None:
        """What came of it; None where the request broke.

        Raises:
            EngineError: The judge is gone, or breaks whatever it is asked.
        """
        try:
            read = await asking
        except GenerationFailed as error:
            self._in_a_row += error.outcome is not Outcome.SKIPPED
            if self._in_a_row == _FAILURES:
                raise
            self._tell(replace(self.progress, failed=self.progress.failed + 1, problem=error.message))
            return None
        self._in_a_row = 0
        return read

    def made(self, read: _Read[T]) -> None:
        """It is kept."""
        before = self.progress
        self._tell(
            replace(
                before,
                made=before.made + 1,
                refused=before.refused + (read.found is None),
                retries=before.retries + read.attempts - 1,
            )
        )

    def _tell(self, progress: JudgeProgress) -> None:
        self.progress = progress
        self._on_progress(progress)


def _shown(run: Run, answers: Sequence[RequestRun]) -> dict[int, Shown]:
    """What is shown of each answer: what people are shown, and no more."""
    prompts = {prompt.id: prompt.text for prompt in run.plan.prompts}
    return {
        answer.number: Shown(prompt=prompts.get(answer.prompt_id, ""), answer=answer.trace.text)
        for answer in answers
    }


def _orders(answers: Sequence[RequestRun]) -> list[tuple[int, int]]:
    """Every two answers to one prompt, in both orders, one right after the other."""
    of_prompt: dict[str, list[int]] = {}
    for answer in answers:
        of_prompt.setdefault(answer.prompt_id, []).append(answer.number)
    return [
        (first, second)
        for numbers in of_prompt.values()
        for pair in combinations(numbers, 2)
        for first, second in permutations(pair)
    ]
