"""instructor, in an environment of its own: its dependencies and the project's own exclude each
other."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from asked import OF_EACH_PROVIDER, both_fail, double_of, limited_key

from gateway_fixtures import Scene
from processes import ran
from upstreams.double import UpstreamDouble

_FOLDER = Path(__file__).parent / "instructor"
_TESTS = Path(__file__).parents[2]
PARIS = {"name": "Paris", "country": "France"}
# Its modes: a tool that must be called, or an answer of a certain shape.
IN_EACH_WAY = pytest.mark.parametrize("way", ["TOOLS", "JSON_SCHEMA"])


@pytest.fixture(scope="session")
async def python(pytestconfig: pytest.Config) -> Path:
    """Of an environment that is made once for each lock."""
    lock = _FOLDER / "requirements.txt"
    assert pytestconfig.cache is not None
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    folder = pytestconfig.cache.mkdir(f"instructor-{digest[:12]}")
    python, done = folder / "bin/python", folder / "installed"
    if not done.exists():
        code, _, said = await ran(sys.executable, "-m", "venv", "--clear", ".", cwd=folder)
        assert code == 0, said
        code, _, said = await ran(
            *(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--retries", "1", "--no-deps", "--require-hashes", "-r", lock),
            cwd=folder,
        )
        if "connection broken by" in said:
            pytest.skip("pip cannot reach its registry")
        assert code == 0, said
        done.touch()
    return python


async def ask(python: Path, scene: Scene, *cases: tuple[str, str, str, str]) -> Any:
    """Each a case of `run.py`, a model, a way, and a key."""
    code, out, complaint = await ran(
        *(python, "run.py", json.dumps(cases)),
        cwd=_FOLDER,
        within_s=60,
        GATEWAY_URL=scene.running.url,
        PYTHONPATH=str(_TESTS),
        PYTHONDONTWRITEBYTECODE="1",
    )
    assert code == 0, complaint
    return orjson.loads(out)


def will_name(double: UpstreamDouble, way: str, kind: str = "City", **city: str) -> None:
    text = json.dumps(city)
    if way == "TOOLS":
        call = {"id": "abcdefghi", "type": "function"}
        double.say("", tool_calls=[{**call, "function": {"name": kind, "arguments": text}}])
    else:
        double.say(text)


@pytest.mark.shows("JSON schema", "stream", client="instructor, {way}")
@IN_EACH_WAY
@OF_EACH_PROVIDER
async def test_instructor_reads_an_object_at_once_and_as_it_grows(
    python: Path, scene: Scene, model: str, way: str
) -> None:
    double = double_of(scene, model)
    for _ in range(2):
        will_name(double, way, **PARIS)
    whole, partial = await ask(
        python, scene, *((case, model, way, scene.key) for case in ("whole", "partial"))
    )
    assert whole == partial[-1] == PARIS
    if way == "JSON_SCHEMA":  # the doubles tell a tool's arguments at once
        assert partial[0] != PARIS
    first, second = (seen.body for seen in double.seen)
    assert "Where something is." in json.dumps(first)
    assert second["stream"]


@pytest.mark.shows("tools", client="instructor, TOOLS")
@OF_EACH_PROVIDER
async def test_instructor_asks_again_until_an_object_is_valid(
    python: Path, scene: Scene, model: str
) -> None:
    double = double_of(scene, model)
    for name in ("paris", "Paris"):
        will_name(double, "TOOLS", "NamedCity", name=name, country="France")
    assert await ask(python, scene, ("again", model, "TOOLS", scene.key)) == [PARIS]
    _, second = double.seen
    *_, called, result = second.body["messages"]
    assert called["tool_calls"][0]["function"]["name"] == "NamedCity"
    assert "a name begins with a capital letter" in result["content"]


@pytest.mark.shows("typed errors", "waits told", client="instructor, TOOLS")
async def test_instructor_types_errors(python: Path, scene: Scene) -> None:
    limited = await limited_key(scene)
    both_fail(scene)
    told = await ask(
        python,
        scene,
        ("failure", "gpt-4o-mini", "TOOLS", "invalid"),
        ("failure", "no-such-model", "TOOLS", scene.key),
        ("failure", "gpt-4o-mini", "TOOLS", limited),
        ("failure", "gpt-4o-mini", "TOOLS", scene.key),
    )
    assert [(one["kind"], one["status"]) for one in told] == [
        ("AuthenticationError", 401),
        ("BadRequestError", 400),
        ("RateLimitError", 429),
        ("InternalServerError", 503),
    ]
    assert 40 <= int(told[2]["wait"]) <= 61
