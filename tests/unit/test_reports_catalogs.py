"""Catalogs in words: why something may be missing from a list, and how old it is."""

from foundry_tui.domain.models import CatalogSnapshot, CatalogSource, SnapshotOrigin
from foundry_tui.reports.catalogs import missing_lines, source_object, source_words

NOW = 1_800_000_000
ALIVE = CatalogSource(host="alive", saved_at_unix=NOW - 60)
DEAD = CatalogSource(host="dead:81", saved_at_unix=NOW - 3 * 3600, problem="connection refused")
NEVER = CatalogSource(host="\x1b[2Jnever", problem="gone\nand lost")


def listed(*sources: CatalogSource, notice: str | None = None, at: int | None = None) -> CatalogSnapshot:
    return CatalogSnapshot(
        models=(), origin=SnapshotOrigin.LIVE, notice=notice, saved_at_unix=at, sources=sources
    )


def test_where_every_catalog_answered_nothing_is_said() -> None:
    assert missing_lines(listed(ALIVE, at=NOW), NOW) == []


def test_each_dead_catalog_is_named_with_its_reason_and_the_age_of_its_list() -> None:
    assert missing_lines(listed(ALIVE, DEAD, NEVER), NOW) == [
        "the catalog at dead:81 did not answer (connection refused); its list was fetched 3 h ago",
        "the catalog at ␛[2Jnever did not answer (gone and lost); nothing of it was ever fetched",
    ]


def test_a_notice_about_the_whole_list_has_the_age_of_the_list() -> None:
    assert missing_lines(listed(notice="offline", at=NOW - 120), NOW) == [
        "offline; its list was fetched 2 min ago"
    ]
    assert missing_lines(listed(notice="offline"), NOW) == ["offline"]


def test_a_catalog_that_is_well_is_told_with_the_age_of_its_list() -> None:
    assert source_words(ALIVE, NOW) == "the catalog at alive was fetched just now"
    assert source_words(CatalogSource(host="new"), NOW) == "the catalog at new was never asked yet"


def test_as_json_a_source_is_exactly_what_came() -> None:
    assert source_object(NEVER) == {
        "host": "\x1b[2Jnever",
        "saved_at_unix": None,
        "problem": "gone\nand lost",
    }
