"""What holds for every test that runs an app."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def flat_collector_cost() -> Iterator[None]:
    """Collect once after each test, then take what is left out of the collector's sight.

    Textual's caches keep ten thousand objects of every app.  Without this the hundredth test takes three
    times as long as the first, all of it in looking through what earlier tests left.
    """
    gc.disable()
    yield
    gc.enable()
    gc.collect()
    gc.freeze()
