"""What keys are called. All of a tenant's have its id in braces, so that a cluster keeps them in
one slot: https://valkey.io/topics/cluster-spec/#hash-tags
"""

from hashlib import sha256
from uuid import UUID

from ...domain.admission import Ask
from ...domain.keys import VirtualKey
from ...domain.limits import Limit
from ...domain.organizations import Team

_HEX = 32

TENANTS = "langroute:tenants"
"""Whose leases to look at, and when: tenants by a time in Unix milliseconds."""


def tenant_of(ask: Ask) -> UUID:
    """Whose limits can meet in one call: those of an organization, or of a team without one, or of
    a key without a team."""
    return ask.organization_id or ask.team_id or ask.key_id


def tenant_of_key(key: VirtualKey) -> UUID:
    """The same, for all of its calls."""
    return key.id if key.team is None else tenant_of_team(key.team)


def tenant_of_team(team: Team) -> UUID:
    return team.organization.id if team.organization else team.id


def call_key(tenant: str, request_id: str) -> str:
    return f"langroute:{{{tenant}}}:call:{request_id}"


def leases_key(tenant: str) -> str:
    return f"langroute:{{{tenant}}}:leases"


def known_key(tenant: str, limit: Limit) -> str:
    """Of a limit whose past is known there: the position of the last correction that it counts."""
    return f"{known_keys(tenant)}{limit_name(limit)}"


def known_keys(tenant: str) -> str:
    """What those begin with."""
    return f"langroute:{{{tenant}}}:known:"


def corrected_key(tenant: str) -> str:
    """The position of the last correction of the tenant's calls that was told there."""
    return f"langroute:{{{tenant}}}:corrected"


def counter_key(tenant: str, counter: str) -> str:
    return f"langroute:{{{tenant}}}:{counter}"


def limit_name(limit: Limit) -> str:
    """One that was lifted and is set again has another: it has missed calls in between."""
    return limit.id.hex if limit.since is None else f"{limit.id.hex}.{limit.since}"


def counter_name(limit: Limit, name: str) -> str:
    """What callers call their end users may be long, and is nobody's business."""
    if not name:
        return limit_name(limit)
    told = name.encode("utf-8", "surrogatepass")
    return f"{limit_name(limit)}:{sha256(told).hexdigest()[:32]}"


def limit_id_of(counter: str) -> UUID:
    return UUID(counter[:_HEX])
