import dataclasses

import pytest
from scene import KEY_ID, PROVIDERS, FixedCatalogue, PlainSeal, a_key

from langroute.adapters.crypto.aes_gcm_seal import AesGcmSeal
from langroute.adapters.memory.credentials import MemoryCredentials
from langroute.adapters.memory.virtual_keys import MemoryKeys
from langroute.application.calls.open_credential import OpenCredential
from langroute.application.credentials.remove_credential import RemoveCredential
from langroute.application.credentials.reseal_credentials import ResealCredentials
from langroute.application.credentials.save_credentials import SaveCredentials
from langroute.application.ports.seal import Seal
from langroute.domain.catalogue import Catalogue
from langroute.domain.credentials import Credential
from langroute.domain.errors import CredentialMissing, InvalidRequest, NotFound, Unauthenticated
from langroute.domain.ids import KeyId
from langroute.domain.keys import digest_of
from langroute.domain.providers import Provider

OPENAI, MISTRAL, LOCAL = PROVIDERS
OLD, NEW, LOST = b"o" * 32, b"n" * 32, b"l" * 32


class Vault:
    """One virtual key, and where providers' keys are kept."""

    def __init__(self, seal: Seal | None = None) -> None:
        self.keys = MemoryKeys()
        self.credentials = MemoryCredentials()
        self.seal = seal or PlainSeal()
        self.save = SaveCredentials(
            keys=self.keys,
            credentials=self.credentials,
            catalogues=FixedCatalogue(Catalogue.of(PROVIDERS)),
            seal=self.seal,
        )
        self.remove = RemoveCredential(self.credentials)

    async def with_key(self) -> "Vault":
        await self.keys.put(a_key())
        return self

    async def opened(self, owner: KeyId, provider: Provider) -> str | None:
        return await OpenCredential(self.credentials, self.seal)(owner, provider)


async def test_what_is_saved_is_kept_sealed_and_can_be_opened() -> None:
    vault = await Vault(AesGcmSeal([NEW])).with_key()
    assert await vault.save(KEY_ID, {"openai": "sk-1", "mistral": "sk-2"}) == ["openai", "mistral"]
    assert await vault.opened(KEY_ID, OPENAI) == "sk-1"
    assert await vault.opened(KEY_ID, MISTRAL) == "sk-2"
    for kept in await vault.credentials.all():
        assert "sk-" not in kept.sealed
        assert kept.sealed not in repr(kept)


async def test_an_empty_one_leaves_what_was_saved_before() -> None:
    vault = await Vault().with_key()
    await vault.save(KEY_ID, {"openai": "sk-1", "mistral": "sk-2"})
    assert await vault.save(KEY_ID, {"openai": "", "mistral": "sk-3"}) == ["mistral"]
    assert await vault.opened(KEY_ID, OPENAI) == "sk-1"
    assert await vault.opened(KEY_ID, MISTRAL) == "sk-3"


async def test_an_empty_one_may_be_for_a_provider_that_does_not_exist() -> None:
    """The form of the original names both of its providers, whichever an operator has kept."""
    vault = await Vault().with_key()
    assert await vault.save(KEY_ID, {"openai": "sk-1", "nobody": ""}) == ["openai"]


async def test_a_keys_own_goes_before_the_shared_one_and_comes_off_again() -> None:
    vault = await Vault().with_key()
    await vault.save(None, {"openai": "sk-shared"})
    assert await vault.opened(KEY_ID, OPENAI) == "sk-shared"
    await vault.save(KEY_ID, {"openai": "sk-own"})
    assert await vault.opened(KEY_ID, OPENAI) == "sk-own"
    await vault.remove(KEY_ID, "openai")
    assert await vault.opened(KEY_ID, OPENAI) == "sk-shared"
    await vault.remove(None, "openai")
    with pytest.raises(CredentialMissing):
        await vault.opened(KEY_ID, OPENAI)


