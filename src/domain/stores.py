from enum import StrEnum


class Store(StrEnum):
    """What is kept outside of the process, in the words for whoever has to do without it."""

    CONFIGURATION = "the configuration"
    COUNTERS = "the counters of limits"
    LEDGER = "the ledger"
    REPLIES = "the answers kept for an Idempotency-Key"
    AUDIT_LOG = "the audit log"
