import typer

from . import database, demo, keys, prices, providers, routes, serve, settings, spend

app = typer.Typer(
    name="langroute",
    help="A self-hosted LLM gateway: virtual keys, exact limits, and a ledger that adds up.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve.serve)
app.command()(demo.demo)
app.command()(database.migrate)
app.command()(database.seed)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(
    database.psql
)
app.add_typer(keys.app, name="keys")
app.add_typer(providers.app, name="providers")
app.add_typer(routes.app, name="routes")
app.add_typer(prices.app, name="prices")
app.command()(spend.spend)
app.command()(spend.ledger)
app.command("settings")(settings.list_settings)


def main() -> None:
    app()
