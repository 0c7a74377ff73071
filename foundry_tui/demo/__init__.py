"""The bundled tiny model, and where its folder is."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foundry_tui.domain.models import Registration

__all__ = ["DEMO_MODEL_ID", "demo_registration"]

DEMO_MODEL_ID = "tiny-demo-generic-cpu:1"


def demo_registration() -> "Registration":
    """The bundled model as a registration; its folder lies inside the installed package."""
    from foundry_tui.domain.models import Registration  # late: nobody needs it before the first frame

    return Registration(
        path=str(Path(__file__).parent / "tiny"),
        model_id=DEMO_MODEL_ID,
        display_name="Tiny demo (0.8 M parameters, a closed small world)",
        publisher="foundry-tui",
        license="MIT",
        replaces=True,  # the package may have moved since the last time
    )
