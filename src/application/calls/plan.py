from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Generic, NamedTuple

from ...domain.admission import Ask
from ...domain.bounds import cost_bound
from ...domain.catalogue import Catalogue
from ...domain.keys import VirtualKey
from ...domain.limits import Standing
from ...domain.pricing import ModelPrice
from ...domain.routes import Target, Unsupported
from ...domain.services import service_named
from ...domain.shrinking import shrunk
from ...domain.usage import TokenUsage
from ..ports.upstream import RequestT


class Plan(NamedTuple, Generic[RequestT]):
    """What is going to be tried for a call, and the most that it can use.

    `prices` are those of the targets, in their order. `reserved_cap` is the output that is held
    for each choice; `output_cap` is sent to the provider, so that it cannot be exceeded: None
    leaves the caller's request as it is. `shrunk_from` is the cap that did not fit.
    """

    key: VirtualKey
    request: RequestT
    catalogue: Catalogue
    targets: tuple[Target, ...]
    prices: tuple[ModelPrice | None, ...]
    reserved_cap: int
    output_cap: int | None
    may_shrink: bool
    unsupported: Unsupported
    ask: Ask
    shrunk_from: int | None = None

    @property
    def told_cap(self) -> int | None:
        """The cap that is sent, where the caller does not know it."""
        is_own = self.request.output_cap is not None and self.shrunk_from is None
        return None if is_own else self.output_cap

    def fitted(self, standings: Sequence[Standing]) -> "Plan[RequestT] | None":
        """With a cap that fits into what is left of its limits, where it may be given one, and
        there is one."""
        if not self.may_shrink:
            return None
        units = self.request.units_bound
        bound = partial(cost_bound, self.prices, self.ask.input_bound, units=units)
        found = shrunk(self.ask, self.reserved_cap, self.request.choices, bound, standings)
        if found is None or found[0] >= self.reserved_cap:
            return None
        cap, ask = found
        return self._replace(
            ask=ask, reserved_cap=cap, output_cap=cap, shrunk_from=self.reserved_cap
        )

    def used(self, told: TokenUsage | None, said: int, target: Target) -> TokenUsage:
        """What the provider told, and what it did not tell as it probably was: `said` are tokens
        that were seen of its answer, and are not among what it told."""
        if told is None:
            return self.likely_usage(max(said, self.request.likely_output(target.model)))
        more: dict[str, Any] = {}
        if (units := self.request.likely_units) and not told.units:
            more["units"] = units
        if told.completion_tokens and not told.prompt_tokens:  # nobody answers to nothing
            more["input"] = self.request.likely_input
        if said:
            name = self.request.output_class
            more[name] = getattr(told, name) + said
        return replace(told, **more) if more else told

    @staticmethod
    def is_estimated(told: TokenUsage | None, used: TokenUsage) -> bool:
        """Whether tokens are in it that the provider did not tell."""
        return told is None or used.total > told.total

    def likely_usage(self, output_tokens: int) -> TokenUsage:
        """For a call whose provider did not tell what it used: the input as it probably was."""
        return TokenUsage(
            input=self.request.likely_input,
            service=service_named(self.request.service),
            units=self.request.likely_units,
            **{self.request.output_class: output_tokens},
        )
