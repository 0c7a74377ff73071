"""Licences of models: shown and agreed to once for each text, and a policy that allows or forbids by name."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.storage import AcceptedLicenses
from foundry_tui.services.setup import LicensePolicy

__all__ = ["LicenseVerdict", "Licenses", "Verdict", "text_sha256"]

_NAME_LIMIT = 60


class Verdict(StrEnum):
    """What may be done with a model, as far as its licence goes."""

    ALLOWED = "allowed"
    ASK = "ask"
    """Its text must be shown and agreed to first."""
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseVerdict:
    """The verdict on one model, and what it rests on.

    Attributes:
        name: The licence as the catalog calls it, as it came; None if it names none.
        text: What is to be read, as it came; None if the catalog has none.
        sha256: What an agreement is remembered under.
        rule: The rule of the policy that decided; None if none did.
    """

    model_id: str
    verdict: Verdict
    name: str | None
    text: str | None
    sha256: str
    rule: str | None = None


class Licenses:
    """Knows what was agreed to.  An agreement holds for every model with the same text.

    Args:
        accepted: Where agreements are remembered.
        policy: Asked anew each time, for settings change.
        unix_ms: The time of day.
    """

    def __init__(
        self,
        accepted: AcceptedLicenses,
        *,
        policy: Callable[[], LicensePolicy] = LicensePolicy,
        unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._accepted = accepted
        self._policy = policy
        self._unix_ms = unix_ms

    async def verdict(self, model: ModelVariant) -> LicenseVerdict:
        """What the policy and earlier agreements say.

        Raises:
            StorageProblem: What was agreed to cannot be read.
        """
        policy, name = self._policy(), model.license or ""
        if (rule := policy.denying(name)) is not None:
            return _verdict(model, Verdict.DENIED, rule)
        if (rule := policy.allowing(name)) is not None:
            return _verdict(model, Verdict.ALLOWED, rule)
        is_accepted = await self._accepted.is_accepted(text_sha256(model))
        return _verdict(model, Verdict.ALLOWED if is_accepted else Verdict.ASK, None)

    async def accept(self, model: ModelVariant) -> None:
        """Remember that somebody read the text and agreed.

        Raises:
            StorageProblem: It cannot be remembered.
        """
        name = model.license or ""
        await self._accepted.accept(text_sha256(model), name=name, at_unix_ms=self._unix_ms())

    async def consent(self, model: ModelVariant) -> LicenseVerdict:
        """Agree by having given a command that needs it, and remember that.

        Raises:
            BadInput: The policy forbids it.
            StorageProblem: It cannot be remembered.
        """
        verdict = await self.verdict(model)
        if verdict.verdict is Verdict.DENIED:
            raise _denied(verdict)
        if verdict.verdict is Verdict.ASK:
            await self.accept(model)
        return verdict

    async def require(self, model: ModelVariant) -> None:
        """Make sure that nothing stands in the way.

        Raises:
            BadInput: The policy forbids it, or nobody has agreed to its text yet.
            StorageProblem: What was agreed to cannot be read.
        """
        verdict = await self.verdict(model)
        match verdict.verdict:
            case Verdict.DENIED:
                raise _denied(verdict)
            case Verdict.ASK:
                raise BadInput(
                    f"nobody has agreed to the licence {_shown(verdict.name)} of {clean_line(model.id)} yet",
                    remedy="read and accept it first",
                )
            case Verdict.ALLOWED:
                return


def text_sha256(model: ModelVariant) -> str:
    """The hash that stands for the model's licence text.

    Where the catalog has no text its name stands for it; where it has neither, the model itself does.
    """
    text = model.license_text or model.license or f"no licence of {model.id}"
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _verdict(model: ModelVariant, verdict: Verdict, rule: str | None) -> LicenseVerdict:
    return LicenseVerdict(
        model_id=model.id,
        verdict=verdict,
        name=model.license,
        text=model.license_text,
        sha256=text_sha256(model),
        rule=rule,
    )


def _denied(verdict: LicenseVerdict) -> BadInput:
    return BadInput(
        f"the licence {_shown(verdict.name)} of {clean_line(verdict.model_id)} is denied by the rule"
        f" {verdict.rule!r}",
        remedy="choose another model, or take the rule out of licenses.deny",
    )


def _shown(name: str | None) -> str:
    return "(none named)" if not name else clean_line(name, _NAME_LIMIT)
