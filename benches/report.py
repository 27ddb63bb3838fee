"""The two Markdown tables."""

from statistics import median

from growth import Memory, Pushes, Timers, memory_variants
from callgrind import Count
from instructions import COOKIE_4K, HEADER_SHAPES, NINE_HEADERS, STREAM, Counts
from turns import RATE_PER_S, ROUNDS, Series, ratios
from variants import (
    COMPARED, NOOP, NOOP_RESTRICTED, PLAIN_ROUTE, ROLLOUT_COUNTS, STICKY, STICKY_COOKIE, Variant,
    with_rollouts,
)

NOT_COUNTED = "–"


def whole(
    version: str, counts: Counts, series: dict[str, Series],
    memory: dict[str, Memory], timers: Timers, pushes: Pushes, fleet: list[tuple[str, Count]],
) -> str:
    parts = [
        f"Envoy {version}, the shipped `bootstrap.yaml` (and `signal.yaml` where the profile asks for it), HTTP/1.1, nine request headers, one connection. "
        "Instructions: those of the worker thread, counted by callgrind, the filter's timer off. CPU time "
        f"(all of Envoy, timers too) and latency: at {RATE_PER_S:,} requests a second, the variants in turn; "
        f"median of {ROUNDS} rounds (middle half).",
        cost_table(counts, series),
        growth_table(counts, memory, timers, pushes, fleet),
    ]
    if counts:
        parts.append(repeatability(counts))
    return "\n\n".join(parts)


def cost_table(counts: Counts, series: dict[str, Series]) -> str:
    rows = [
        row("per request", "instructions, thousands", "added to plain", "CPU time ÷ plain", "p50 ÷ plain", "p99 ÷ plain"),
        "|---|--:|--:|--:|--:|--:|",
    ]
    for variant in COMPARED:
        rows.append(row(variant.title, *instructions(counts, variant), *times(series, variant)))
    return "\n".join(rows)


def instructions(counts: Counts, variant: Variant) -> list[str]:
    count = counts.get((variant.name, NINE_HEADERS))
    if count is None:
        return [NOT_COUNTED, NOT_COUNTED]
    if variant == PLAIN_ROUTE:
        return [f"{count.median:.1f}", ""]
    return [f"{count.median:.1f}", added(counts, variant.name, NINE_HEADERS)]


def times(series: dict[str, Series], variant: Variant) -> list[str]:
    ours, plain = series[variant.name], series[PLAIN_ROUTE.name]
    if variant == PLAIN_ROUTE:
        return [f"1 ({median(values):.0f} µs)" for values in (plain.cpu_us, plain.p50_us, plain.p99_us)]
    return [
        spread(ratios(mine, base))
        for mine, base in [(ours.cpu_us, plain.cpu_us), (ours.p50_us, plain.p50_us), (ours.p99_us, plain.p99_us)]
    ]


def growth_table(
    counts: Counts, memory: dict[str, Memory], timers: Timers, pushes: Pushes, fleet: list[tuple[str, Count]],
) -> str:
    rows = ["| as it grows | |", "|---|---|"]
    if counts:
        rows += instruction_rows(counts)
    if fleet:
        rows.append(fleet_row(fleet))
    rows += [memory_row(variant, memory) for variant in memory_variants()]
    rows.append(row(
        "every feature on for each of 1,000 rollouts, 2 workers, no traffic",
        f"{timers.core_percent:.1f} % of a core for the timers; {timers.rss_mib:.0f} MiB; ready in {timers.start_s:.1f} s"))
    rows.append(row(
        "from the rename of a configuration with 1,000 rollouts until all of 2 workers obey it",
        f"{median(pushes.in_force_ms):.0f} ms (at most {max(pushes.in_force_ms):.0f}); "
        f"slowest request meanwhile {max(pushes.slowest_request_ms):.0f} ms"))
    return "\n".join(rows)


def instruction_rows(counts: Counts) -> list[str]:
    by_rollouts = [added(counts, with_rollouts(count).name, NINE_HEADERS) for count in ROLLOUT_COUNTS]
    by_headers = [added(counts, STICKY.name, shape) for shape in HEADER_SHAPES]
    cookies = [added(counts, STICKY_COOKIE.name, shape) for shape in (NINE_HEADERS, COOKIE_4K)]
    chunks = [added(counts, variant.name, STREAM, digits=2) for variant in (NOOP, NOOP_RESTRICTED, STICKY)]
    return [
        row("added instructions, thousands, with 1 / 10 / 100 / 1,000 rollouts", " / ".join(by_rollouts)),
        row("… with 5 / 9 / 20 / 60 request headers", " / ".join(by_headers)),
        row("… with a sticky cookie in a short cookie header / in one of 4 KiB", " / ".join(cookies)),
        row("… for each chunk of a streamed response with a no-op filter / restricted / bluegreen", " / ".join(chunks)),
    ]


def fleet_row(counts: list[tuple[str, Count]]) -> str:
    titles = " / ".join(title for title, _ in counts)
    figures = " / ".join(f"{count.median:.1f}" for _, count in counts)
    return row(f"instructions of a request, thousands: {titles}", figures)


def memory_row(variant: Variant, memory: dict[str, Memory]) -> str:
    ours = memory[variant.name]
    by_workers = " / ".join(f"{mib:.0f}" for mib in ours.rss_mib.values())
    return row(
        f"memory with 1 / 2 / 4 workers, and start: {variant.title}",
        f"{by_workers} MiB, {ours.per_worker_mib:.1f} a worker more; ready in {ours.start_s[1]:.2f} s")


def repeatability(counts: Counts) -> str:
    worst = max(count.spread for count in counts.values())
    return f"The rounds of one count lie within {worst * 100:.2f} % of each other."


def added(counts: Counts, name: str, shape: str, digits: int = 1) -> str:
    return f"{counts[name, shape].median - counts[PLAIN_ROUTE.name, shape].median:+.{digits}f}"


def spread(ratio: tuple[float, float, float]) -> str:
    lower, middle, upper = ratio
    return f"{middle:.2f} ({lower:.2f}–{upper:.2f})"


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
