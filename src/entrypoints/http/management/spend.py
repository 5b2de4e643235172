from collections.abc import Mapping, Sequence
from typing import Any

from quart import Blueprint, Response, request

from ....application.gateway import Gateway
from ....application.ports.ledger import SpendQuery
from ....domain.errors import InvalidRequest
from ... import views
from ...csv_text import csv_text
from ..bodies import read
from . import bodies
from .answers import as_json, as_list, check_args, count_arg, key_id, moment_arg, request_id

_NAMES = ("end_user", "model", "provider", "tag")
_SPEND_ARGS = ("by", "from", "until", "key", "team", "organization", *_NAMES, "format")


def add_spend(blueprint: Blueprint, gateway: Gateway) -> None:
    """What was spent."""

    @blueprint.get("/spend")
    async def spend() -> Response:
        check_args(*_SPEND_ARGS)
        _check_format()
        asked = request.args
        organizations = gateway.list_organizations
        key, team, organization = map(asked.get, ("key", "team", "organization"))
        query = SpendQuery(
            by=asked.get("by", "key"),
            from_ns=moment_arg("from"),
            until_ns=moment_arg("until"),
            key_id=None if key is None else key_id(key, "key"),
            team_id=None if team is None else await organizations.team_id(team),
            organization_id=None
            if organization is None
            else await organizations.organization_id(organization),
            **{name: asked.get(name) for name in _NAMES},
        )
        lines = [views.spend_view(line) for line in await gateway.report_spend(query)]
        return _as_wanted(lines, views.SPEND_COLUMNS)


def add_ledger(blueprint: Blueprint, gateway: Gateway) -> None:
    """The calls themselves, and their corrections."""

    @blueprint.get("/ledger")
    async def ledger() -> Response:
        check_args("key", "limit", "format")
        _check_format()
        key = request.args.get("key")
        entries = await gateway.report_spend.entries(
            None if key is None else key_id(key, "key"), count_arg("limit", 100)
        )
        return _as_wanted([views.entry_view(entry) for entry in entries], views.ENTRY_COLUMNS)

    @blueprint.get("/ledger/<call>")
    async def one_call(call: str) -> Response:
        return as_json(views.call_view(await gateway.correct_entry.one(request_id(call))))

    @blueprint.post("/ledger/<call>/corrections")
    async def correct(call: str) -> Response:
        body = await read(bodies.CorrectionBody)
        corrected = await gateway.correct_entry(
            request_id(call), reason=body.reason, usage=body.usage, cost=body.cost
        )
        return as_json(views.call_view(corrected), 201)


def _check_format() -> None:
    if request.args.get("format", "json") not in ("json", "csv"):
        raise InvalidRequest("'format' must be json or csv.", param="format")


def _as_wanted(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Response:
    if request.args.get("format") == "csv":
        return Response(csv_text(rows, columns), content_type="text/csv; charset=utf-8")
    return as_list(rows)
