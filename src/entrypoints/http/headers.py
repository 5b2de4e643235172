from ...domain.attempts import told
from ...domain.receipt import Receipt
from .rate_limits import limit_headers

_MAX_DROPPED, _MAX_NAME = 40, 80
_MAX_WARNINGS, _MAX_LIMIT = 20, 160
_MAX_ATTEMPTS, _MAX_MODEL = 4000, 256


def receipt_headers(receipt: Receipt) -> dict[str, str]:
    """What OpenAI's clients read, and what this gateway has to add."""
    headers = {"x-request-id": f"req_{receipt.request_id.hex}"}
    headers.update(limit_headers(receipt.standings, receipt.refusal))
    if receipt.refusal is not None:
        kind = receipt.refusal.limit.scope.kind
        headers["x-langroute-limit-of"] = f"{kind} {_shown(receipt.scope_name, _MAX_LIMIT)}".strip()
    if receipt.warnings:
        # Patterns in them are the operator's: whatever they hold, they stay in their line.
        names = (_shown(limit.name, _MAX_LIMIT) for limit in receipt.warnings[:_MAX_WARNINGS])
        headers["x-langroute-warning"] = ", ".join(names)
    if receipt.attempts:
        # Models are named by operators and, under a wildcard, by callers.
        headers["x-langroute-attempts"] = _shown(told(receipt.attempts), _MAX_ATTEMPTS)
        last = receipt.attempts[-1]
        if last.result == "ok":
            headers["x-langroute-provider"] = last.provider
            headers["x-langroute-model"] = _shown(last.model, _MAX_MODEL)
    if receipt.dropped:
        # Some are named by the caller: whatever they hold, they stay in their line.
        headers["x-langroute-dropped"] = ", ".join(map(_shown, receipt.dropped[:_MAX_DROPPED]))
    if receipt.output_cap is not None:
        headers["x-langroute-output-cap"] = str(receipt.output_cap)
    if receipt.shrunk_from is not None:
        headers["x-langroute-shrunk-from"] = str(receipt.shrunk_from)
    if receipt.cost is not None:
        headers["x-langroute-cost"] = str(receipt.cost)
    return headers


def _shown(name: str, most: int = _MAX_NAME) -> str:
    return ascii(name[:most])[1:-1][:most]
