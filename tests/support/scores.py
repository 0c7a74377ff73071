"""Scores as a person gave them, and a short rubric to give them by."""

from foundry_tui.domain.scoring import Criterion, Rubric, Score

__all__ = ["RUBRIC", "score"]

RUBRIC = Rubric(
    name="short",
    criteria=(
        Criterion(id="correctness", name="Is it right?", low="wrong", high="right"),
        Criterion(id="brevity", name="Is it short?", low="long", high="short"),
    ),
)


def score(
    number: int,
    value: int,
    annotator: str = "ann",
    *,
    criterion: str = "correctness",
    occasion: int = 1,
    rubric: str = RUBRIC.sha256,
    at: int = 0,
    run_id: str = "run",
) -> Score:
    """One score of the answer of that number."""
    return Score(
        run_id=run_id,
        number=number,
        criterion=criterion,
        annotator=annotator,
        occasion=occasion,
        value=value,
        rubric_sha256=rubric,
        at_unix_ms=at,
    )
