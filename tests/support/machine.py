"""A machine whose readings a test decides, as the sampler would hand them over."""

from foundry_tui.domain.resources import GpuSample, GpuSamples, HostSample, ResourceSample, Throttle

__all__ = ["GIB", "MIB", "S", "a_gpu", "a_sample"]

MIB, GIB = 1 << 20, 1 << 30
S = 1_000_000_000


def a_gpu(
    *,
    used: int = 2 * GIB,
    process: int | None = GIB,
    busy: float | None = 0.5,
    power: float | None = 100.0,
    throttles: tuple[Throttle, ...] | None = (),
    name: str = "A card",
) -> GpuSample:
    """One card of 24 GiB."""
    return GpuSample(
        name=name,
        total_bytes=24 * GIB,
        used_bytes=used,
        process_bytes=process,
        busy_share=busy,
        power_w=power,
        throttles=throttles,
    )


def a_sample(
    at_s: float,
    *,
    cpu: float | None = 0.25,
    used: int = 2 * GIB,
    rss: int | None = None,
    gpus: tuple[GpuSample, ...] = (),
    absence: str = "no driver",
    troubles: tuple[str, ...] = (),
    package_j: float | None = None,
) -> ResourceSample:
    """One tick on a machine of 8 GiB."""
    return ResourceSample(
        at_ns=round(at_s * S),
        late_ns=0,
        host=HostSample(
            cpu_share=cpu,
            ram_total_bytes=8 * GIB,
            ram_used_bytes=used,
            process_rss_bytes=rss,
            package_energy_j=package_j,
        ),
        gpu=GpuSamples(gpus=gpus, absence=None if gpus else absence),
        troubles=troubles,
    )
