from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from ....domain.dialects import Dialect
from ....domain.operations import Operation

NEW_CAP, OLD_CAP = "max_completion_tokens", "max_tokens"
CHAT_PATH = "/chat/completions"

BEARER: Mapping[str, str] = {"Authorization": "Bearer {}"}
TEXT: Mapping[Dialect, str] = {Dialect.COMPLETIONS: "/completions"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How one kind of server differs from OpenAI's format; `page` is where its vendor says so. What
    is not set is what every compatible server can be expected to do.

    `headers` prove who is calling: `{}` stands for the credential. The facts hold at `hosts` only,
    where there are any; at another address the kind is a compatible server like any other.
    `cap` is the name of the output cap that it obeys. `refuses`, and `refuses_in_messages`, are
    fields that change an answer and that it refuses, or takes and never reads. `natives` are the
    paths of the dialects that it speaks itself beside chats; with `natives_at_default`, only behind
    its default address. Reasoning is `reasoning_content` unless it `says_reasoning`; it
    `takes_reasoning` back under that name, too. `cache_hits` is where it counts the cached input,
    if not in the details; output that `counts_reasoning_apart` leaves the reasoning out.
    """

    page: str
    default_url: str | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: BEARER)
    hosts: tuple[str, ...] = ()
    cap: str = OLD_CAP
    asks_for_usage: bool = True
    takes_developer: bool = True
    refuses: frozenset[str] = frozenset()
    refuses_in_messages: frozenset[str] = frozenset()
    natives: Mapping[Dialect, str] = field(default_factory=lambda: TEXT)
    natives_at_default: bool = False
    operations: frozenset[Operation] = frozenset(Operation)
    says_reasoning: bool = False
    takes_reasoning: bool = False
    cache_hits: str | None = None
    counts_reasoning_apart: bool = False

    @property
    def has_words(self) -> bool:
        """Whether its answers say anything in words of their own."""
        own = self.says_reasoning, self.cache_hits is not None, self.counts_reasoning_apart
        return any(own)

    def at(self, base_url: str) -> "Facts":
        if not self.hosts or _host(base_url).endswith(self.hosts):
            return self
        return COMPATIBLE

    def native_path(self, base_url: str, dialect: Dialect) -> str | None:
        """None where a caller's words have to be translated."""
        if self.natives_at_default and base_url.rstrip("/") != self.default_url:
            return None
        return self.natives.get(dialect)


@lru_cache(maxsize=256)
def _host(base_url: str) -> str:
    """With a dot before it, so that the end of a host is a domain."""
    try:
        return f".{urlsplit(base_url).hostname or ''}"
    except ValueError:  # refused where the address is made
        return ""


COMPATIBLE = Facts(page="https://platform.openai.com/docs/api-reference/chat")
"""Text completions are spoken everywhere, and `max_tokens` is obeyed: some servers, such as Ollama,
ignore the newer name silently (https://github.com/ollama/ollama/issues/7125)."""
