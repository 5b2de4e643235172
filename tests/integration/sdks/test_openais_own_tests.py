"""The tests that OpenAI tests its own library with, asked of the gateway instead of the server of
examples that they are made for. They come with the library's source distribution.

They send every parameter that there is, and hold every field of an answer against its type.
"""

import re
import sys
import tarfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import openai
import pytest
from aiohttp import web
from openai.types.moderation import Categories

from gateway_fixtures import Scene
from processes import ran
from upstreams.conversation import said
from upstreams.openai import OpenAIUpstream
from upstreams.operations import SeenOperation
from upstreams.responses import json_response
from upstreams.seen import Seen
from upstreams.turn import Turn

_LOCK = Path(__file__).parents[3] / "requirements-dev.lock"
_UNREACHED = "after connection broken by"
_FILES = (
    "chat/test_completions",
    "test_completions",
    "test_embeddings",
    "test_models",
    "test_moderations",
)
_OUTCOME = re.compile(
    r"^(PASSED|FAILED|ERROR) tests/api_resources/(\S+)\.py::Test\w+::"
    r"test_(?:method|raw_response|streaming_response|path_params)_(\w+)\S*(?: - (.*))?$",
    re.MULTILINE,
)
"""A line of pytest's summary: what became of a test, its file, what it does, and why it failed."""

_CHATS, _TEXTS = "chat/test_completions", "test_completions"
_KEEPS_NO_CHATS = "The gateway keeps no chats, to be looked at or changed later."
_NOT_OF_A_STREAM = "They send `stream_options` with `stream: false`, which OpenAI refuses as well."
_FAIL: Mapping[tuple[str, str], str] = {
    (_CHATS, "retrieve"): _KEEPS_NO_CHATS,
    (_CHATS, "list"): _KEEPS_NO_CHATS,
    (_CHATS, "list_with_all_params"): _KEEPS_NO_CHATS,
    (_CHATS, "update"): _KEEPS_NO_CHATS,
    (_CHATS, "delete"): _KEEPS_NO_CHATS,
    ("test_models", "delete"): "Its models are for the operator to delete.",
    (_CHATS, "create_with_all_params_overload_1"): _NOT_OF_A_STREAM,
    (_TEXTS, "create_with_all_params_overload_1"): _NOT_OF_A_STREAM,
    (_CHATS, "create_with_all_params_overload_2"): "They send a `max_tokens` of 0.",
    (_TEXTS, "create_with_all_params_overload_2"): "They send a `best_of` of 0, less than `n`.",
    ("test_embeddings", "create"): "A strict client asks for base64, and then wants numbers.",
}
"""Those that do not pass, by file and by the end of the test's name; and why."""


class MoreOfOpenAI(OpenAIUpstream):
    """Text completions, as https://platform.openai.com/docs/api-reference/completions has them, and
    moderations with all their categories."""

    path: ClassVar[str] = "/v1/completions"

    def check(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]] | None:
        assert isinstance(body["prompt"], str)
        return None

    def reply(self, seen: Seen, turn: Turn) -> Mapping[str, Any]:
        choice = {"index": 0, "text": said(seen, turn).text, "finish_reason": "stop"}
        usage = seen.usage = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
        head = {"id": "cmpl-double", "object": "text_completion", "created": 1_780_000_000}
        choices = [{**choice, "logprobs": None}]
        return {**head, "model": seen.body["model"], "choices": choices, "usage": usage}

    def events(self, seen: Seen, turn: Turn) -> Sequence[Mapping[str, Any]]:
        return [self.reply(seen, turn)]

    def performed(self, name: str, seen: SeenOperation) -> web.StreamResponse:
        if name != "moderations":
            return super().performed(name, seen)
        names = [field.alias or own for own, field in Categories.model_fields.items()]
        result = {
            "flagged": False,
            "categories": dict.fromkeys(names, False),
            "category_scores": dict.fromkeys(names, 0.01),
            "category_applied_input_types": {category: ["text"] for category in names},
        }
        return json_response(
            {"id": "modr-double", "model": seen.body["model"], "results": [result]}
        )


