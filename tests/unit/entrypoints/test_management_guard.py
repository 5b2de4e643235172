import pytest
from quart import Quart, Response

from langroute.adapters.system.actor import TaskActor
from langroute.domain.errors import GatewayError
from langroute.entrypoints.http.errors import explained
from langroute.entrypoints.http.guard import ManagementGuard

ADMIN_KEY = "correct-horse-battery-staple"


def guard_with(admin_key: str | None, *, open_in_development: bool = False) -> ManagementGuard:
    return ManagementGuard(
        admin_key=admin_key, open_in_development=open_in_development, actors=TaskActor()
    )


async def status_for(guard: ManagementGuard, headers: dict[str, str]) -> int:
    """What an application answers that has nothing but this guard."""
    app = Quart(__name__)

    @app.get("/")
    async def inside() -> str:
        await guard()
        return "welcome"

    @app.errorhandler(GatewayError)
    async def refused(error: GatewayError) -> Response:
        _, answer = explained(error)
        assert ADMIN_KEY not in str(error)
        return Response("", status=answer.status)

    response = await app.test_client().get("/", headers=headers)
    return int(response.status_code)


@pytest.mark.parametrize("open_in_development", [True, False])
@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {ADMIN_KEY}", 200),
        (f"bearer {ADMIN_KEY}", 200),
        (f"BEARER  {ADMIN_KEY} ", 200),
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        (ADMIN_KEY, 401),
        (f"Basic {ADMIN_KEY}", 401),
        (f"Bearer {ADMIN_KEY}x", 401),
        (f"Bearer {ADMIN_KEY[:-1]}", 401),
        (f"Bearer {ADMIN_KEY.upper()}", 401),
        ("Bearer schlüssel", 401),
    ],
)
async def test_with_an_admin_key_only_its_holder_may_administer(
    authorization: str | None, status: int, open_in_development: bool
) -> None:
    guard = guard_with(ADMIN_KEY, open_in_development=open_in_development)
    headers = {"Host": "gateway.test"}
    if authorization is not None:
        headers["Authorization"] = authorization
    assert await status_for(guard, headers) == status


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer None", f"Bearer {ADMIN_KEY}"])
async def test_without_an_admin_key_nobody_may_administer_outside_development(
    authorization: str,
) -> None:
    guard = guard_with(None)
    headers = {"Host": "localhost", "Authorization": authorization}
    assert await status_for(guard, headers) == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost"}, 200),
        ({"Host": "localhost:3000"}, 200),
        ({"Host": "LOCALHOST:3000"}, 200),
        ({"Host": "127.0.0.1:3000"}, 200),
        ({"Host": "[::1]:3000"}, 200),
        ({"Host": "localhost", "Origin": "http://localhost:5173"}, 200),
        ({"Host": "localhost", "Origin": "http://127.0.0.1"}, 200),
        # A page that points its own name at this machine.
        ({"Host": "evil.test"}, 403),
        ({"Host": "evil.test:3000", "Origin": "http://evil.test:3000"}, 403),
        ({"Host": "localhost.evil.test"}, 403),
        ({"Host": "127.0.0.1.evil.test"}, 403),
        ({"Host": "192.168.1.5"}, 403),
        ({"Host": "0.0.0.0"}, 403),
        ({"Host": ""}, 403),
        # A page from elsewhere that calls this machine.
        ({"Host": "localhost", "Origin": "https://evil.test"}, 403),
        ({"Host": "localhost", "Origin": "https://localhost.evil.test"}, 403),
        ({"Host": "localhost", "Origin": "null"}, 403),
        ({"Host": "localhost", "Origin": ""}, 403),
        ({"Host": "localhost", "Origin": "http://[::1"}, 403),
        # Somebody behind a proxy that stands on this machine.
        ({"Host": "localhost", "X-Forwarded-For": "203.0.113.9"}, 403),
        ({"Host": "localhost", "X-Forwarded-For": "127.0.0.1"}, 403),
        ({"Host": "localhost", "X-Forwarded-Host": "gateway.test"}, 403),
        ({"Host": "localhost", "Forwarded": "for=203.0.113.9"}, 403),
        ({"Host": "localhost", "X-Real-Ip": "203.0.113.9"}, 403),
        ({"Host": "localhost", "Via": "1.1 proxy"}, 403),
    ],
)
async def test_in_development_only_this_machine_may_administer(
    headers: dict[str, str], status: int
) -> None:
    guard = guard_with(None, open_in_development=True)
    assert await status_for(guard, headers) == status


def test_the_guard_does_not_show_the_key() -> None:
    assert ADMIN_KEY not in repr(guard_with(ADMIN_KEY))
