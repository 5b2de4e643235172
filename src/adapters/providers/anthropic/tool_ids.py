import re
from collections import deque
from hashlib import blake2b

_TAKEN = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class ToolIds:
    """Anthropic takes ids of tool calls of `^[a-zA-Z0-9_-]+$` only. Others are hashed to such a
    one, always the same. Calls without an id get one by their place, and are answered in
    their order."""

    def __init__(self) -> None:
        self._made = 0
        self._unanswered: deque[str] = deque()

    def of_call(self, own: object) -> str:
        if isinstance(own, str) and own:
            return _sent(own)
        self._made += 1
        made = f"function_call_{self._made}"
        self._unanswered.append(made)
        return made

    def of_answer(self, own: object) -> str:
        if isinstance(own, str) and own:
            return _sent(own)
        return self._unanswered.popleft() if self._unanswered else "function_call_0"


def _sent(own: str) -> str:
    if _TAKEN.fullmatch(own):
        return own
    return "toolu_" + blake2b(own.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
