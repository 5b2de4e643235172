"""What applications call: OpenAI's paths, with and without `/v1`. Models stand in `models.py`."""

from ...application.gateway import Gateway
from .dialects.answering import answering
from .dialects.chat_completions import ChatCompletions
from .dialects.completions import Completions
from .dialects.mistral_clients import MistralChats, where_mistrals_client_asks
from .dialects.responses.front import Responses
from .front import Front
from .idempotency import Once
from .operations import add_operations


def add_openai(app: Front, gateway: Gateway, once: Once) -> None:
    chats = where_mistrals_client_asks(
        answering(MistralChats(), gateway), answering(ChatCompletions(), gateway)
    )
    for prefix in ("", "/v1"):
        app.answer("POST", f"{prefix}/chat/completions", once(chats))
        app.answer("POST", f"{prefix}/completions", once(answering(Completions(), gateway)))
        app.answer("POST", f"{prefix}/responses", once(answering(Responses(), gateway)))
    add_operations(app, gateway, once)
