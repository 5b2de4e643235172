class Untranslated:
    """What of a request has no counterpart in a chat.

    `only_native` is the field without which the answer would be another one, so that it can only be
    given by whoever speaks this dialect: the first that was found. What is merely `dropped` makes
    it a little worse.
    """

    def __init__(self) -> None:
        self.only_native: str | None = None
        self._dropped: dict[str, None] = {}

    @property
    def dropped(self) -> tuple[str, ...]:
        return tuple(self._dropped)

    def needs_native(self, param: str) -> None:
        self.only_native = self.only_native or param

    def drop(self, name: str) -> None:
        self._dropped[name] = None

    def drop_all_but(self, known: frozenset[str], given: dict[str, object], place: str) -> None:
        for name, value in given.items():
            if name not in known and value is not None:
                self.drop(f"{place}.{name}")
