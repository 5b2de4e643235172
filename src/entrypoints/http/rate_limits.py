"""What is left of a caller's limits, in the headers that client libraries read.

OpenAI's: https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers, of which there
is room for one limit of requests and one of tokens. The IETF's, which have room for all:
https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
"""

from collections.abc import Iterator, Sequence

from ...domain.limits import Limit, Measure, Sliding, Standing

_NS_PER_MS, _NS_PER_S = 10**6, 10**9
_UNITS = {
    Measure.TOKENS: "tokens",
    Measure.MONEY: "pico-usd",
    Measure.PARALLEL: "concurrent-requests",
}


def limit_headers(standings: Sequence[Standing]) -> Iterator[tuple[str, str]]:
    if not standings:
        return
    for measure in (Measure.REQUESTS, Measure.TOKENS):
        tightest = min(
            (
                s
                for s in standings
                if s.limit.measure is measure and isinstance(s.limit.window, Sliding)
            ),
            key=_share_left,
            default=None,
        )
        if tightest is not None:
            yield f"x-ratelimit-limit-{measure}", str(tightest.limit.amount)
            yield f"x-ratelimit-remaining-{measure}", str(tightest.remaining)
            yield f"x-ratelimit-reset-{measure}", duration(tightest.reset_ns or 0)
    yield "ratelimit-policy", ", ".join(_policy(s.limit) for s in standings)
    yield "ratelimit", ", ".join(map(_left, standings))


def duration(ns: int) -> str:
    """As OpenAI writes it: `12ms`, `1s`, `6m0s`. Rounded up."""
    ms = -(-ns // _NS_PER_MS)
    if ms < 1000:  # noqa: PLR2004
        return f"{ms}ms"
    s = -(-ms // 1000)
    minutes, s = divmod(s, 60)
    return f"{minutes}m{s}s" if minutes else f"{s}s"


def _share_left(standing: Standing) -> float:
    return standing.remaining / standing.limit.amount if standing.limit.amount else 0.0


def _policy(limit: Limit) -> str:
    unit = _UNITS.get(limit.measure)
    window = f";w={limit.window.seconds}" if isinstance(limit.window, Sliding) else ""
    return f'"{_name(limit)}";q={limit.amount}{window}' + (f';qu="{unit}"' if unit else "")


def _left(standing: Standing) -> str:
    reset = "" if standing.reset_ns is None else f";t={-(-standing.reset_ns // _NS_PER_S)}"
    return f'"{_name(standing.limit)}";r={standing.remaining}{reset}'


def _name(limit: Limit) -> str:
    """Tells limits apart that look alike in words."""
    return f"{limit.scope.kind}-{limit.measure}-{limit.id.hex[:6]}"
