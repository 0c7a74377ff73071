"""What makes finding among thousands of variants quick: texts folded once, and the last finding kept."""

from collections import Counter
from collections.abc import Sequence

from foundry_tui.domain.model_filter import KEYS, ModelFilter, haystack_of
from foundry_tui.domain.models import ModelVariant
from foundry_tui.tui.panes.catalog_columns import CatalogView, sorted_places

__all__ = ["CatalogIndex", "Finding"]


class CatalogIndex:
    """The variants of one snapshot, ready to be sought in and sorted.

    Making one of 20,000 takes tens of milliseconds, so it is made in a thread; asking it takes few.
    """

    def __init__(
        self,
        models: Sequence[ModelVariant],
        *,
        before: "CatalogIndex | None" = None,
        view: CatalogView | None = None,
    ) -> None:
        """Fold the texts.

        Args:
            models: In the catalog's order.
            before: The last one, whose texts still hold for the models that are the very same.
            view: Sorted by beforehand.
        """
        self.models = models
        self.ids = [model.id for model in models]
        self.haystacks = _haystacks(models, before)
        self._places = {model_id: place for place, model_id in enumerate(self.ids)}
        self._orders: dict[tuple[str | None, bool], Sequence[int]] = {}
        self._values: dict[str, list[str]] = {}
        if view is not None:
            self.order(view)

    def find(self, model_id: str) -> ModelVariant | None:
        """The variant of exactly that id."""
        place = self._places.get(model_id)
        return None if place is None else self.models[place]

    def order(self, view: CatalogView) -> Sequence[int]:
        """The places of all models as ``view`` sorts them; sorted once."""
        wanted = (view.sort, view.descending)
        if wanted not in self._orders:
            self._orders[wanted] = sorted_places(self.models, view.sort, descending=view.descending)
        return self._orders[wanted]

    def values(self, key: str) -> Sequence[str]:
        """All values that a filter's ``key`` has here, in lower case, the most frequent first."""
        if key not in self._values:
            counts: Counter[str] = Counter()
            for value, count in Counter(map(KEYS[key], self.models)).items():
                if value is not None:
                    counts[value.casefold()] += count
            self._values[key] = [value for value, _ in counts.most_common()]
        return self._values[key]


class Finding:
    """The variants that were found last, from which the next are found if the filter only grew."""

    def __init__(self) -> None:
        self._index: CatalogIndex | None = None
        self._wanted = ModelFilter()
        self._order: Sequence[int] = ()
        self._places: Sequence[int] = ()

    def places(self, index: CatalogIndex, wanted: ModelFilter, view: CatalogView) -> Sequence[int]:
        """Places in ``index.models``, in order; the very same object as before if nothing changed."""
        order = index.order(view)
        is_in_place = index is self._index and order is self._order
        if not is_in_place or wanted.terms != self._wanted.terms:
            among = self._places if is_in_place and wanted.narrows(self._wanted) else order
            self._places = wanted.select(index.models, index.haystacks, among)
        self._index, self._wanted, self._order = index, wanted, order
        return self._places


def _haystacks(models: Sequence[ModelVariant], before: CatalogIndex | None) -> list[str]:
    if before is None or len(before.models) != len(models):
        return [haystack_of(model) for model in models]
    # Loading one model makes a new snapshot, in which the others stand where they stood.
    return [
        folded if model is old else haystack_of(model)
        for model, old, folded in zip(models, before.models, before.haystacks, strict=True)
    ]
