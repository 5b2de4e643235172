from typing import Any
from uuid import uuid4

Call = dict[str, Any]

# No answer calls so many tools: beyond it, an index is a fault. The next one can be written, too.
_MAX_INDEX = 2**31


class CallNumbers:
    """Of one choice of a streamed answer: which of its tool calls each piece belongs to.

    OpenAI numbers them by `index`, and by that clients put the pieces together. Some servers leave
    it out, and some have the same for all calls; there, what is new begins another call: an id, or,
    without ids, a name.
    """

    def __init__(self) -> None:
        self._ids: dict[int, str] = {}
        self._by_id: dict[str, int] = {}
        self._by_index: dict[int, int] = {}
        self._last: int | None = None
        self._next = 0

    def number(self, calls: list[Call]) -> None:
        """In place: each is given its `index`, and where it has no id, its first piece one."""
        for place, call in enumerate(calls):
            told = call.get("index")
            if type(told) is int and 0 <= told < _MAX_INDEX:
                number = self._by_index[told] = self._of_index(told, call)
            else:
                number = self._of_place(place if len(calls) > 1 else None, call)
            self._last = call["index"] = number
            if number not in self._ids:
                self._begin(number, call)

    def _of_index(self, told: int, call: Call) -> int:
        """An id that changes may be one that a server makes up for each piece, unless there is a
        name, too."""
        number = self._by_index.get(told)
        if number is None:
            return told if told not in self._ids else self._next
        is_another = _id(call) and _name(call) and _id(call) != self._ids[number]
        return self._by_id.get(_id(call), self._next) if is_another else number

    def _of_place(self, place: int | None, call: Call) -> int:
        if call_id := _id(call):
            return self._by_id.get(call_id, self._next)
        if self._last is None or _name(call):
            return self._next
        return self._last if place is None or place not in self._ids else place

    def _begin(self, number: int, call: Call) -> None:
        call["id"] = self._ids[number] = _id(call) or f"call_{uuid4().hex[:24]}"
        self._by_id[call["id"]] = number
        self._next = max(self._next, number + 1)


def _id(call: Call) -> str:
    told = call.get("id")
    return told if isinstance(told, str) else ""


def _name(call: Call) -> str:
    for kind in ("function", "custom"):
        if isinstance(said := call.get(kind), dict) and isinstance(name := said.get("name"), str):
            return name
    return ""
