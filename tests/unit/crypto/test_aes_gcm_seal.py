import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.crypto.aes_gcm_seal import AesGcmSeal
from langroute.application.ports.seal import CannotOpen

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


def box_of(sealed: str) -> bytes:
    return base64.b64decode(sealed.split(".")[2], validate=True)


def with_box(sealed: str, box: bytes) -> str:
    return f"{sealed.rpartition('.')[0]}.{base64.b64encode(box).decode()}"


@given(st.text(max_size=40), st.data())
def test_any_spoiled_byte_is_noticed(secret: str, data: st.DataObject) -> None:
    """Nonce, ciphertext and tag alike."""
    seal = AesGcmSeal([KEY])
    sealed = seal.seal(secret, "c")
    box = bytearray(box_of(sealed))
    box[data.draw(st.integers(0, len(box) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CannotOpen):
        seal.open(with_box(sealed, bytes(box)), "c")


@given(st.integers(0, 40))
def test_a_box_that_is_too_short_does_not_open(length: int) -> None:
    seal = AesGcmSeal([KEY])
    with pytest.raises(CannotOpen):
        seal.open(with_box(seal.seal("", "c"), b"\0" * length), "c")


def test_a_text_that_names_another_known_key_does_not_open() -> None:
    seal = AesGcmSeal([KEY, OTHER])
    mine, theirs = seal.seal("secret", "c"), AesGcmSeal([OTHER]).seal("secret", "c")
    with pytest.raises(CannotOpen):
        seal.open(with_box(theirs, box_of(mine)), "c")


def test_a_text_of_another_version_does_not_open() -> None:
    seal = AesGcmSeal([KEY])
    with pytest.raises(CannotOpen):
        seal.open(seal.seal("secret", "c").replace("v1.", "v2.", 1), "c")


def test_every_seal_has_a_nonce_of_its_own() -> None:
    seal = AesGcmSeal([KEY])
    nonces = {box_of(seal.seal("same", "same"))[:12] for _ in range(2_000)}
    assert len(nonces) == 2_000


@given(st.binary(min_size=32, max_size=32))
def test_the_keys_id_says_nothing_about_the_key(key: bytes) -> None:
    version, key_id, _ = AesGcmSeal([key]).seal("", "").split(".")
    assert version == "v1"
    assert len(key_id) == 8
    # Neither a piece of the key, nor of a digest that somebody might have of it.
    assert key_id not in key.hex()
    assert key_id not in hashlib.sha256(key).hexdigest()


def test_what_was_opened_before_does_not_open_for_another_context() -> None:
    """What is kept of earlier openings is kept by context, too."""
    seal = AesGcmSeal([KEY])
    sealed = seal.seal("secret", "a")
    assert seal.open(sealed, "a") == "secret"
    with pytest.raises(CannotOpen):
        seal.open(sealed, "b")


@pytest.mark.parametrize("keys", [[], [b""], [b"k" * 31], [b"k" * 33], [KEY, b"short"]])
def test_refuses_a_key_that_is_not_32_bytes(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        AesGcmSeal(keys)
