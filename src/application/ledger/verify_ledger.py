from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...domain.verification import Difference
from ..ports.evidence import Evidence, Witness


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`looked_at` is how many of each kind were compared."""

    differences: Sequence[Difference]
    looked_at: Mapping[str, int]

    @property
    def is_sound(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class VerifyLedger:
    """Open to administrators. Compares whatever is kept added up with the ledger, while calls go
    on, and says exactly what differs. Raises StoreUnavailable."""

    witnesses: Sequence[Witness]

    async def __call__(self) -> Verdict:
        differences: list[Difference] = []
        looked_at: Counter[str] = Counter()
        for witness in self.witnesses:
            evidence = await witness.evidence()
            differences += _differences(evidence)
            looked_at.update(evidence.looked_at)
        return Verdict(differences=differences, looked_at=looked_at)


def _differences(evidence: Evidence) -> Sequence[Difference]:
    found = list(evidence.alone)
    for sums in evidence.sums:
        found += sums.differences()
    for counter in evidence.counters:
        found += counter.differences(evidence.now_ns)
    return found
