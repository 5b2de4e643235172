from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from .money import ZERO, Money
from .services import ANY
from .units import NO_RATES, NO_UNITS, UnitRates, Units
from .usage import TokenUsage

MOST_TIERS = 20
MOST_SERVICES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Money a single token, by class. A class without a rate of its own costs what plain input,
    or plain output, costs; writing to the cache for an hour, what writing to it costs; cached sound
    and images, what other cached input costs."""

    input: Money
    output: Money
    cached_input: Money | None = None
    cached_audio_input: Money | None = None
    cached_image_input: Money | None = None
    cache_write: Money | None = None
    cache_write_1h: Money | None = None
    audio_input: Money | None = None
    image_input: Money | None = None
    reasoning: Money | None = None
    audio_output: Money | None = None
    image_output: Money | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            rate = getattr(self, name)
            if rate is not None and rate < ZERO:
                raise ValueError(f"the {name} rate is negative")

    def cost_of(self, usage: TokenUsage) -> Money:
        plain_in, plain_out = self.input.pico, self.output.pico
        written = _pico(self.cache_write, plain_in)
        cached = _pico(self.cached_input, plain_in)
        return Money(
            usage.input * plain_in
            + usage.cached_input * cached
            + usage.cached_audio_input * _pico(self.cached_audio_input, cached)
            + usage.cached_image_input * _pico(self.cached_image_input, cached)
            + usage.cache_write * written
            + usage.cache_write_1h * _pico(self.cache_write_1h, written)
            + usage.audio_input * _pico(self.audio_input, plain_in)
            + usage.image_input * _pico(self.image_input, plain_in)
            + usage.output * plain_out
            + usage.reasoning * _pico(self.reasoning, plain_out)
            + usage.audio_output * _pico(self.audio_output, plain_out)
            + usage.image_output * _pico(self.image_output, plain_out)
        )

    def bound(self, input_tokens: int, output_tokens: int) -> Money:
        """The most that so many tokens can cost, whatever classes they fall into."""
        plain_in, plain_out = self.input.pico, self.output.pico
        dearest_in = max(
            plain_in,
            _pico(self.cached_input, plain_in),
            _pico(self.cached_audio_input, plain_in),
            _pico(self.cached_image_input, plain_in),
            _pico(self.cache_write, plain_in),
            _pico(self.cache_write_1h, plain_in),
            _pico(self.audio_input, plain_in),
            _pico(self.image_input, plain_in),
        )
        dearest_out = max(
            plain_out,
            _pico(self.reasoning, plain_out),
            _pico(self.audio_output, plain_out),
            _pico(self.image_output, plain_out),
        )
        return Money(input_tokens * dearest_in + output_tokens * dearest_out)


def _pico(rate: Money | None, plain: int) -> int:
    return plain if rate is None else rate.pico


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Rates for the whole call once its prompt is longer than `above_prompt_tokens`."""

    above_prompt_tokens: int
    rates: Rates


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrice:
    """What one model costs at one provider: base rates, tiers for long prompts, and what is not
    sold by the token. `services` are those that have another price: `priority`, `flex`; what one of
    them does not sell by the token costs what it costs otherwise, where it has no rates of that."""

    rates: Rates
    tiers: tuple[Tier, ...] = ()
    units: UnitRates = NO_RATES
    services: tuple["Service", ...] = ()
    _ordinary: "ModelPrice" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        thresholds = [tier.above_prompt_tokens for tier in self.tiers]
        if any(low >= high for low, high in zip([0, *thresholds], thresholds, strict=False)):
            raise ValueError("tiers must stand in order of their thresholds, all above 0")
        if len(thresholds) > MOST_TIERS:
            raise ValueError(f"a price has at most {MOST_TIERS} tiers")
        names = [service.name for service in self.services]
        if names != sorted(set(names)):
            raise ValueError("services must stand in order of their names, each once")
        if len(names) > MOST_SERVICES:
            raise ValueError(
                f"a price has at most {MOST_SERVICES} services beside the ordinary one"
            )
        ordinary = replace(self, services=()) if self.services else self
        object.__setattr__(self, "_ordinary", ordinary)

    def rates_for(self, prompt_tokens: int) -> Rates:
        if not self.tiers:
            return self.rates
        rates = self.rates
        for tier in self.tiers:
            if prompt_tokens > tier.above_prompt_tokens:
                rates = tier.rates
        return rates

    def cost_of(self, usage: TokenUsage) -> Money:
        """Adds up over usage within one tier, but for the fee of a request; a tier is chosen by the
        prompt's whole length. A service without a price of its own costs what the ordinary one
        costs. Nothing used costs nothing."""
        price = self._at(usage.service)
        cost = price.rates_for(usage.prompt_tokens).cost_of(usage)
        rates = price.units if price.units.by_name else self.units
        if not rates.by_name:
            return cost
        others = rates.pico_of(usage.units) if usage.units.by_name else 0
        fee = rates.pico_a_request
        if fee and not usage.is_nothing:
            others += fee
        return Money(cost.pico + others) if others else cost

    def bound(self, input_tokens: int, output_tokens: int, units: Units = NO_UNITS) -> Money:
        """The most that a call within these counts can cost, whatever classes they fall into, and
        whichever of the services answers."""
        bound = self._bound(input_tokens, output_tokens, units, self.units)
        for service in self.services:
            own = service.price.units
            rates = own if own.by_name else self.units
            bound = max(bound, service.price._bound(input_tokens, output_tokens, units, rates))
        return Money(bound)

    def _bound(self, input_tokens: int, output_tokens: int, units: Units, rates: UnitRates) -> int:
        bound = self.rates.bound(input_tokens, output_tokens).pico
        for tier in self.tiers:
            if input_tokens > tier.above_prompt_tokens:
                bound = max(bound, tier.rates.bound(input_tokens, output_tokens).pico)
        if units.by_name:
            bound += rates.pico_of(units)
        return bound + rates.pico_a_request

    def asked_for(self, service: str | None) -> "ModelPrice":
        """For a call that asks for a service, or for none: others will not answer it. Any may,
        where it asks for whichever the provider's project is set to."""
        if service == ANY:
            return self
        if service is None or not self.services:
            return self._ordinary  # made beforehand, for what nearly every call asks for
        asked = tuple(each for each in self.services if each.name == service)
        return replace(self, services=asked)

    def _at(self, service: str | None) -> "ModelPrice":
        if service is not None:
            for each in self.services:
                if each.name == service:
                    return each.price
        return self


