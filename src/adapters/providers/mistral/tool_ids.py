from hashlib import blake2b

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 9


class ToolIds:
    """Mistral takes tool-call ids of nine letters and digits only. Others are hashed to such a
    one, always the same, and are given back where the provider uses it again."""

    def __init__(self) -> None:
        self.own: dict[str, str] = {}

    def sent(self, own: str) -> str:
        if len(own) == _LENGTH and own.isascii() and own.isalnum():
            return own
        number = int.from_bytes(
            blake2b(own.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        )
        digits = []
        for _ in range(_LENGTH):
            number, digit = divmod(number, len(_ALPHABET))
            digits.append(_ALPHABET[digit])
        sent = "".join(digits)
        self.own[sent] = own
        return sent
