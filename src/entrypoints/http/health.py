from collections.abc import Awaitable, Callable

import orjson
from quart import Blueprint, Response


def health_blueprint(is_ready: Callable[[], Awaitable[bool]]) -> Blueprint:
    """`/healthz`: the process runs. `/readyz`: it can also read its configuration."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    async def healthz() -> Response:
        return _status("ok", 200)

    @blueprint.get("/readyz")
    async def readyz() -> Response:
        ready = await is_ready()
        return _status("ok", 200) if ready else _status("store unavailable", 503)

    return blueprint


def _status(status: str, code: int) -> Response:
    return Response(orjson.dumps({"status": status}), status=code, content_type="application/json")
