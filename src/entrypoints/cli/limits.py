from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from uuid import UUID

import typer

from ...application.gateway import Gateway
from ...application.organizations.limit_order import LimitOrder
from ...domain.fields import count_in
from ...domain.ids import KeyId
from ...domain.limits import Limit, Measure
from ...domain.scopes import Scope
from ..organization_views import limit_view
from .output import JsonFlag, show, show_one, tell, tell_error
from .run import with_gateway

app = typer.Typer(help="Limits and budgets of organizations, teams and keys.", no_args_is_help=True)

_COLUMNS = ("id", "measure", "amount", "per", "zone", "model", "end_user", "tag", "soft")
_WRONG_USE = 2

OrganizationOption = Annotated[str | None, typer.Option(help="Of this organization.")]
TeamOption = Annotated[
    str | None, typer.Option(help="Of this team: TEAM, ORGANIZATION/TEAM, or an id.")
]
KeyOption = Annotated[UUID | None, typer.Option("--key", help="Of this virtual key (its id).")]


@dataclass(frozen=True, slots=True)
class Carrier:
    """The one that was named on the command line, and no other."""

    organization: str | None
    team: str | None
    key: UUID | None

    def __post_init__(self) -> None:
        if sum(named is not None for named in (self.organization, self.team, self.key)) != 1:
            tell_error("give one of --organization, --team and --key")
            raise typer.Exit(_WRONG_USE)

    async def limits(self, gateway: Gateway) -> tuple[Scope, Sequence[Limit]]:
        if self.organization is not None:
            organization = await gateway.list_organizations.one(self.organization)
            return organization.scope, organization.limits
        if self.team is not None:
            team = await gateway.list_organizations.team(self.team)
            return team.scope, team.limits
        assert self.key is not None  # noqa: S101  (one of the three is there)
        key = await gateway.list_virtual_keys.one(KeyId(self.key))
        return key.scope, key.further_limits


@app.command("list")
def list_limits(
    organization: OrganizationOption = None,
    team: TeamOption = None,
    key: KeyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """The limits of one of them. A key's requests and tokens a minute: `keys show`."""
    carrier = Carrier(organization, team, key)
    _, limits = with_gateway(carrier.limits)
    show([limit_view(limit) for limit in limits], _COLUMNS, as_json=as_json)


@app.command("set")
def set_limit(
    measure: Annotated[Measure, typer.Argument(help="What is counted.")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="US dollars for money.")],
    organization: OrganizationOption = None,
    team: TeamOption = None,
    key: KeyOption = None,
    per: Annotated[
        str | None,
        typer.Option(help="minute, hour or SECONDS, which slide; day, week or month; or ever."),
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Of day, week, month: Europe/Berlin.")] = None,
    model: Annotated[str | None, typer.Option(help="Only these models; `*` stands once.")] = None,
    end_user: Annotated[
        str | None, typer.Option(help="Only these end users, each apart; `*` stands once.")
    ] = None,
    tag: Annotated[
        str | None, typer.Option(help="Only these tags, each apart; `*` stands once.")
    ] = None,
    soft: Annotated[bool, typer.Option(help="Warn, and do not refuse.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Add a limit, or change how much is allowed by the one that counts the same."""
    carrier = Carrier(organization, team, key)
    order = LimitOrder(
        measure=measure,
        amount=_number(amount),
        per=seconds_or_word(per),
        zone=zone,
        model=model,
        end_user=end_user,
        tag=tag,
        soft=soft,
    )

    async def use(gateway: Gateway) -> dict[str, Any]:
        scope, _ = await carrier.limits(gateway)
        return limit_view(await gateway.set_limit(scope, order))

    show_one(with_gateway(use), as_json=as_json)


@app.command("lift")
def lift_limit(
    limit: Annotated[UUID, typer.Argument(metavar="ID", help="As `limits list` shows.")],
    organization: OrganizationOption = None,
    team: TeamOption = None,
    key: KeyOption = None,
) -> None:
    """Take a limit away."""
    carrier = Carrier(organization, team, key)

    async def use(gateway: Gateway) -> None:
        scope, _ = await carrier.limits(gateway)
        await gateway.lift_limit(scope, limit)

    with_gateway(use)
    tell(f"lifted {limit}")


def seconds_or_word(per: str | None) -> int | str | None:
    seconds = count_in(per)
    return per if seconds is None else seconds


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        tell_error(f"{text!r} is not a number")
        raise typer.Exit(_WRONG_USE) from error
