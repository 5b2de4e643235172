from typing import NewType
from uuid import UUID

OrganizationId = NewType("OrganizationId", UUID)
TeamId = NewType("TeamId", UUID)

KeyId = NewType("KeyId", UUID)
"""Names a virtual key. Not secret: it appears in logs, reports and the ledger."""

RequestId = NewType("RequestId", UUID)
"""Names one call through the gateway: its reservation, its ledger entry, its `x-request-id`."""
