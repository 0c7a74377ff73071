"""``settings.toml`` as the settings screen shows and changes it: origins, checks, and saving with care."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foundry_tui.config.documents import Document, Syntax, file_problem, parse_toml, read_bytes
from foundry_tui.config.locate import find_file
from foundry_tui.config.replacing import rewrite
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.settings import SettingEntry, SettingOrigin, SettingOverride, SettingValue
from foundry_tui.domain.text import clean_line

if TYPE_CHECKING:
    from foundry_tui.config.offers import Offer
    from foundry_tui.config.toml_edit import Change

__all__ = ["TomlSettingsFile"]

_NAME = "settings.toml"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What a file said when it was read.

    Attributes:
        data: Its bytes.
        content: By table and key; nothing in it that its shape refuses.
    """

    path: Path
    data: bytes
    content: dict[tuple[str, str], SettingValue]


class TomlSettingsFile:
    """The settings file in force, read anew at each call.  Blocks: call it in a thread.

    What is saved goes to that file if it is the user's own, else to a copy of the shipped one in the user's
    folder.
    """

    def __init__(
        self,
        folders: tuple[Path, ...],
        *,
        overrides: Mapping[str, SettingOverride] | None = None,
        checks: Mapping[str, Callable[[str], object]] | None = None,
    ) -> None:
        """Take what was decided at start; nothing is read yet.

        Args:
            folders: As ``config_folders`` gives them: the user's own folder is the last but one, what is
                shipped the last.
            overrides: What the command line and the environment decided, by key.
            checks: By key, what else refuses a text, by raising ``BadInput``.
        """
        self._folders = folders
        self._overrides = dict(overrides or {})
        self._checks = dict(checks or {})

    def target(self) -> Path:
        """The file that ``save`` writes, whether it is there yet or not."""
        in_force = find_file(_NAME, self._folders)
        # By its place in the order and not by its path: whoever names the shipped folder means it.
        own = [folder / _NAME for folder in self._folders[:-1]]
        return in_force if in_force in own else self._folders[-2] / _NAME

    def entries(self, actions: Iterable[str] = ()) -> tuple[SettingEntry, ...]:
        """Every key that can be set, and the keys of ``actions`` and of whatever else the file gives keys to.

        Raises:
            BadInput: The file cannot be read, or says what is not allowed.
        """
        from foundry_tui.config.offers import KEYS_TABLE, find_offer, fixed_offers
        from foundry_tui.config.toml_lines import key_places

        said = _read(find_file(_NAME, self._folders))
        lines = {key: place.line for key, place in key_places(said.data.decode("utf-8-sig")).items()}
        ids = (*actions, *(name for table, name in said.content if table == KEYS_TABLE))
        keys = (find_offer(f"{KEYS_TABLE}.{action}") for action in dict.fromkeys(ids))
        offers = (*fixed_offers(), *(offer for offer in keys if offer is not None))
        return tuple(self._entry(offer, said, lines.get((offer.table, offer.name))) for offer in offers)

    def check(self, key: str, text: str) -> str | None:
        """Why ``text`` cannot be saved under ``key``, in words; None if it can."""
        from foundry_tui.config.offers import find_offer, text_problem

        offer = find_offer(key)
        if offer is None:
            return f"there is no setting {clean_line(key, 60)}"
        problem = text_problem(offer, text)
        if problem is None and (check := self._checks.get(key)) is not None:
            try:
                check(text)
            except BadInput as error:
                return f"{error.message}; {error.remedy}" if error.remedy else error.message
        return problem

    def save(self, changes: Mapping[str, str | None]) -> Path:
        """Write ``changes``, texts by key, None for the default, and nothing else; where they were written.

        What somebody else changed in the file meanwhile stays.  The file as it was is kept beside it, with
        ``.bak`` behind its name.

        Raises:
            BadInput: A text is not allowed, or the file is broken; nothing was written.
            StorageProblem: It cannot be written.
        """
        meant = dict(self._change(key, text) for key, text in changes.items())
        target = self.target()

        def change(before: bytes | None) -> bytes | None:
            if before is not None:
                return _changed(target, before, meant)
            # A copy of the shipped file, so that its comments are there to be read.
            shipped = read_bytes(self._folders[-1] / _NAME)
            after = _changed(target, shipped, meant)
            return None if after == shipped else after

        try:
            rewrite(target, change)
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise StorageProblem(
                clean_line(f"{target} cannot be written: {reason}"),
                remedy="Free its permissions or some space, or name another folder with --config.",
            ) from error
        return target

    def _entry(self, offer: "Offer", said: _Said, line: int | None) -> SettingEntry:
        from foundry_tui.config.offers import text_of

        stored = said.content.get((offer.table, offer.name))
        override = self._overrides.get(offer.key)
        if override is not None:
            value, origin, detail = override.value, override.origin, override.detail
        elif stored is not None:
            place = str(said.path) if line is None else f"{said.path} line {line}"
            value, origin, detail = stored, SettingOrigin.FILE, place
        else:
            value, origin, detail = offer.default, SettingOrigin.DEFAULT, ""
        return SettingEntry(
            key=offer.key,
            group=offer.group,
            description=offer.description,
            kind=offer.kind,
            value=text_of(value),
            stored=text_of(stored),
            default=text_of(offer.default),
            origin=origin,
            origin_detail=detail,
            line=line if stored is not None else None,
            takes_effect=offer.takes_effect,
        )

    def _change(self, key: str, text: str | None) -> tuple[tuple[str, str], "Change"]:
        from foundry_tui.config.offers import find_offer, value_of
        from foundry_tui.config.toml_edit import Reset, SetTo

        offer = find_offer(key)
        problem = f"there is no setting {clean_line(key, 60)}" if offer is None else None
        if offer is not None and text is not None:
            problem = self.check(key, text)
        if offer is None or problem is not None:
            raise BadInput(f"{clean_line(key, 60)}: {problem}", remedy="Correct it; nothing was saved.")
        change = Reset(default=offer.default) if text is None else SetTo(value=value_of(offer, text))
        return (offer.table, offer.name), change


def _read(path: Path) -> _Said:
    """What ``path`` says.

    Raises:
        BadInput: It cannot be read, or says what is not allowed.
    """
    data = read_bytes(path)
    return _Said(path=path, data=data, content=_checked(parse_toml(path, data)))


def _checked(document: Document) -> dict[tuple[str, str], SettingValue]:
    """The values that a document of the right shape sets, by table and key."""
    from pydantic import ValidationError

    from foundry_tui.config.problems import shape_problem
    from foundry_tui.config.shapes import SettingsFile

    try:
        tables = SettingsFile.model_validate(document.content).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise shape_problem(document, SettingsFile, error, "settings") from error
    return {(table, name): value for table, values in tables.items() for name, value in values.items()}


def _changed(path: Path, before: bytes, changes: "Mapping[tuple[str, str], Change]") -> bytes:
    """The bytes of a file that said ``before``, after ``changes``, checked as a whole.

    Raises:
        BadInput: The file is broken in what the changes do not mend.
    """
    from foundry_tui.config.toml_edit import changed_content, edited

    found = parse_toml(path, before).content
    content = found if isinstance(found, dict) else {}
    _checked(Document(path=path, syntax=Syntax.TOML, content=changed_content(content, changes)))
    try:
        after = edited(before.decode("utf-8-sig"), changes).encode("utf-8")
    except ValueError as error:
        problem = f"written in a way that cannot be changed from here ({error})"
        raise file_problem(path, problem, "Change it in an editor.") from error
    return _BYTE_ORDER_MARK + after if before.startswith(_BYTE_ORDER_MARK) else after
