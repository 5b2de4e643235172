from ...domain.attempts import told
from ...domain.receipt import Receipt

_NS_PER_MS = 10**6
_MAX_DROPPED, _MAX_NAME = 40, 80


def receipt_headers(receipt: Receipt) -> dict[str, str]:
    """What OpenAI's clients read, and what this gateway has to add."""
    headers = {"x-request-id": f"req_{receipt.request_id.hex}"}
    limits, remaining = receipt.limits, receipt.remaining
    if limits.requests_per_minute is not None:
        headers["x-ratelimit-limit-requests"] = str(limits.requests_per_minute)
        headers["x-ratelimit-remaining-requests"] = str(remaining.requests)
        headers["x-ratelimit-reset-requests"] = duration(remaining.reset_requests_ns)
    if limits.tokens_per_minute is not None:
        headers["x-ratelimit-limit-tokens"] = str(limits.tokens_per_minute)
        headers["x-ratelimit-remaining-tokens"] = str(remaining.tokens)
        headers["x-ratelimit-reset-tokens"] = duration(remaining.reset_tokens_ns)
    if receipt.attempts:
        headers["x-langroute-attempts"] = told(receipt.attempts)
        last = receipt.attempts[-1]
        if last.result == "ok":
            headers["x-langroute-provider"] = last.provider
            headers["x-langroute-model"] = last.model
    if receipt.dropped:
        # Some are named by the caller: whatever they hold, they stay in their line.
        headers["x-langroute-dropped"] = ", ".join(map(_shown, receipt.dropped[:_MAX_DROPPED]))
    if receipt.output_cap is not None:
        headers["x-langroute-output-cap"] = str(receipt.output_cap)
    if receipt.cost is not None:
        headers["x-langroute-cost"] = str(receipt.cost)
    return headers


def _shown(name: str) -> str:
    return ascii(name[:_MAX_NAME])[1:-1][:_MAX_NAME]


def duration(ns: int) -> str:
    """As OpenAI writes it: `12ms`, `1s`, `6m0s`. Rounded up."""
    ms = -(-ns // _NS_PER_MS)
    if ms < 1000:  # noqa: PLR2004
        return f"{ms}ms"
    s = -(-ms // 1000)
    minutes, s = divmod(s, 60)
    return f"{minutes}m{s}s" if minutes else f"{s}s"
