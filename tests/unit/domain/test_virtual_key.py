import binascii
import hashlib
import re
from dataclasses import replace
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from langroute.domain.ids import KeyId
from langroute.domain.keys import (
    CHECKSUM_LENGTH,
    SECRET_PATTERN,
    SECRET_PREFIX,
    KeyState,
    VirtualKey,
    compose_secret,
    digest_of,
    hint_of,
    is_well_formed,
)
from langroute.domain.limits import Limit, Limits, Measure
from langroute.domain.organizations import key_scope

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM = st.binary(min_size=24, max_size=24)
SECRETS = RANDOM.map(compose_secret)


def checksum_of(text: str) -> str:
    """CRC-32 as six digits of base 62."""
    number, digits = binascii.crc32(text.encode()), ""
    while len(digits) < CHECKSUM_LENGTH:
        digits = BASE62[number % 62] + digits
        number //= 62
    assert number == 0
    return digits


def a_key(
    *,
    allowed: tuple[str, ...] = (),
    expires_at_ns: int | None = None,
    revoked_at_ns: int | None = None,
) -> VirtualKey:
    return VirtualKey(
        id=KeyId(UUID(int=1)),
        name="test",
        digest=b"secret digest",
        hint="abcd",
        limits=Limits(),
        allowed_models=allowed,
        created_at_ns=0,
        expires_at_ns=expires_at_ns,
        revoked_at_ns=revoked_at_ns,
    )


@given(RANDOM)
def test_a_composed_secret_is_well_formed_and_found_by_scanners(random: bytes) -> None:
    secret = compose_secret(random)
    assert is_well_formed(secret)
    assert re.fullmatch(SECRET_PATTERN, secret)
    found = re.search(SECRET_PATTERN, f'{{"key": "{secret}"}}')
    assert found is not None
    assert found.group() == secret


@given(SECRETS)
def test_the_last_six_digits_are_the_crc_32_of_those_before_them(secret: str) -> None:
    assert secret[-CHECKSUM_LENGTH:] == checksum_of(secret[:-CHECKSUM_LENGTH])


def test_the_right_checksum_does_not_make_up_for_a_wrong_prefix() -> None:
    body = "LRVK_" + "a" * 32
    assert is_well_formed(body.lower() + checksum_of(body.lower()))
    assert not is_well_formed(body + checksum_of(body))


@pytest.mark.parametrize("odd", ["\ud800", "é", "😀", "\0"])
def test_a_character_that_is_no_digit_is_noticed_and_breaks_nothing(odd: str) -> None:
    secret = compose_secret(b"x" * 24)
    assert not is_well_formed(secret[:20] + odd + secret[21:])
    assert not is_well_formed(secret[:-1] + odd)


@given(RANDOM, RANDOM)
def test_different_randomness_gives_different_secrets(a: bytes, b: bytes) -> None:
    # 62**32 is a little less than 2**192: two numbers that far apart share a secret.
    assume((int.from_bytes(a, "big") - int.from_bytes(b, "big")) % 62**32)
    assert compose_secret(a) != compose_secret(b)
    assert digest_of(compose_secret(a)) != digest_of(compose_secret(b))


@given(SECRETS, st.data())
def test_any_single_mistyped_character_is_noticed(secret: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(secret) - 1))
    other = data.draw(st.sampled_from(BASE62 + "_-. ") | st.characters())
    assume(other != secret[at])
    assert not is_well_formed(secret[:at] + other + secret[at + 1 :])


@given(SECRETS)
def test_any_two_neighbours_that_changed_places_are_noticed(secret: str) -> None:
    for at, (left, right) in enumerate(pairwise(secret)):
        if left != right:
            assert not is_well_formed(secret[:at] + right + left + secret[at + 2 :])


def test_neighbours_across_the_border_of_the_checksum_are_noticed_too() -> None:
    """The CRC changes by a fixed pattern of bits, the checksum by a multiple of 62 to the 5th: an
    even number that no such pattern comes to. Here, for every pair that could be swapped."""
    swapped = 0
    for number in range(20_000):
        secret = compose_secret(number.to_bytes(24, "big"))
        border = len(secret) - CHECKSUM_LENGTH
        left, right = secret[border - 1], secret[border]
        if left != right:
            swapped += 1
            assert not is_well_formed(secret[: border - 1] + right + left + secret[border + 1 :])
    assert swapped > 15_000


@given(st.text() | st.text(alphabet=BASE62).map(SECRET_PREFIX.__add__))
def test_other_text_is_not_well_formed(text: str) -> None:
    assert not is_well_formed(text)
    assert not is_well_formed(SECRET_PREFIX + text)


@given(SECRETS, st.sampled_from(["", " ", "\n", "a"]), st.sampled_from([" ", "\n", "a", "="]))
def test_more_or_fewer_characters_are_noticed(secret: str, before: str, after: str) -> None:
    assert not is_well_formed(before + secret + after)
    assert not is_well_formed(secret[:-1])
    assert not is_well_formed(secret[1:])


@given(SECRETS)
def test_the_digest_is_the_sha_256_and_the_hint_the_last_four_characters(secret: str) -> None:
    assert digest_of(secret) == hashlib.sha256(secret.encode()).digest()
    assert hint_of(secret) == secret[-4:]
    assert len(hint_of(secret)) == 4


def test_a_key_is_active_until_it_expires_and_revoked_for_good() -> None:
    assert a_key().state(10**30) is KeyState.ACTIVE
    expiring = a_key(expires_at_ns=100)
    assert [expiring.state(now) for now in (99, 100, 101)] == [
        KeyState.ACTIVE,
        KeyState.EXPIRED,
        KeyState.EXPIRED,
    ]
    revoked = a_key(expires_at_ns=100, revoked_at_ns=50)
    assert {revoked.state(now) for now in (0, 99, 100)} == {KeyState.REVOKED}


@pytest.mark.parametrize(
    ("allowed", "model", "may"),
    [
        ((), "anything", True),
        (("gpt-4o",), "gpt-4o", True),
        (("gpt-4o",), "gpt-4o-mini", False),
        (("gpt-4o",), "GPT-4o", False),
        (("gpt-*",), "gpt-4o", True),
        (("gpt-*",), "gpt-", True),
        (("gpt-*",), "my-gpt-4o", False),
        (("*-mini",), "gpt-4o-mini", True),
        (("gpt-*-mini",), "gpt-4o-mini", True),
        (("gpt-*-mini",), "gpt-mini", False),
        (("*",), "", True),
        (("mistral-small", "gpt-*"), "gpt-4o", True),
        (("mistral-small", "gpt-*"), "mistral-large", False),
    ],
)
def test_a_key_may_use_the_models_that_it_names(
    allowed: tuple[str, ...], model: str, *, may: bool
) -> None:
    assert a_key(allowed=allowed).may_use(model) is may


def test_a_key_does_not_show_its_digest() -> None:
    assert "secret digest" not in repr(a_key())


def test_what_the_two_usual_limits_tell_is_no_further_limit() -> None:
    key = a_key()
    for usual in Limits(requests_per_minute=5, tokens_per_minute=5).of(key_scope(key.id)):
        with pytest.raises(ValueError, match="count the same calls"):
            replace(key, further_limits=(usual,))
        narrower = replace(usual, model="gpt-*")
        assert replace(key, further_limits=(narrower,)).all_limits == (narrower,)


def test_a_key_carries_no_limit_of_another() -> None:
    stranger = Limit(scope=key_scope(UUID(int=2)), measure=Measure.MONEY, amount=1)
    with pytest.raises(ValueError, match="cannot be carried"):
        replace(a_key(), further_limits=(stranger,))
