"""What past traffic would have come to, as plain JSON."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ..application.ledger.simulate_traffic import SimulationReport
from ..domain.money import Money
from ..domain.simulation import Line, Refusing
from .organization_views import limit_view
from .views import moment


def simulation_view(report: SimulationReport) -> dict[str, Any]:
    simulated = report.simulated
    by_id = {str(id_): name for id_, name in report.names.items()}
    return {
        "from": moment(report.from_ns),
        "until": moment(report.until_ns),
        "warmed_up_from": moment(report.warmed_up_from_ns),
        "warmed_up_calls": simulated.warmed_up,
        "unreserved_calls": simulated.unreserved,
        **_line_view(simulated.total),
        "limits": [_refusing_view(each, report.names) for each in simulated.limits],
        "by_key": [
            {"key_id": id_, "name": by_id.get(id_), **_line_view(line)}
            for id_, line in _dearest_first(simulated.by_key)
        ],
        "by_model": _named(simulated.by_model),
        "by_provider": _named(simulated.by_provider),
    }


def _named(lines: Mapping[str, Line]) -> list[dict[str, Any]]:
    return [{"name": name, **_line_view(line)} for name, line in _dearest_first(lines)]


def _dearest_first(lines: Mapping[str, Line]) -> list[tuple[str, Line]]:
    return sorted(lines.items(), key=lambda each: (-each[1].was.cost, each[0]))


def _line_view(line: Line) -> dict[str, Any]:
    was, admitted = line.was, line.admitted
    return {
        "calls": was.calls,
        "admitted": admitted.calls,
        "refused": line.refused,
        "warned": line.warned,
        "tokens": was.tokens,
        "admitted_tokens": admitted.tokens,
        "cost_usd": str(Money(was.cost)),
        "simulated_cost_usd": str(Money(admitted.cost)),
        "difference_usd": str(Money(admitted.cost - was.cost)),
        "unpriced_calls": was.unpriced_calls,
        "simulated_unpriced_calls": admitted.unpriced_calls,
    }


def _refusing_view(refusing: Refusing, names: Mapping[UUID, str]) -> dict[str, Any]:
    scope = refusing.limit.scope
    return {
        "scope": str(scope.kind),
        "scope_id": str(scope.id),
        "scope_name": names.get(scope.id),
        **limit_view(refusing.limit),
        "refused": refusing.refused.calls,
        "refused_unpriced": refusing.unpriced,
        "refused_tokens": refusing.refused.tokens,
        "refused_cost_usd": str(Money(refusing.refused.cost)),
        "first_refused_at": moment(refusing.first_ns),
        "last_refused_at": moment(refusing.last_ns),
        "warned": refusing.warned,
    }