@dataclass(frozen=True, slots=True)
class Service:
    """A service beside the ordinary one. Its price has no services in turn."""

    name: str
    price: ModelPrice

    def __post_init__(self) -> None:
        if not self.name or self.price.services:
            raise ValueError("a service has a name, and no services in turn")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedPrice:
    """A price row. The newest one that has begun applies to a call."""

    provider: str
    model: str
    effective_from_ns: int
    price: ModelPrice
    source: str = "operator"


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Every dated price, by provider and model."""

    _rows: Mapping[tuple[str, str], tuple[DatedPrice, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, prices: Iterable[DatedPrice]) -> Self:
        rows: dict[tuple[str, str], list[DatedPrice]] = {}
        for price in prices:
            rows.setdefault((price.provider, price.model), []).append(price)
        return cls(
            {
                name: tuple(sorted(dated, key=lambda row: row.effective_from_ns))
                for name, dated in rows.items()
            }
        )

    def at(self, provider: str, model: str, now_ns: int) -> ModelPrice | None:
        """What was in force at that moment; None where the model had no price."""
        row = self.in_force(provider, model, now_ns)
        return None if row is None else row.price

    def in_force(self, provider: str, model: str, now_ns: int) -> DatedPrice | None:
        """The same, with its date and who set it."""
        rows = self._rows.get((provider, model), ())
        begun = bisect_right(rows, now_ns, key=lambda row: row.effective_from_ns)
        return rows[begun - 1] if begun else None

    def rows(self) -> tuple[DatedPrice, ...]:
        return tuple(row for dated in self._rows.values() for row in dated)
