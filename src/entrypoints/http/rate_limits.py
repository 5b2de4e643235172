"""What is left of a caller's limits, in the headers that client libraries read.

OpenAI's: https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers, of which there
is room for one limit of requests and one of tokens. The IETF's, which have room for all:
https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (draft 11), as lists of
https://www.rfc-editor.org/rfc/rfc9651
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from ...domain.limits import Limit, Measure, Refusal, Sliding, Standing

_NS_PER_MS, _NS_PER_S = 10**6, 10**9
# "requests" is the default. The draft has a registry of units, in which tokens and money are not.
_UNITS = {
    Measure.TOKENS: "tokens",
    Measure.MONEY: "micro-usd",
    Measure.PARALLEL: "concurrent-requests",
}
# In pico-dollars, a budget of a thousand would be longer than an integer of a header may be.
_PICO_PER_MICRO = 10**6
_LARGEST = 10**15 - 1  # RFC 9651, 3.3.1
# So that no client finds the line too long, whatever an operator has set up: some stop at 8 kB.
_MOST = 50
_OPENAIS = (Measure.REQUESTS, Measure.TOKENS)
# Limits whose names and policies are at hand: of those that are called just now.
_KEPT = 4_096


def limit_headers(
    standings: Sequence[Standing], refusal: Refusal | None = None
) -> Iterator[tuple[str, str]]:
    """`refusal` is why a call was not admitted."""
    if not standings:
        return
    for measure in _OPENAIS:
        counting = [s for s in standings if s.limit.measure is measure and s.reset_ns is not None]
        if counting:
            tightest = counting[0] if len(counting) == 1 else min(counting, key=_share_left)
            yield f"x-ratelimit-limit-{measure}", str(tightest.limit.amount)
            yield f"x-ratelimit-remaining-{measure}", str(tightest.remaining)
            yield f"x-ratelimit-reset-{measure}", duration(tightest.reset_ns or 0)
    told = standings
    if len(told) > _MOST:
        told = sorted(standings, key=_share_left)[:_MOST]
    yield "ratelimit-policy", ", ".join([_policy(s.limit) for s in told])
    yield "ratelimit", ", ".join([_left(s, refusal) for s in told])
    if refusal is not None:
        yield "x-langroute-limit", policy_name(refusal.limit)


def duration(ns: int) -> str:
    """As OpenAI writes it: `12ms`, `1s`, `6m0s`. Rounded up."""
    ms = -(-ns // _NS_PER_MS)
    if ms < 1000:  # noqa: PLR2004
        return f"{ms}ms"
    s = -(-ms // 1000)
    minutes, s = divmod(s, 60)
    return f"{minutes}m{s}s" if minutes else f"{s}s"


@lru_cache(maxsize=_KEPT)
def policy_name(limit: Limit) -> str:
    """Tells limits apart that look alike in words, also those of several scopes: there is no need
    of the draft's partition keys. The same wherever the limit is told of."""
    return f"{limit.scope.kind}-{limit.measure}-{limit.id.hex[:6]}"


def _share_left(standing: Standing) -> float:
    return standing.remaining / standing.limit.amount if standing.limit.amount else 0.0


@lru_cache(maxsize=_KEPT)
def _policy(limit: Limit) -> str:
    unit = _UNITS.get(limit.measure)
    # A day, a week or a month has no fixed length; `t` tells when it ends.
    window = f";w={limit.window.seconds}" if isinstance(limit.window, Sliding) else ""
    quota = _number(limit, limit.amount)
    return f'"{policy_name(limit)}";q={quota}' + (f';qu="{unit}"' if unit else "") + window


def _left(standing: Standing, refusal: Refusal | None) -> str:
    """How much may be used within how many seconds: until all is free again or, of the limit that
    refused, until the same call would fit, so that this is no later than `retry-after`."""
    within_ns = standing.reset_ns
    if refusal is not None and refusal.limit == standing.limit:
        within_ns = refusal.retry_after_ns
    within = "" if within_ns is None else f";t={min(_LARGEST, -(-within_ns // _NS_PER_S))}"
    left = _number(standing.limit, standing.remaining)
    return f'"{policy_name(standing.limit)}";r={left}{within}'


def _number(limit: Limit, amount: int) -> int:
    return min(_LARGEST, amount // _PICO_PER_MICRO if limit.is_budget else amount)
