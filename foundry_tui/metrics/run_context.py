"""What is known of a run beside what it measured itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.metrics.certificate import AnsweredBefore
from foundry_tui.metrics.checks import ModelChecks
from foundry_tui.metrics.run_quality import RunQuality

__all__ = ["RunContext"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What reports and results have of a run from elsewhere.

    Attributes:
        before: What became of its answers since earlier runs, of the models that were asked before.
        checks: What the checks of its prompts came to, where it has any.
        quality: What people's scores of it come to; None leaves that out, and the six dimensions.
    """

    before: Sequence[AnsweredBefore] = ()
    checks: Sequence[ModelChecks] = ()
    quality: RunQuality | None = None