async def test_a_provider_without_keys_gets_none_or_what_was_saved_all_the_same() -> None:
    vault = await Vault().with_key()
    assert await vault.opened(KEY_ID, LOCAL) is None
    await vault.save(None, {"local": "token"})
    assert await vault.opened(KEY_ID, LOCAL) == "token"


@pytest.mark.parametrize(
    ("secrets", "param"),
    [
        ({"openai": "sk-1\r\nX-Evil: 1"}, "openai"),
        ({"openai": "sk-ö"}, "openai"),
        ({"openai": "s" * 4097}, "openai"),
        ({"openai": "good", "mistral": "b\0d"}, "mistral"),
    ],
)
async def test_refuses_what_cannot_be_sent_and_then_saves_nothing(
    secrets: dict[str, str], param: str
) -> None:
    vault = await Vault().with_key()
    with pytest.raises(InvalidRequest) as refused:
        await vault.save(KEY_ID, secrets)
    assert refused.value.param == param
    assert not any(secret in str(refused.value) for secret in secrets.values())
    assert await vault.credentials.all() == ()


async def test_refuses_to_save_for_a_provider_that_does_not_exist() -> None:
    vault = await Vault().with_key()
    with pytest.raises(NotFound):
        await vault.save(KEY_ID, {"openai": "sk", "nobody": "sk"})
    assert await vault.credentials.all() == ()


async def test_refuses_to_save_for_a_key_that_does_not_exist() -> None:
    vault = Vault()
    with pytest.raises(NotFound):
        await vault.save(KEY_ID, {"openai": "sk"})
    with pytest.raises(Unauthenticated):
        await vault.save.for_holder("lrvk_unknown", {"openai": "sk"})
    assert await vault.credentials.all() == ()


async def test_a_key_may_be_named_by_its_secret() -> None:
    vault = Vault()
    secret = "lrvk_of_this_test"
    await vault.keys.put(dataclasses.replace(a_key(), digest=digest_of(secret)))
    assert await vault.save.for_holder(secret, {"openai": "sk-1"}) == ["openai"]
    assert await vault.opened(KEY_ID, OPENAI) == "sk-1"


async def test_removing_what_is_not_there_is_not_found() -> None:
    vault = await Vault().with_key()
    await vault.save(None, {"openai": "sk"})
    with pytest.raises(NotFound):
        await vault.remove(KEY_ID, "openai")
    with pytest.raises(NotFound):
        await vault.remove(None, "mistral")


async def test_resealing_brings_everything_that_opens_under_the_newest_key() -> None:
    old, lost, new = AesGcmSeal([OLD]), AesGcmSeal([LOST]), AesGcmSeal([NEW, OLD])
    vault = await Vault(new).with_key()
    for seal, owner, provider in (
        (old, None, "openai"),
        (old, KEY_ID, "openai"),
        (new, None, "mistral"),
        (lost, None, "local"),
    ):
        empty = Credential(owner=owner, provider=provider, sealed="")
        sealed = seal.seal(f"sk-{provider}", empty.context)
        await vault.credentials.put(Credential(owner=owner, provider=provider, sealed=sealed))
    unreadable = await vault.credentials.of(None)

    reseal = ResealCredentials(vault.credentials, new)
    first = await reseal()
    assert (first.resealed, first.current, first.unreadable) == (2, 1, ("local:shared",))
    again = await reseal()
    assert (again.resealed, again.current, again.unreadable) == (0, 3, ("local:shared",))

    only_new = OpenCredential(vault.credentials, AesGcmSeal([NEW]))
    assert await only_new(KEY_ID, OPENAI) == "sk-openai"
    assert await only_new(KEY_ID, MISTRAL) == "sk-mistral"
    left = {each.provider: each.sealed for each in await vault.credentials.of(None)}
    assert left["local"] == next(e.sealed for e in unreadable if e.provider == "local")
