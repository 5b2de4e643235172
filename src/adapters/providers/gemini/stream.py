"""A stream's events are answers like a whole one, each with what is new:
https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent"""

from typing import Any

from .finish import blocked, finish_reason
from .logprobs import logprobs
from .replies import candidates, head, own_of
from .said import Said, said
from .usage import searches, usage, with_searches


class Decoder:
    """For one answer. A call comes whole, in one event; usage grows from event to event, and is
    told as soon as it has any output."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._choices: dict[int, _Choice] = {}
        self._usage: dict[str, Any] | None = None
        self._searches = 0

    def __call__(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Raises Malformed."""
        self._head = {**head(event), **self._head}
        told = usage(event.get("usageMetadata"))
        self._usage = told or self._usage
        self._searches = max(self._searches, searches(event))
        if (why := blocked(event)) is not None:
            choices = [self._of(0).refused(why)]
        else:
            shown = (self._of(index).shown(one) for index, one in candidates(event))
            choices = [choice for choice in shown if choice is not None]
        ends = any(choice["finish_reason"] is not None for choice in choices)
        is_late = told is not None and any(one.finished for one in self._choices.values())
        if not choices and not is_late:
            return []
        chunk = {**self._head, "object": "chat.completion.chunk", "choices": choices}
        # In between, too, since the end may never come.
        counts = told is not None and told["completion_tokens"] > 0
        if self._usage is not None and (ends or is_late or counts):
            chunk["usage"] = with_searches(self._usage, self._searches)
        return [chunk]

    def _of(self, index: int) -> "_Choice":
        return self._choices.setdefault(index, _Choice(index))


class _Choice:
    def __init__(self, index: int) -> None:
        self.finished = False
        self._index = index
        self._begun = False
        self._is_heard = False
        self._calls = self._images = self._others = 0

    def refused(self, why: str) -> dict[str, Any]:
        self.finished = True
        return self._choice({"refusal": why}, "content_filter")

    def shown(self, candidate: dict[str, Any]) -> dict[str, Any] | None:
        """None for an event that only repeats that it has finished."""
        heard = said(candidate.get("content"))
        self._number(heard)
        delta = heard.shown()
        if text := "".join(heard.text):
            delta = {"content": text, **delta}
        reason = finish_reason(candidate, has_calls=self._calls > 0)
        if self.finished and not delta:
            return None
        self.finished = self.finished or reason is not None
        choice = self._choice(delta, reason)
        if (found := logprobs(candidate.get("logprobsResult"))) is not None:
            choice["logprobs"] = found
        return {**choice, **own_of(candidate)}

    def _choice(self, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
        if not self._begun:
            delta = {"role": "assistant", "content": "", **delta}
            self._begun = True
        return {"index": self._index, "delta": delta, "finish_reason": reason}

    def _number(self, heard: Said) -> None:
        """Clients put the pieces of a list together by their numbers, and those of a text, such as
        a sound's name, by adding one to the other."""
        heard.calls = [{"index": self._calls + i, **call} for i, call in enumerate(heard.calls)]
        heard.images = [{"index": self._images + i, **one} for i, one in enumerate(heard.images)]
        heard.others = [{**one, "index": self._others + i} for i, one in enumerate(heard.others)]
        if heard.audio is not None and self._is_heard:
            heard.audio = {"data": heard.audio["data"]}
        self._is_heard = self._is_heard or heard.audio is not None
        self._calls += len(heard.calls)
        self._images += len(heard.images)
        self._others += len(heard.others)
