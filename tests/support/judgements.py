"""What a judge gave, by the short rubric."""

from foundry_tui.domain.judging import Judgement, JudgePreference, JudgeVersion, Verdict
from tests.support.scores import RUBRIC

__all__ = ["BY", "judgement", "preference"]

BY = JudgeVersion(judge="judge-generic-cpu:1", rubric_sha256=RUBRIC.sha256, prompt_sha256="p" * 64)


def judgement(
    number: int,
    *values: int,
    run_id: str = "run",
    by: JudgeVersion = BY,
    attempts: int = 1,
    reply: str = "",
    same_family: bool = False,
    at: int = 0,
) -> Judgement:
    """Of the answer of that number, a value for each criterion in its order; none is a refusal."""
    names = [criterion.id for criterion in RUBRIC.criteria]
    return Judgement(
        run_id=run_id,
        number=number,
        by=by,
        values=tuple(zip(names, values, strict=True)) if values else None,
        attempts=attempts,
        reply=reply,
        same_family=same_family,
        at_unix_ms=at,
    )


def preference(
    first: int,
    second: int,
    verdict: Verdict | None,
    *,
    run_id: str = "run",
    by: JudgeVersion = BY,
    attempts: int = 1,
    at: int = 0,
) -> JudgePreference:
    """Of two answers in that order."""
    return JudgePreference(
        run_id=run_id,
        first=first,
        second=second,
        by=by,
        verdict=verdict,
        attempts=attempts,
        reply="",
        same_family=False,
        at_unix_ms=at,
    )