@pytest.fixture(scope="session")
async def their_tests(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder that holds `tests`: of the version that is installed, and as it is locked."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir(f"openai-{openai.__version__}")
    done = folder / "unpacked"
    if not done.exists():
        scratch = tmp_path_factory.mktemp("openai")
        (scratch / "lock").write_text(_locked(f"openai=={openai.__version__}"))
        pip = (
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--retries=1",
            "--timeout=15",
            "download",
        )
        only = ("--no-deps", "--no-build-isolation", "--no-binary=openai", "--require-hashes")
        code, _, complaint = await ran(sys.executable, *pip, *only, "-r", "lock", cwd=scratch)
        if _UNREACHED in complaint:
            pytest.skip("pip cannot reach its registry")
        assert code == 0, complaint
        _unpack(next(scratch.glob("*.tar.gz")), folder)
        done.touch()
    return folder


def _locked(requirement: str) -> str:
    """With the hashes that it must have."""
    entry = re.compile(rf"^{re.escape(requirement)} \\\n(?: +--hash=.*\n)+", re.MULTILINE)
    found = entry.search(_LOCK.read_text())
    assert found is not None, f"{requirement} is installed, and another version is locked"
    return found[0].rstrip("\\\n ") + "\n"


def _unpack(archive: Path, folder: Path) -> None:
    """Only plain files: its tests, and how they are set up."""
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            is_wanted = path.parts[:1] == ("tests",) or str(path) == "pyproject.toml"
            if not (member.isfile() and is_wanted):
                continue
            target = folder / path
            assert target.resolve().is_relative_to(folder.resolve()), member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(member)
            assert content is not None
            target.write_bytes(content.read())


async def _route(scene: Scene, more: MoreOfOpenAI) -> str:
    """The models that they ask for; and a key that may ask as often as it likes."""
    provider = {"kind": "openai", "base_url": more.base_url, "needs_credential": False}
    routes = {
        "gpt-6-astra": "openai",
        "text-embedding-3-small": "openai",
        "gpt-3.5-turbo-instruct": "more",
        "omni-moderation-latest": "more",
        "omni-moderation-2024-09-26": "more",
    }
    bodies: dict[str, Any] = {"/api/providers/more": provider}
    for model, name in routes.items():
        bodies[f"/api/routes/{model}"] = {"targets": [{"provider": name, "model": model}]}
    for path, body in bodies.items():
        defined = await scene.running.call("PUT", path, body)
        assert defined.status == 200, defined
    key = await scene.running.new_key(requests_per_minute=None, tokens_per_minute=None)
    saved = {"virtualKey": key, "openaiKey": scene.openai.credential}
    await scene.running.call("POST", "/api/save-keys", saved)
    return key


async def test_they_pass_but_for_those_named(scene: Scene, their_tests: Path) -> None:
    async with MoreOfOpenAI() as more:
        key = await _route(scene, more)
        code, out, complaint = await ran(
            *(sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-o", "addopts="),
            *("-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider", "-q", "-rA", "--tb=no"),
            *(f"tests/api_resources/{name}.py" for name in _FILES),
            cwd=their_tests,
            PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
            COLUMNS="1000",  # an outcome a line
            TEST_API_BASE_URL=f"{scene.running.url}/v1",
            # Their key stands in the tests. A header may be given instead.
            OPENAI_CUSTOM_HEADERS=f"Authorization: Bearer {key}",
        )
    summary = out.decode()
    assert code == 1, complaint or summary
    told = _OUTCOME.findall(summary)
    failed = {(file, what): why for outcome, file, what, why in told if outcome != "PASSED"}
    assert failed.keys() == _FAIL.keys(), summary
    assert all("Error code: 4" in why or "APIResponseValidation" in why for why in failed.values())
    passed = {(file, what) for outcome, file, what, _ in told if outcome == "PASSED"}
    assert {file for file, _ in passed} == set(_FILES)
    count = Counter(outcome for outcome, *_ in told)
    assert f"{count['FAILED']} failed, {count['PASSED']} passed" in summary
