import asyncio

from gateway_fixtures import Scene, scene_on
from postgres_fixtures import Server


async def test_traffic_goes_on_while_postgres_is_away_and_nothing_is_lost(server: Server) -> None:
    async with server.databases.url() as url, scene_on(url) as scene:
        assert (await scene.chat()).status == 200
        await scene.running.entries()

        await server.stop()
        for _ in range(3):
            assert (await scene.chat()).status == 200
        ready = await scene.running.call("GET", "/readyz")
        assert ready.status == 503
        refused = await scene.running.call("GET", "/api/keys")
        assert refused.status == 503
        assert refused.headers["retry-after"] == "1"
        assert refused.body["error"]["code"] == "store_unavailable"

        async with server.running():
            await _ready(scene)
            entries = await scene.running.entries(4)
            assert len(entries) == 4
            assert len({entry["request_id"] for entry in entries}) == 4
            (total,) = (await scene.running.call("GET", "/api/spend")).body["data"]
            assert total["calls"] == 4


async def _ready(scene: Scene) -> None:
    async with asyncio.timeout(15):
        while (await scene.running.call("GET", "/readyz")).status != 200:
            await asyncio.sleep(0.05)
