from quart import Blueprint, Response

from ....application.gateway import Gateway
from ....domain.ids import KeyId
from ..bodies import read
from . import bodies
from .answers import as_json, fields_named, key_id


def add_credentials(blueprint: Blueprint, gateway: Gateway) -> None:
    """Providers' keys: those that all share, and those of one virtual key. `/save-keys` is the
    original's path."""

    async def save(owner: KeyId | None, provider: str) -> Response:
        body = await read(bodies.CredentialBody)
        with fields_named({provider: "secret"}):
            saved = await gateway.save_credentials(owner, {provider: body.secret})
        return as_json({"saved": saved})

    async def remove(owner: KeyId | None, provider: str) -> Response:
        await gateway.remove_credential(owner, provider)
        return as_json({"removed": provider})

    @blueprint.post("/save-keys")
    async def save_keys() -> Response:
        body = await read(bodies.SaveKeysBody)
        secrets = {"openai": body.openaiKey or "", "mistral": body.mistralKey or ""}
        with fields_named({"openai": "openaiKey", "mistral": "mistralKey"}):
            saved = await gateway.save_credentials.for_holder(body.virtualKey, secrets)
        return as_json({"message": "API keys saved", "saved": saved})

    @blueprint.put("/keys/<key>/credentials/<provider>")
    async def save_own_credential(key: str, provider: str) -> Response:
        return await save(key_id(key), provider)

    @blueprint.delete("/keys/<key>/credentials/<provider>")
    async def remove_own_credential(key: str, provider: str) -> Response:
        return await remove(key_id(key), provider)

    @blueprint.put("/providers/<name>/credential")
    async def save_shared_credential(name: str) -> Response:
        return await save(None, name)

    @blueprint.delete("/providers/<name>/credential")
    async def remove_shared_credential(name: str) -> Response:
        return await remove(None, name)
