from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from ...application.gateway import Gateway
from ...application.ports.ledger import SpendLine, SpendQuery
from ...domain.ids import KeyId
from .. import views
from .moments import to_ns
from .output import CsvFlag, JsonFlag, show, show_csv
from .run import with_gateway

KeyOption = Annotated[UUID | None, typer.Option("--key", help="Only of this virtual key (its id).")]

_COLUMNS = ("name", "calls", "prompt_tokens", "completion_tokens", "cost_usd", "unpriced_calls")


class By(StrEnum):
    KEY = "key"
    TEAM = "team"
    ORGANIZATION = "organization"
    END_USER = "end_user"
    MODEL = "model"
    PROVIDER = "provider"
    TAG = "tag"
    DAY = "day"


def spend(
    by: Annotated[By, typer.Option(help="What to add up by.")] = By.KEY,
    since: Annotated[datetime | None, typer.Option(help="From then on, in UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Up to then, in UTC.")] = None,
    key: KeyOption = None,
    team: Annotated[str | None, typer.Option(help="Only of this team: its name or id.")] = None,
    organization: Annotated[str | None, typer.Option(help="Only of this organization.")] = None,
    end_user: Annotated[str | None, typer.Option(help="Only of this end user.")] = None,
    model: Annotated[str | None, typer.Option(help="Only of this model.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only of this provider.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only with this tag; '' is without any.")] = None,
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
) -> None:
    """What was spent, the dearest first."""

    async def use(gateway: Gateway) -> Sequence[SpendLine]:
        organizations = gateway.list_organizations
        query = SpendQuery(
            by=by.value,
            from_ns=to_ns(since) if since else None,
            until_ns=to_ns(until) if until else None,
            key_id=KeyId(key) if key else None,
            team_id=None if team is None else await organizations.team_id(team),
            organization_id=None
            if organization is None
            else await organizations.organization_id(organization),
            end_user=end_user,
            model=model,
            provider=provider,
            tag=tag,
        )
        return await gateway.report_spend(query)

    rows = [views.spend_view(line) for line in with_gateway(use)]
    if as_csv:
        show_csv(rows, views.SPEND_COLUMNS)
    else:
        show(rows, _COLUMNS, as_json=as_json)
