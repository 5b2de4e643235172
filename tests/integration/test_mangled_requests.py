"""Whatever a caller writes, in whichever dialect, it is answered, or told what is wrong."""

from collections.abc import Sequence

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asked_in_each_dialect import PATHS, how_it_ends, is_answer, is_error, request
from langroute.adapters.wire.codecs import all_codecs
from mangled import MANGLES, Mangle, mangled, written
from upstreams.obliging import ObligingServer, as_it_should
from watched_gateway import SECRET, Heard, WatchedGateway

KINDS = sorted(all_codecs())
MANY = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


def check(dialect: str, heard: Heard) -> None:
    assert SECRET.encode() not in heard.body
    if heard.status == 200 and heard.is_stream:
        how_it_ends(dialect, heard.body)
    elif heard.status == 200:
        assert is_answer(dialect, orjson.loads(heard.body))
    else:
        assert heard.status != 500
        assert is_error(dialect, orjson.loads(heard.body)), heard


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dialect", PATHS)
async def test_what_is_in_order_is_answered(
    watched: WatchedGateway, obliging: ObligingServer, dialect: str, kind: str, *, stream: bool
) -> None:
    obliging.answer = as_it_should
    body = request(dialect, kind, stream=stream)
    heard = await watched.post(PATHS[dialect], orjson.dumps(body))
    assert heard.status == 200, heard
    check(dialect, heard)
    if stream:
        assert how_it_ends(dialect, heard.body) == "well"
    (entry,) = await watched.newly_settled()
    assert entry.usage.total == 21
    assert not entry.estimated
    assert watched.said_nothing()


@MANY
@given(kind=st.sampled_from(KINDS), stream=st.booleans(), mangles=MANGLES)
@pytest.mark.parametrize("dialect", PATHS)
async def test_what_is_mangled_is_answered_or_told_of(
    watched: WatchedGateway,
    obliging: ObligingServer,
    dialect: str,
    kind: str,
    stream: bool,
    mangles: Sequence[Mangle],
) -> None:
    obliging.answer = as_it_should
    body = mangled(request(dialect, kind, stream=stream), mangles)
    check(dialect, await watched.post(PATHS[dialect], written(body)))
    await watched.newly_settled()
    assert watched.said_nothing()


@MANY
@given(kind=st.sampled_from(KINDS), stream=st.booleans(), mangles=MANGLES)
async def test_so_is_what_mistrals_own_clients_ask(
    watched: WatchedGateway,
    obliging: ObligingServer,
    kind: str,
    stream: bool,
    mangles: Sequence[Mangle],
) -> None:
    obliging.answer = as_it_should
    body = mangled({**request("chat", kind, stream=stream), "random_seed": 7}, mangles)
    agent = "mistral-client-python/1.9"
    check("chat", await watched.post(PATHS["chat"], written(body), agent=agent))
    await watched.newly_settled()
    assert watched.said_nothing()
