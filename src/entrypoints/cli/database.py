import asyncio
import signal
from typing import Annotated

import typer

from ...adapters.postgres.embedded_binaries import program
from ...application.catalogue.seed_catalogue import Seeded
from ..lifecycle import migrate_database, open_database
from .output import JsonFlag, show_one, tell, working
from .run import run, settings_or_exit, with_gateway


def migrate(
    revision: Annotated[str, typer.Argument(help="Up to which revision.")] = "head",
    down_to: Annotated[
        str | None,
        typer.Option(help="Down to a revision instead; `base` forgets everything."),
    ] = None,
) -> None:
    """Bring the database to the shape that this version wants."""
    settings = settings_or_exit()
    with working("migrating"):
        run(migrate_database(settings, down_to or revision, down=down_to is not None))
    tell(f"the database is at {down_to or revision}")


def seed(as_json: JsonFlag = False) -> None:
    """Add the starter providers, routes and list prices. What is there stays as it is."""
    seeded: Seeded = with_gateway(lambda g: g.seed_catalogue())
    show_one(
        {"providers": seeded.providers, "routes": seeded.routes, "prices": seeded.prices},
        as_json=as_json,
    )


def psql(context: typer.Context) -> None:
    """Open the database with psql; what follows goes to it: `langroute psql -c 'SELECT 1'`."""
    settings = settings_or_exit()

    async def opened() -> int:
        async with open_database(settings) as url:
            process = await asyncio.create_subprocess_exec(program("psql"), url, *context.args)
            # Ctrl-C is for psql, which stops the query and lives on.
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: None)
            return await process.wait()

    raise typer.Exit(run(opened()))
