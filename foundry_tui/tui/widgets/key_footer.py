"""The line of keys at the bottom."""

from textual.widgets import Footer

__all__ = ["KeyFooter"]


class KeyFooter(Footer):
    """Textual's footer without the palette's key, which does not keep the keys that it showed before."""

    def __init__(self) -> None:
        super().__init__(compact=True, show_command_palette=False)

    async def recompose(self) -> None:
        """Show the keys of the moment."""
        await super().recompose()
        # Each key it ever showed watches this one and is let go only when it is set (Textual issue 6666):
        # 100 kB for each change of the focus.
        self.mutate_reactive(Footer.compact)
