"""What runs on the server, each script as one step. They share what stands before them."""

from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

_FOLDER = Path(__file__).parent
_BEFORE = ("arguments", "numbers", "rate_window", "cost_ledger", "reservations")


def lua(*names: str) -> str:
    return "\n".join((_FOLDER / f"{name}.lua").read_text(encoding="utf-8") for name in names)


@dataclass(frozen=True, slots=True)
class Script:
    """`sha` is what the server calls it by, once it has seen the text."""

    text: str
    sha: str

    @classmethod
    def of(cls, text: str) -> "Script":
        return cls(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


ADMIT = Script.of(lua(*_BEFORE, "asked", "admit"))
COUNT = Script.of(lua(*_BEFORE, "asked", "count"))
SETTLE = Script.of(lua(*_BEFORE, "settle"))
LOST = Script.of(lua(*_BEFORE, "lost"))
LOOK_LATER = Script.of(lua("arguments", "look_later"))
SEED = Script.of(lua(*_BEFORE, "seed"))

CORRECT = Script.of(lua(*_BEFORE, "correct"))

ALL = (ADMIT, COUNT, SETTLE, LOST, LOOK_LATER, SEED, CORRECT)
