"""What is sold by something other than the token: pictures, letters, seconds, searches."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from .money import ZERO, Money

# For how many of them a price is told, as providers do: a picture, a million letters of a text that
# is read aloud, an hour of a recording, a thousand searches.
UNITS: Mapping[str, int] = MappingProxyType(
    {
        "images": 1,
        "characters": 1_000_000,
        "audio_seconds": 3_600,
        "web_searches": 1_000,
        "file_searches": 1_000,
    }
)
# A fee for each call, whatever it is: no call has fewer or more than one, so it is not counted.
REQUESTS = "requests"
RATED: Mapping[str, int] = MappingProxyType({**UNITS, REQUESTS: 1_000})

MOST_RATES = 200
# Pictures of another size or quality may have another price: `images:high:1024x1536`.
_VARIANT = re.compile(r"images(:[a-z0-9][a-z0-9_.-]{0,31}){1,3}")


def unit_of(name: str) -> str | None:
    """The unit that a name counts, in whatever variant; None where it counts none."""
    unit = "images" if _VARIANT.fullmatch(name) else name
    return unit if unit in UNITS else None


@dataclass(frozen=True, slots=True)
class Units:
    """How much of each one call used: what it used nothing of is left out."""

    by_name: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, count in self.by_name.items():
            if unit_of(name) is None or type(count) is not int or count < 1:
                raise ValueError(f"{name!r} cannot be used {count!r} times")

    @classmethod
    def of(cls, **counts: int) -> "Units":
        return cls({name: count for name, count in counts.items() if count})

    def __bool__(self) -> bool:
        return bool(self.by_name)

    def __add__(self, other: "Units") -> "Units":
        if not other.by_name:
            return self
        names = [*self.by_name, *(name for name in other.by_name if name not in self.by_name)]
        return Units({name: self.count(name) + other.count(name) for name in names})

    def count(self, name: str) -> int:
        return self.by_name.get(name, 0)


NO_UNITS = Units()


@dataclass(frozen=True, slots=True)
class UnitRates:
    """What so many of each unit cost as stand in `RATED`. What has no rate is free; a variant
    without a rate of its own costs what the unit does, or a part of its name."""

    by_name: Mapping[str, Money] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.by_name) > MOST_RATES:
            raise ValueError(f"a price has rates for at most {MOST_RATES} units")
        for name, rate in self.by_name.items():
            if name != REQUESTS and unit_of(name) is None:
                raise ValueError(f"there is no unit {name!r}")
            if rate < ZERO:
                raise ValueError(f"the rate of {name} is negative")

    def __bool__(self) -> bool:
        return bool(self.by_name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def pico_of(self, units: Units) -> int:
        """Up to the next pico-dollar, for each name: a second is a 3,600th of an hour."""
        return sum(self._pico(name, count) for name, count in units.by_name.items())

    @property
    def pico_a_request(self) -> int:
        rate = self.by_name.get(REQUESTS)
        return 0 if rate is None else -(-rate.pico // RATED[REQUESTS])

    def _pico(self, name: str, count: int) -> int:
        rate = self.by_name.get(name)
        while rate is None and ":" in name:
            name = name.rpartition(":")[0]
            rate = self.by_name.get(name)
        return 0 if rate is None else -(-count * rate.pico // UNITS[name.partition(":")[0]])


NO_RATES = UnitRates()
