from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.admission import Ask
from ...domain.bounds import cost_bound, is_priced
from ...domain.catalogue import Catalogue
from ...domain.errors import Forbidden, UnboundedField, UnknownModel
from ...domain.ids import RequestId
from ...domain.keys import VirtualKey
from ...domain.limits import Limit, Measure
from ...domain.pricing import ModelPrice, PriceBook
from ...domain.requests import ModelRequest
from ...domain.routes import ModelRoute, Target, Unbounded
from ...domain.timeouts import Timeouts
from ..ports.catalogues import CatalogueLookup
from ..ports.clock import Clock
from ..ports.entropy import Entropy
from ..ports.upstream import RequestT
from .plan import Plan

# A reservation outlives its call by this much: time enough to settle, and to notice a hang-up. A
# stream's deadline is checked between two pieces, so the wait for one more is allowed for, too.
_LEASE_SLACK_S = 30.0
_NS = 10**9

# What is reserved by its bound: without a cap there is none.
_BOUNDING = (Measure.TOKENS, Measure.MONEY)

# Into so many parts goes what a token limit leaves for output: a few calls without a cap of
# their own, and with short prompts, fit at a time.
_PARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCall:
    """Raises UnknownModel, or Forbidden for a model that this key may not use.

    The same request id and the same catalogue give the same plan.
    """

    catalogues: CatalogueLookup
    clock: Clock
    entropy: Entropy
    timeouts: Timeouts
    default_output_cap: int

    def __call__(self, key: VirtualKey, request: RequestT) -> Plan[RequestT]:
        catalogue = self.catalogues.current()
        route = _route(catalogue, key, request)
        now_ns = self.clock.now_ns()
        request_id = RequestId(self.entropy.uuid())
        targets = route.candidates(request.model, request_id.int)
        reserved_input = request.input_bound_at([target.model for target in targets])
        bounding = _bounding(key.all_limits, request)
        _check_bounded(request, route, bounding)
        cap, sent = self._caps(bounding, request, route, reserved_input)
        output = _output(request, cap, targets)
        service = request.service
        prices = _prices(catalogue.prices, targets, service, now_ns)
        ask = Ask(
            request_id=request_id,
            key_id=key.id,
            team_id=key.team.id if key.team else None,
            organization_id=key.organization.id if key.organization else None,
            end_user=request.end_user,
            tag=request.tag,
            model=request.model,
            streamed=request.stream,
            at_ns=now_ns,
            lease_until_ns=now_ns + self._lease_ns(),
            input_bound=reserved_input,
            output_bound=output,
            cost_bound=cost_bound(prices, reserved_input, output, request.units_bound),
            priced=is_priced(prices, service),
        )
        return Plan(
            key=key,
            request=request,
            catalogue=catalogue,
            targets=targets,
            prices=prices,
            reserved_cap=cap,
            output_cap=sent,
            may_shrink=_may_shrink(request, route),
            unsupported=route.unsupported,
            ask=ask,
        )

    def _lease_ns(self) -> int:
        longest_s = self.timeouts.total_s + self.timeouts.idle_s
        return int((longest_s + _LEASE_SLACK_S) * _NS)

    def _caps(
        self,
        bounding: Sequence[Limit],
        request: ModelRequest,
        route: ModelRoute,
        reserved_input: int,
    ) -> tuple[int, int | None]:
        """The output to reserve for one choice, and the cap to send."""
        if not request.writes:
            return 0, None
        if request.output_cap is not None:
            return request.output_cap, request.output_cap
        cap = route.output_cap or self.default_output_cap
        if not bounding:
            return cap, route.output_cap
        tokens = [limit.amount for limit in bounding if limit.measure is Measure.TOKENS]
        if tokens:
            # The caller asked for no certain length. All that the limit can hold would shut out
            # the key's next call until this one is over, or longer.
            left = min(tokens) - reserved_input - request.rejected_output
            fits = left // (request.choices * _PARTS)
            cap = max(1, min(cap, fits))
        return cap, cap


def _route(catalogue: Catalogue, key: VirtualKey, request: ModelRequest) -> ModelRoute:
    model, others = request.model, request.other_models
    route = catalogue.route(model)
    if route is None:
        raise UnknownModel(model)
    if not key.may_use(model):
        raise Forbidden(f"This key may not use the model {model!r}.", param="model")
    if others is not None and not key.may_use_all:
        raise Forbidden(
            f"This key may use certain models only, and {others!r} may name others.", param=others
        )
    return route


def _check_bounded(request: ModelRequest, route: ModelRoute, bounding: Sequence[Limit]) -> None:
    if not bounding or route.unbounded is Unbounded.DEBT:
        return
    field = request.unbounded
    if field is not None:
        raise UnboundedField(field, bounding[0])


def _may_shrink(request: ModelRequest, route: ModelRoute) -> bool:
    return request.writes and (route.shrink if request.shrink is None else request.shrink)


def _prices(
    book: PriceBook, targets: Sequence[Target], service: str | None, now_ns: int
) -> tuple[ModelPrice | None, ...]:
    found = (book.at(target.provider, target.model, now_ns) for target in targets)
    return tuple(price and price.asked_for(service) for price in found)


def _output(request: ModelRequest, cap: int, targets: Sequence[Target]) -> int:
    """The most tokens that any of the targets makes."""
    if request.writes:
        return cap * request.choices + request.rejected_output
    return max(request.output_bound(target.model) for target in targets)


def _bounding(limits: Sequence[Limit], request: ModelRequest) -> list[Limit]:
    """The limits that can only be held if the call has a bound."""
    return [
        limit
        for limit in limits
        if limit.measure in _BOUNDING
        and not limit.soft
        and (
            not limit.is_narrow
            or limit.counts(model=request.model, end_user=request.end_user, tag=request.tag)
            is not None
        )
    ]
