import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ...application.ports.seal import CannotOpen, Seal

_VERSION = "v1"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_KEPT_OPEN = 4096


class AesGcmSeal:
    """AES-256-GCM with a fresh nonce each: `v1.<key id>.<base64 of nonce and ciphertext>`.

    The first key seals; every key opens. The key's id stands in front, so keys can rotate.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise ValueError("an encryption key has 32 bytes")
        self._ciphers = {_id_of(key): AESGCM(key) for key in keys}
        self._current = _id_of(keys[0])
        # Opening takes microseconds, and is the same each time. What is kept is no more than the
        # process holds while it calls a provider.
        self._opened = lru_cache(maxsize=_KEPT_OPEN)(self._open)

    def seal(self, secret: str, context: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        box = nonce + self._ciphers[self._current].encrypt(nonce, secret.encode(), context.encode())
        return f"{_VERSION}.{self._current}.{base64.b64encode(box).decode()}"

    def open(self, sealed: str, context: str) -> str:
        return self._opened(sealed, context)

    def is_current(self, sealed: str) -> bool:
        return sealed.startswith(f"{_VERSION}.{self._current}.")

    def _open(self, sealed: str, context: str) -> str:
        version, _, rest = sealed.partition(".")
        key_id, _, text = rest.partition(".")
        cipher = self._ciphers.get(key_id)
        if version != _VERSION or cipher is None:
            raise CannotOpen
        try:
            box = base64.b64decode(text, validate=True)
            if base64.b64encode(box).decode() != text:  # another spelling of the same bytes
                raise CannotOpen
            opened = cipher.decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], context.encode())
            return opened.decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise CannotOpen from error


def _id_of(key: bytes) -> str:
    """Eight hex digits that name a key and say nothing about it."""
    return hashlib.sha256(b"langroute key id" + key).hexdigest()[:8]


_: type[Seal] = AesGcmSeal
