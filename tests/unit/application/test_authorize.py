import pytest
from scene import START_NS, ManualClock, S

from langroute.adapters.memory.organizations import MemoryOrganizations
from langroute.adapters.memory.virtual_keys import MemoryKeys
from langroute.adapters.system.entropy import SystemEntropy
from langroute.application.calls.authorize import Authorize
from langroute.application.keys.issue_virtual_key import IssueVirtualKey, KeyOrder
from langroute.application.keys.revoke_virtual_key import RevokeVirtualKey
from langroute.domain.errors import Unauthenticated
from langroute.domain.keys import compose_secret
from langroute.domain.limits import Limits


class Door:
    """Keys, somebody who makes them, and somebody who lets their holders in."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.keys = MemoryKeys()
        self.authorize = Authorize(self.keys, self.clock)
        self.revoke = RevokeVirtualKey(self.keys, self.clock)
        self.issue = IssueVirtualKey(
            keys=self.keys,
            organizations=MemoryOrganizations(),
            clock=self.clock,
            entropy=SystemEntropy(),
            default_limits=Limits(),
        )

    async def code_for(self, secret: str | None) -> str:
        with pytest.raises(Unauthenticated) as refused:
            await self.authorize(secret)
        # Enough to recognise one's own key by, never enough to use it.
        assert not secret or len(secret) < 4 or secret not in str(refused.value)
        return refused.value.code


async def test_lets_the_holder_of_an_active_key_in() -> None:
    door = Door()
    issued = await door.issue(KeyOrder(name="app", expires_at_ns=START_NS + S))
    assert await door.authorize(issued.secret) == issued.key


@pytest.mark.parametrize("missing", [None, ""])
async def test_refuses_a_call_without_a_key(missing: str | None) -> None:
    with pytest.raises(Unauthenticated, match="did not provide an API key"):
        await Door().authorize(missing)


@pytest.mark.parametrize(
    "wrong", ["x", "sk-not-one-of-ours", "lrvk_", "lrvk_" + "a" * 38, "schlüssel", "\ud800"]
)
async def test_refuses_what_is_not_a_virtual_key_without_looking_it_up(wrong: str) -> None:
    assert await Door().code_for(wrong) == "invalid_api_key"


async def test_refuses_a_mistyped_key() -> None:
    door = Door()
    secret = (await door.issue(KeyOrder())).secret
    mistyped = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    with pytest.raises(Unauthenticated, match="mistyped"):
        await door.authorize(mistyped)


async def test_refuses_a_key_that_nobody_issued() -> None:
    assert await Door().code_for(compose_secret(b"x" * 24)) == "invalid_api_key"


async def test_refuses_an_expired_key_from_the_moment_it_expires() -> None:
    door = Door()
    secret = (await door.issue(KeyOrder(expires_at_ns=START_NS + S))).secret
    door.clock.advance(1 - 1e-9)
    await door.authorize(secret)
    door.clock.advance(1e-9)
    assert await door.code_for(secret) == "expired_api_key"


async def test_refuses_a_revoked_key_and_says_so_even_once_it_has_expired() -> None:
    door = Door()
    issued = await door.issue(KeyOrder(expires_at_ns=START_NS + S))
    await door.revoke(issued.key.id)
    assert await door.code_for(issued.secret) == "revoked_api_key"
    door.clock.advance(2)
    assert await door.code_for(issued.secret) == "revoked_api_key"


async def test_a_refusal_shows_the_two_ends_of_a_long_key_only() -> None:
    secret = compose_secret(b"y" * 24)
    with pytest.raises(Unauthenticated) as refused:
        await Door().authorize(secret)
    assert f"lrvk_***{secret[-4:]}" in str(refused.value)
    assert secret[5:15] not in str(refused.value)
    with pytest.raises(Unauthenticated) as refused:
        await Door().authorize("hunter2")
    assert "hunter" not in str(refused.value)
