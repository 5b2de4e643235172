"""What every Seal must do. An adapter joins by adding a fixture, and its name to SEALS."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from langroute.adapters.crypto.aes_gcm_seal import AesGcmSeal
from langroute.application.ports.seal import CannotOpen, Seal

SEALS = ("aes_gcm",)
NEWEST, OLDER, UNKNOWN = b"n" * 32, b"o" * 32, b"u" * 32

SealOf = Callable[[list[bytes]], Seal]
"""A seal that knows these keys, the newest first."""

TEXT = st.text(max_size=60)
# The fixture makes new seals and keeps nothing, so that examples may share it.
sharing = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def aes_gcm() -> SealOf:
    return AesGcmSeal


@pytest.fixture(params=SEALS)
def seal_of(request: pytest.FixtureRequest) -> SealOf:
    made: SealOf = request.getfixturevalue(request.param)
    return made


def does_not_open(seal: Seal, sealed: str, context: str) -> bool:
    """Raises where anything but CannotOpen comes of it."""
    try:
        seal.open(sealed, context)
    except CannotOpen:
        return True
    return False


def opens_as_nothing_else(seal: Seal, spoiled: str, secret: str) -> bool:
    """Base64 has several spellings of the same bytes. Those may open, but as the secret only."""
    return does_not_open(seal, spoiled, "c") or seal.open(spoiled, "c") == secret


@sharing
@given(TEXT, TEXT)
def test_what_was_sealed_opens_again(seal_of: SealOf, secret: str, context: str) -> None:
    seal = seal_of([NEWEST])
    sealed = seal.seal(secret, context)
    assert seal.open(sealed, context) == secret
    assert seal.open(sealed, context) == secret
    assert seal_of([NEWEST]).open(sealed, context) == secret


def test_the_secret_is_not_in_the_text(seal_of: SealOf) -> None:
    secret = "sk-proj-0123456789"
    sealed = seal_of([NEWEST]).seal(secret, "c")
    assert secret not in sealed
    for part in sealed.split("."):
        assert secret.encode() not in base64.b64decode(part + "===")


def test_sealing_twice_gives_two_different_texts(seal_of: SealOf) -> None:
    seal = seal_of([NEWEST])
    assert len({seal.seal("secret", "context") for _ in range(1_000)}) == 1_000


@sharing
@given(TEXT, TEXT, TEXT)
def test_does_not_open_for_another_context(
    seal_of: SealOf, secret: str, context: str, other: str
) -> None:
    assume(context != other)
    seal = seal_of([NEWEST])
    assert does_not_open(seal, seal.seal(secret, context), other)


@sharing
@given(TEXT, st.data())
def test_a_spoiled_text_opens_as_nothing_else(
    seal_of: SealOf, secret: str, data: st.DataObject
) -> None:
    seal = seal_of([NEWEST, OLDER])
    sealed = seal.seal(secret, "c")
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.characters())
    spoiled = sealed[:at] + other + sealed[at + 1 :]
    assert opens_as_nothing_else(seal, spoiled, secret)


@sharing
@given(TEXT, st.data())
def test_a_text_cut_short_reversed_or_made_up_does_not_open(
    seal_of: SealOf, secret: str, data: st.DataObject
) -> None:
    seal = seal_of([NEWEST])
    sealed = seal.seal(secret, "c")
    assert does_not_open(seal, sealed[::-1], "c")
    assert does_not_open(seal, sealed[: data.draw(st.integers(0, len(sealed) - 1))], "c")
    longer = sealed + data.draw(st.characters() | st.sampled_from("A=\n."))
    assert opens_as_nothing_else(seal, longer, secret)
    assert does_not_open(seal, data.draw(st.text(max_size=80)), "c")
    assert does_not_open(seal, sealed.rpartition(".")[0] + "." + data.draw(TEXT), "c")


def test_keys_rotate(seal_of: SealOf) -> None:
    before, during, after = seal_of([OLDER]), seal_of([NEWEST, OLDER]), seal_of([NEWEST])
    old = before.seal("secret", "c")
    assert during.open(old, "c") == "secret"
    assert not during.is_current(old)
    assert before.is_current(old)

    new = during.seal(during.open(old, "c"), "c")
    assert during.is_current(new)
    assert after.is_current(new)
    assert after.open(new, "c") == "secret"
    assert does_not_open(before, new, "c")
    assert does_not_open(after, old, "c")


def test_a_refusal_says_nothing_about_why(seal_of: SealOf) -> None:
    seal = seal_of([NEWEST])
    for sealed, context in (
        (seal.seal("secret", "c"), "d"),
        (seal_of([UNKNOWN]).seal("secret", "c"), "c"),
        ("garbage", "c"),
    ):
        with pytest.raises(CannotOpen) as refused:
            seal.open(sealed, context)
        assert not refused.value.args


def test_does_not_open_with_an_unknown_key(seal_of: SealOf) -> None:
    sealed = seal_of([UNKNOWN]).seal("secret", "c")
    assert does_not_open(seal_of([NEWEST, OLDER]), sealed, "c")
    assert not seal_of([NEWEST, OLDER]).is_current(sealed)


@sharing
@given(st.text(max_size=80))
def test_text_that_is_no_seal_is_not_current(seal_of: SealOf, text: str) -> None:
    assert not seal_of([NEWEST]).is_current(text)
