"""A call under way as the server keeps it: its ask as JSON, and a line for each claim."""

import json
from uuid import UUID

from ...domain.admission import Ask, Claim, CounterId, Reservation
from ...domain.ids import KeyId, OrganizationId, RequestId, TeamId
from ...domain.limits import Limit, Measure, Sliding
from ...domain.money import Money
from ...domain.rate_window import SLOTS
from .names import counter_name, limit_id_of

_US_PER_S = 10**6
_NS_PER_US = 1000
NO_SLOT = "-"


def slot_of(limit: Limit) -> str:
    """The length of a slot in microseconds, in text; a period has none."""
    window = limit.window
    return str(window.seconds * _US_PER_S // SLOTS) if isinstance(window, Sliding) else NO_SLOT


def place_ns(slot: str, place: int) -> int:
    """The server numbers slots as the domain does, but tells times in microseconds."""
    return place * _NS_PER_US if slot == NO_SLOT else place


def told_ask(ask: Ask) -> str:
    return json.dumps(
        [
            ask.request_id.hex,
            ask.key_id.hex,
            ask.team_id and ask.team_id.hex,
            ask.organization_id and ask.organization_id.hex,
            ask.end_user,
            ask.tag,
            ask.model,
            ask.streamed,
            ask.at_ns,
            ask.lease_until_ns,
            ask.input_bound,
            ask.output_bound,
            ask.cost_bound.pico,
            ask.priced,
        ]
    )


def told_claim(counter: str, measure: Measure, name: str) -> str:
    """What the server puts behind slot, amount and place."""
    return f"{counter} {measure} {json.dumps(name)}"


def claim_line(limit: Limit, claim: Claim) -> str:
    slot = slot_of(limit)
    place = claim.place // _NS_PER_US if slot == NO_SLOT else claim.place
    name = claim.counter.name
    told = told_claim(counter_name(limit, name), limit.measure, name)
    return f"{slot} {claim.amount} {place} {told}"


def read_reservation(text: str) -> Reservation:
    first, *lines = text.split("\n")
    return Reservation(ask=_read_ask(first), claims=tuple(_read_claim(line) for line in lines))


def _read_ask(text: str) -> Ask:
    call, key, team, organization, end_user, tag, model, streamed, *numbers, priced = json.loads(
        text
    )
    at_ns, lease_until_ns, input_bound, output_bound, cost = numbers
    return Ask(
        request_id=RequestId(UUID(call)),
        key_id=KeyId(UUID(key)),
        team_id=TeamId(UUID(team)) if team else None,
        organization_id=OrganizationId(UUID(organization)) if organization else None,
        end_user=end_user,
        tag=tag,
        model=model,
        streamed=streamed,
        at_ns=at_ns,
        lease_until_ns=lease_until_ns,
        input_bound=input_bound,
        output_bound=output_bound,
        cost_bound=Money(cost),
        priced=priced,
    )


def _read_claim(line: str) -> Claim:
    slot, amount, place, counter, measure, name = line.split(" ", 5)
    return Claim(
        counter=CounterId(limit_id_of(counter), json.loads(name)),
        measure=Measure(measure),
        amount=int(amount),
        place=place_ns(slot, int(place)),
    )
