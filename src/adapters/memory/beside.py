from collections.abc import Iterable, Iterator, Sequence

from ...application.ports.history import Past
from ...domain.admission import CounterId
from ...domain.limits import Limit
from ...domain.rebuild import tallies
from ...domain.verification import KeptCounter
from .counters import Counters, key_of
from .held import ByScope, Held


def beside(
    limits: Sequence[Limit], past: Past, counters: Counters, held: Iterable[Held]
) -> Iterator[KeptCounter]:
    """Each counter of these limits beside what the ledger, and the calls under way, say of it."""
    calls = ByScope(held, past.waiting)
    names: dict[int, set[str]] = {limit.id.int: {""} for limit in limits}
    for number, name in counters.names(names):
        names[number].add(name)
    for limit in limits:
        over = [*past.settled.get(limit.id, ())]
        for entry in calls.waiting(limit):
            over += tallies(limit, entry)
        claims = calls.claims(limit)
        told = {each.name for each in over} | {each.counter.name for each in claims}
        for name in names[limit.id.int] | told:
            yield KeptCounter(
                limit=limit,
                name=name,
                found=counters.get(key_of(CounterId(limit.id, name))) or limit.fresh(),
                over=[tally for tally in over if tally.name == name],
                under_way=[claim for claim in claims if claim.counter.name == name],
            )
