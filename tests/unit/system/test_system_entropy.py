import time
from uuid import RFC_4122

from langroute.adapters.system.entropy import SystemEntropy

MANY = 20_000  # more than the counter of one millisecond holds


def test_later_uuids_are_greater_than_earlier_ones() -> None:
    entropy = SystemEntropy()
    made = [entropy.uuid() for _ in range(MANY)]
    assert made == sorted(made)
    assert len(set(made)) == MANY


def test_uuids_are_of_version_7_and_tell_when_they_were_made() -> None:
    entropy = SystemEntropy()
    before_ms = time.time_ns() // 10**6
    made = [entropy.uuid() for _ in range(100)]
    after_ms = time.time_ns() // 10**6
    for each in made:
        assert (each.version, each.variant) == (7, RFC_4122)
        assert before_ms <= each.int >> 80 <= after_ms + 1


def test_the_low_bits_of_uuids_are_random() -> None:
    """They seed the order of a route's targets: two makers must not repeat one another."""
    made = {SystemEntropy().uuid().int & (1 << 62) - 1 for _ in range(1_000)}
    assert len(made) == 1_000


def test_secrets_have_their_size_and_never_repeat() -> None:
    entropy = SystemEntropy()
    made = {entropy.secret(24) for _ in range(1_000)}
    assert len(made) == 1_000
    assert {len(each) for each in made} == {24}
