"""What keys are called. All of a tenant's have its id in braces, so that a cluster keeps them in
one slot: https://valkey.io/topics/cluster-spec/#hash-tags
"""

from hashlib import sha256
from uuid import UUID

from ...domain.admission import Ask, CounterId
from ...domain.keys import VirtualKey

TENANTS = "langroute:tenants"
"""Whose leases to look at, and when: tenants by a time in Unix milliseconds."""


def tenant_of(ask: Ask) -> UUID:
    """Whose limits can meet in one call: those of an organization, or of a team without one, or of
    a key without a team."""
    return ask.organization_id or ask.team_id or ask.key_id


def tenant_of_key(key: VirtualKey) -> UUID:
    """The same, for all of its calls."""
    team = key.team
    if team is None:
        return key.id
    return team.organization.id if team.organization else team.id


def call_key(tenant: str, request_id: str) -> str:
    return f"langroute:{{{tenant}}}:call:{request_id}"


def leases_key(tenant: str) -> str:
    return f"langroute:{{{tenant}}}:leases"


def known_key(tenant: str) -> str:
    return f"langroute:{{{tenant}}}:known"


def counter_key(tenant: str, counter: str) -> str:
    return f"langroute:{{{tenant}}}:{counter}"


def counter_name(counter_id: CounterId) -> str:
    """What callers call their end users may be long, and is nobody's business."""
    limit = counter_id.limit_id.hex
    if not counter_id.name:
        return limit
    told = counter_id.name.encode("utf-8", "surrogatepass")
    return f"{limit}:{sha256(told).hexdigest()[:32]}"
