from datetime import datetime

import typer

from .. import times


def to_ns(moment: datetime) -> int:
    """As `times.to_ns`; one that it does not take is a wrong use of the command."""
    try:
        return times.to_ns(moment)
    except ValueError as error:
        raise typer.BadParameter(f"{moment.isoformat()}: {error}.") from error
