import typer

from . import keys, ledger, limits, organizations, prices, providers, routes, teams
from .audit import audit
from .database import migrate, psql, seed
from .demo import demo
from .serve import serve
from .settings import list_settings
from .simulate import simulate
from .spend import spend
from .verify import verify
from .workers.worker import worker

app = typer.Typer(
    name="langroute",
    help="A self-hosted LLM gateway: virtual keys, exact limits, and a ledger that adds up.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (serve, demo, migrate, seed, spend, audit, verify, simulate):
    app.command()(command)
app.command("settings")(list_settings)
app.command(hidden=True)(worker)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(psql)
app.add_typer(keys.app, name="keys")
app.add_typer(organizations.app, name="organizations")
app.add_typer(teams.app, name="teams")
app.add_typer(limits.app, name="limits")
app.add_typer(providers.app, name="providers")
app.add_typer(routes.app, name="routes")
app.add_typer(prices.app, name="prices")
app.add_typer(ledger.app, name="ledger")
