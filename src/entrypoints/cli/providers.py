import sys
from typing import Annotated
from uuid import UUID

import typer

from ...application.gateway import Gateway
from ...domain.ids import KeyId
from ...domain.providers import Provider
from .. import views
from .output import JsonFlag, err, show, show_one, tell
from .run import with_gateway

app = typer.Typer(help="Providers, and the keys they want.", no_args_is_help=True)

NameArg = Annotated[str, typer.Argument(metavar="NAME")]
OwnerOption = Annotated[
    UUID | None,
    typer.Option("--key", help="Only for this virtual key (its id); otherwise for all."),
]


@app.command("list")
def list_providers(as_json: JsonFlag = False) -> None:
    """Who can answer."""
    catalogue = with_gateway(lambda g: g.catalogues.load())
    rows = [views.provider_view(provider) for provider in catalogue.providers.values()]
    show(rows, ("name", "kind", "base_url", "needs_credential"), as_json=as_json)


@app.command("set")
def set_provider(
    name: NameArg,
    base_url: Annotated[
        str | None,
        typer.Option(help="Ends before /chat/completions."),
    ] = None,
    kind: Annotated[str, typer.Option(help="The wire format.")] = "openai",
    needs_credential: Annotated[bool, typer.Option(help="Whether it wants a key.")] = True,
    as_json: JsonFlag = False,
) -> None:
    """Add a provider, or replace the one of that name."""

    async def define(gateway: Gateway) -> Provider:
        order = gateway.define_provider.order
        provider = order(name, kind, base_url, needs_credential=needs_credential)
        return await gateway.define_provider(provider)

    defined = with_gateway(define)
    show_one(views.provider_view(defined), as_json=as_json)


@app.command("remove")
def remove_provider(name: NameArg) -> None:
    """Forget a provider that no route names."""
    with_gateway(lambda g: g.define_provider.remove(name))
    tell(f"removed {name}")


@app.command("credential")
def save_credential(
    name: NameArg,
    key: OwnerOption = None,
    remove: Annotated[bool, typer.Option(help="Forget it instead.")] = False,
) -> None:
    """Seal a provider's key. It is read from a prompt, or from standard input; never from the
    command line, where other users of the machine could see it."""
    owner = KeyId(key) if key else None
    if remove:
        with_gateway(lambda g: g.remove_credential(owner, name))
        tell(f"removed the credential for {name}")
        return
    if sys.stdin.isatty():
        secret = typer.prompt(f"Key for {name}", hide_input=True)
    else:
        secret = sys.stdin.readline().strip()

    async def use(gateway: Gateway) -> list[str]:
        return await gateway.save_credentials(owner, {name: secret})

    if not with_gateway(use):
        err.print("nothing was saved: the key is empty")
        raise typer.Exit(1)
    tell(f"sealed the credential for {name}")


@app.command("reseal")
def reseal(as_json: JsonFlag = False) -> None:
    """Seal every credential with the newest encryption key."""
    done = with_gateway(lambda g: g.reseal_credentials())
    show_one(
        {
            "resealed": done.resealed,
            "already_current": done.current,
            "unreadable": list(done.unreadable),
        },
        as_json=as_json,
    )
    if done.unreadable:
        raise typer.Exit(1)
