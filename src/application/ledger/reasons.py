from ...domain.errors import InvalidRequest

_LONGEST = 1000


def checked_reason(reason: str) -> str:
    """Why something of the ledger is corrected. Raises InvalidRequest."""
    reason = reason.strip()
    if not 1 <= len(reason) <= _LONGEST:
        raise InvalidRequest(f"'reason' must have from 1 to {_LONGEST} characters.", param="reason")
    return reason
