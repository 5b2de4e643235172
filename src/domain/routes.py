from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from .patterns import matched_by_star

_MASK = (1 << 64) - 1
MOST_TARGETS = 50
MOST_ALIASES = 200


class Unsupported(StrEnum):
    """What becomes of a call with a field that a target cannot take: it is sent without the field,
    and the caller is told; or it is not sent there, and the caller gets an error where no other
    target can take it."""

    DROP = "drop"
    REFUSE = "refuse"


class Unbounded(StrEnum):
    """What becomes of a call that brings more than can be told beforehand, where a limit counts it
    that could not be held then: it is refused; or it is let in by what is known of it, and what it
    uses beyond that is a debt of its limits."""

    REFUSE = "refuse"
    DEBT = "debt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One model at one provider.

    Targets are tried by `order`, lowest first; those of one order share the load by `weight`, and
    stand in for one another. A `*` in `model` takes what the route's own `*` matched.
    """

    provider: str
    model: str
    order: int = 0
    weight: int = 1

    def __post_init__(self) -> None:
        if self.weight < 1:
            raise ValueError("a target's weight must be at least 1")
        if not self.model or not self.model.isprintable():
            raise ValueError("a target's model must be made of printable characters")
        if self.model.count("*") > 1:
            raise ValueError("a target's model may hold one `*`")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRoute:
    """Who answers for a model.

    `model` and `aliases` are what callers ask for; each may hold one `*`. `output_cap` is the
    output that a call without a cap of its own may use at most, in tokens. `unsupported` says what
    to do with what a target cannot express, `unbounded` with what has no bound. With `shrink`, a
    call whose cap does not fit into its limits is given the one that does, where the caller says
    nothing else.
    """

    model: str
    targets: tuple[Target, ...]
    aliases: tuple[str, ...] = ()
    output_cap: int | None = None
    unsupported: Unsupported = Unsupported.DROP
    unbounded: Unbounded = Unbounded.REFUSE
    shrink: bool = False

    def __post_init__(self) -> None:
        if not self.targets:
            raise ValueError(f"the route {self.model!r} needs a target")
        if len(self.targets) > MOST_TARGETS:
            raise ValueError(f"the route {self.model!r} has more than {MOST_TARGETS} targets")
        if len(self.aliases) > MOST_ALIASES:
            raise ValueError(f"the route {self.model!r} has more than {MOST_ALIASES} aliases")
        if not all(name and name.isprintable() for name in self.names):
            raise ValueError("a route's names must be made of printable characters")
        if any(name.count("*") > 1 for name in self.names):
            raise ValueError(f"a name of the route {self.model!r} holds more than one `*`")
        if len({(target.provider, target.model) for target in self.targets}) < len(self.targets):
            raise ValueError(f"the route {self.model!r} names a target twice")
        if self.output_cap is not None and self.output_cap < 1:
            raise ValueError(f"the output cap of the route {self.model!r} must be at least 1")

    @property
    def names(self) -> tuple[str, ...]:
        return (self.model, *self.aliases)

    def candidates(self, model: str, seed: int) -> tuple[Target, ...]:
        """The targets in the order in which to try them. The same seed gives the same order."""
        if len(self.targets) == 1:
            return (self._filled(self.targets[0], model),)
        by_order: dict[int, list[Target]] = {}
        for target in self.targets:
            by_order.setdefault(target.order, []).append(target)
        draws = _draws(seed)
        return tuple(
            self._filled(target, model)
            for order in sorted(by_order)
            for target in _weighted(by_order[order], draws)
        )

    def _filled(self, target: Target, model: str) -> Target:
        if "*" not in target.model:
            return target
        # Whichever name the catalogue has found it by: its own, or that with the most letters.
        by_length = sorted(self.names, key=lambda name: (name != model, -len(name)))
        star = next(s for name in by_length if (s := matched_by_star(name, model)) is not None)
        return Target(
            provider=target.provider,
            model=target.model.replace("*", star or model),
            order=target.order,
            weight=target.weight,
        )


def _weighted(targets: list[Target], draws: Iterator[int]) -> Iterator[Target]:
    """Draws without putting back: each next one with a chance in proportion to its weight."""
    left = list(targets)
    while len(left) > 1:
        point = next(draws) % sum(target.weight for target in left)
        for index, target in enumerate(left):
            point -= target.weight
            if point < 0:
                yield left.pop(index)
                break
    yield from left


def _draws(seed: int) -> Iterator[int]:
    """SplitMix64 (Steele, Lea, Flood 2014): seeding `random.Random` costs more than a request's
    whole plan."""
    state = seed & _MASK
    while True:
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        yield mixed ^ (mixed >> 31)
