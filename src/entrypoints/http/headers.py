from ...domain.attempts import told
from ...domain.receipt import Receipt
from .rate_limits import limit_headers

_MAX_DROPPED, _MAX_NAME = 40, 80


def receipt_headers(receipt: Receipt) -> dict[str, str]:
    """What OpenAI's clients read, and what this gateway has to add."""
    headers = {"x-request-id": f"req_{receipt.request_id.hex}"}
    headers.update(limit_headers(receipt.standings))
    if receipt.warnings:
        headers["x-langroute-warning"] = ", ".join(limit.name for limit in receipt.warnings)
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
