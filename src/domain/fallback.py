# A request that one provider finds faulty is faulty for the next one too. Everything else that is
# not a success is that provider's trouble: a wrong credential, a model it does not have, a limit,
# an outage.
_CALLERS_FAULT = frozenset({400, 405, 406, 411, 412, 413, 414, 415, 416, 422, 431})


def is_callers_fault(status: int) -> bool:
    """Whether an upstream status blames the request, so that no other target may be asked."""
    return status in _CALLERS_FAULT
