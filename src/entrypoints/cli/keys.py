import time
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from ...application.gateway import Gateway
from ...application.keys.change_virtual_key import KeyChange
from ...application.keys.issue_virtual_key import IssuedKey, KeyOrder
from ...domain.ids import KeyId
from ...domain.keys import VirtualKey
from ...domain.limits import Limits
from .. import views
from .moments import to_ns
from .output import JsonFlag, err, show, show_one
from .run import with_gateway

app = typer.Typer(help="Virtual keys: what applications hold.", no_args_is_help=True)

_MOST = 10**15
_COLUMNS = ("id", "name", "team", "hint", "state", "requests_per_minute", "tokens_per_minute")

KeyArg = Annotated[UUID, typer.Argument(metavar="ID", help="The key's id, as `keys list` shows.")]
NameOption = Annotated[str | None, typer.Option(help="What it is for.")]
RpmOption = Annotated[
    int | None, typer.Option("--rpm", min=-1, max=_MOST, help="Requests a minute; -1 is no limit.")
]
TpmOption = Annotated[
    int | None, typer.Option("--tpm", min=-1, max=_MOST, help="Tokens a minute; -1 is no limit.")
]
ModelOption = Annotated[
    list[str] | None,
    typer.Option("--model", help="A model it may use, with one `*` perhaps; may be repeated."),
]
TeamOption = Annotated[
    str | None, typer.Option(help="Whose limits hold, too: TEAM, ORGANIZATION/TEAM, or an id.")
]
ExpiresOption = Annotated[datetime | None, typer.Option(help="When it ends, in UTC.")]


@app.command("issue")
def issue(
    name: NameOption = None,
    rpm: RpmOption = None,
    tpm: TpmOption = None,
    model: ModelOption = None,
    team: TeamOption = None,
    expires: ExpiresOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a key. Its secret is shown once."""

    async def use(gateway: Gateway) -> IssuedKey:
        return await gateway.issue_virtual_key(
            KeyOrder(
                name=name or "",
                limits=_limits(rpm, tpm, gateway.issue_virtual_key.default_limits),
                allowed_models=tuple(model or ()),
                team=team,
                expires_at_ns=to_ns(expires) if expires else None,
            )
        )

    _show_issued(with_gateway(use), as_json=as_json)


@app.command("list")
def list_keys(as_json: JsonFlag = False) -> None:
    """All keys, oldest first."""

    async def use(gateway: Gateway) -> list[VirtualKey]:
        found: list[VirtualKey] = []
        while page := await gateway.list_virtual_keys(found[-1].id if found else None, 1000):
            found.extend(page)
        return found

    show([_view(key) for key in with_gateway(use)], _COLUMNS, as_json=as_json)


@app.command("show")
def show_key(key: KeyArg, as_json: JsonFlag = False) -> None:
    """One key, with everything but its secret."""
    show_one(_view(with_gateway(lambda g: g.list_virtual_keys.one(KeyId(key)))), as_json=as_json)


@app.command("set")
def set_key(
    key: KeyArg,
    name: NameOption = None,
    rpm: RpmOption = None,
    tpm: TpmOption = None,
    model: ModelOption = None,
    every_model: Annotated[bool, typer.Option(help="Let it use every model.")] = False,
    team: TeamOption = None,
    leave_team: Annotated[bool, typer.Option(help="Take it out of its team.")] = False,
    expires: ExpiresOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Change a key. What is not given stays."""

    async def use(gateway: Gateway) -> VirtualKey:
        present = await gateway.list_virtual_keys.one(KeyId(key))
        change = KeyChange(
            name=name,
            limits=_limits(rpm, tpm, present.limits),
            allowed_models=() if every_model else tuple(model) if model else None,
            team=team,
            leaves_team=leave_team,
            expires_at_ns=to_ns(expires) if expires else None,
        )
        return await gateway.change_virtual_key(present.id, change)

    show_one(_view(with_gateway(use)), as_json=as_json)


@app.command("rotate")
def rotate(key: KeyArg, as_json: JsonFlag = False) -> None:
    """Give a key a new secret. The old one is refused within a second."""
    _show_issued(with_gateway(lambda g: g.rotate_virtual_key(KeyId(key))), as_json=as_json)


@app.command("revoke")
def revoke(key: KeyArg, as_json: JsonFlag = False) -> None:
    """End a key for good. It is refused within a second."""
    show_one(_view(with_gateway(lambda g: g.revoke_virtual_key(KeyId(key)))), as_json=as_json)


def _show_issued(issued: IssuedKey, *, as_json: bool) -> None:
    show_one({**_view(issued.key), "virtual_key": issued.secret}, as_json=as_json)
    err.print("[dim]The secret is not kept: note it now.[/dim]")


def _view(key: VirtualKey) -> dict[str, Any]:
    return views.key_view(key, time.time_ns())


def _limits(rpm: int | None, tpm: int | None, present: Limits) -> Limits:
    return Limits(
        requests_per_minute=_limit(rpm, present.requests_per_minute),
        tokens_per_minute=_limit(tpm, present.tokens_per_minute),
    )


def _limit(given: int | None, present: int | None) -> int | None:
    if given is None:
        return present
    return None if given < 0 else given
