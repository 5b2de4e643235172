"""What applications call: Anthropic's paths, with and without `/v1`. Models, which are listed at
the same path as OpenAI's, stand in `http/models.py`."""

from quart import Request, Response

from .....application.gateway import Gateway
from ...front import Front, error_response
from ...idempotency import Once
from ..answering import answering
from .count_tokens import counting_tokens
from .errors import error_body
from .front import Messages
from .request_ids import identified, with_request_id

_PREFIXES = ("", "/v1")
_MESSAGES = tuple(f"{prefix}/messages" for prefix in _PREFIXES)
_MODELS = tuple(f"{prefix}/models" for prefix in _PREFIXES)


def add_messages(app: Front, gateway: Gateway, once: Once) -> None:
    messages = Messages()
    answer = once(with_request_id(answering(messages, gateway)))
    counting = with_request_id(counting_tokens(messages, gateway))
    for path in _MESSAGES:
        app.answer("POST", path, answer)
        app.answer("POST", f"{path}/count_tokens", counting)
    app.refuse(is_anthropics, _refusal)


def is_anthropics(request: Request) -> bool:
    """Whether whoever asks speaks Anthropic's format. Where both are at home, the header tells that
    their API wants with every request: https://docs.anthropic.com/en/api/versioning"""
    return _is_at(_MESSAGES, request.path) or (
        "anthropic-version" in request.headers and _is_at(_MODELS, request.path)
    )


def _is_at(roots: tuple[str, ...], path: str) -> bool:
    return any(path == root or path.startswith(f"{root}/") for root in roots)


async def _refusal(error: Exception) -> Response:
    return await identified(await error_response(error, error_body))
