import pytest

from foundry_tui.metrics.student_t import t_quantile

# Of scipy 1.17.1, stats.t.ppf.
KNOWN = [
    (0.975, 1, 12.706204736174694),
    (0.975, 2, 4.302652729749462),
    (0.975, 3, 3.1824463052837078),
    (0.975, 4, 2.7764451051977934),
    (0.975, 5, 2.5705818356363146),
    (0.975, 10, 2.228138851986274),
    (0.975, 29, 2.045229642132703),
    (0.975, 58, 2.0017174841452356),
    (0.975, 199, 1.9719565442517533),
    (0.975, 200, 1.9718962236339088),
    (0.975, 1000, 1.9623390808264083),
    (0.975, 100_000, 1.9599877075346095),
    (0.995, 1, 63.656741162871526),
    (0.995, 10, 3.16927267261695),
    (0.995, 200, 2.600634436191558),
]


@pytest.mark.parametrize(("share", "degrees", "expected"), KNOWN)
def test_a_quantile_of_t_is_that_of_the_tables(share: float, degrees: int, expected: float) -> None:
    assert t_quantile(share, degrees) == pytest.approx(expected, rel=1e-9)


def test_the_distribution_is_symmetric() -> None:
    assert t_quantile(0.025, 7) == pytest.approx(-t_quantile(0.975, 7), rel=1e-12)
    assert t_quantile(0.5, 7) == pytest.approx(0, abs=1e-12)


def test_more_readings_never_make_the_quantile_larger() -> None:
    quantiles = [t_quantile(0.975, degrees) for degrees in range(1, 400)]

    assert quantiles == sorted(quantiles, reverse=True)


@pytest.mark.parametrize(("share", "degrees"), [(0.0, 5), (1.0, 5), (0.975, 0)])
def test_what_is_no_quantile_is_refused(share: float, degrees: int) -> None:
    with pytest.raises(ValueError, match="quantile"):
        t_quantile(share, degrees)
