import typer

from ...application.ledger.verify_ledger import Verdict
from .. import views
from .output import JsonFlag, out, print_json, show, tell
from .run import with_gateway


def verify(as_json: JsonFlag = False) -> None:
    """Compare totals, counters, reservations and sums by day with the ledger.

    The gateway may go on meanwhile. Ends with exit code 1 where anything differs.
    """
    verdict: Verdict = with_gateway(lambda g: g.verify_ledger())
    view = views.verdict_view(verdict)
    if as_json:
        print_json(view)
    else:
        looked_at = ", ".join(f"{count} {what}" for what, count in view["looked_at"].items())
        tell(f"looked at {looked_at}")
        if verdict.is_sound:
            out.print("[green]everything adds up[/green]")
        else:
            show(view["differences"], ("kind", "which", "what", "expected", "found"), as_json=False)
    if not verdict.is_sound:
        raise typer.Exit(1)
