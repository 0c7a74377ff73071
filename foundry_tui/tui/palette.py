"""The command palette's list: the app's commands, their words never read as markup."""

from collections.abc import Iterable

from textual.app import SystemCommand
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

__all__ = ["Palette", "PaletteProvider"]


class Palette(CommandPalette):
    """Textual's, but for a key that comes before the list has a place: there it would end the app."""

    def _action_command_list(self, action: str) -> None:
        if self.query_one(CommandList).scrollable_content_region.height:
            super()._action_command_list(action)


class PaletteProvider(Provider):
    """Offers what the app's ``get_system_commands`` gives.

    Textual's own provider takes titles and helps for markup: a model's name could style the palette or end
    the app, and the help of the key "[" would vanish.
    """

    async def discover(self) -> Hits:
        for command in sorted(self._commands(), key=lambda command: command.title):
            if command.discover:
                yield DiscoveryHit(
                    Content(command.title),
                    command.callback,
                    text=command.title,
                    help=Content(command.help),  # type: ignore[arg-type]  # from_markup lets content through
                )

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for command in self._commands():
            score, offsets = matcher.fuzzy_search.match(query, command.title)
            if score <= 0:
                continue
            title = Content(command.title)
            for offset in offsets:
                title = title.stylize(matcher.match_style, offset, offset + 1)
            yield Hit(
                score,
                title,
                command.callback,
                text=command.title,
                help=Content(command.help),  # type: ignore[arg-type]  # from_markup lets content through
            )

    def _commands(self) -> Iterable[SystemCommand]:
        return self.app.get_system_commands(self.screen)
