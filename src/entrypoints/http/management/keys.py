from typing import Any

from quart import Blueprint, Response, request

from ....application.gateway import Gateway
from ....application.keys.change_virtual_key import KeyChange
from ....application.keys.issue_virtual_key import IssuedKey, KeyOrder
from ....application.ports.clock import Clock
from ....domain.keys import VirtualKey
from ... import views
from ...times import to_ns
from ..bodies import read
from . import bodies
from .answers import as_json, as_list, check_args, count_arg, key_id
from .limit_bodies import orders


def add_keys(blueprint: Blueprint, gateway: Gateway, clock: Clock) -> None:
    """Virtual keys. `/generate-virtual-key` is the original's path."""

    def shown(key: VirtualKey) -> dict[str, Any]:
        return views.key_view(key, clock.now_ns())

    def issued(issue: IssuedKey) -> Response:
        return as_json({**shown(issue.key), "virtual_key": issue.secret}, 201)

    @blueprint.post("/generate-virtual-key")
    async def generate_virtual_key() -> Response:
        issue = await gateway.issue_virtual_key(await _order(gateway))
        return as_json({"virtualKey": issue.secret})

    @blueprint.post("/keys")
    async def issue_key() -> Response:
        return issued(await gateway.issue_virtual_key(await _order(gateway)))

    @blueprint.get("/keys")
    async def list_keys() -> Response:
        check_args("limit", "after")
        after = request.args.get("after")
        keys = await gateway.list_virtual_keys(
            key_id(after, "after") if after else None, count_arg("limit", 100)
        )
        return as_list([shown(key) for key in keys])

    @blueprint.get("/keys/<key>")
    async def one_key(key: str) -> Response:
        return as_json(shown(await gateway.list_virtual_keys.one(key_id(key))))

    @blueprint.patch("/keys/<key>")
    async def change_key(key: str) -> Response:
        body = await read(bodies.KeyBody)
        present = await gateway.list_virtual_keys.one(key_id(key))
        return as_json(shown(await gateway.change_virtual_key(present.id, _change(body, present))))

    @blueprint.post("/keys/<key>/rotate")
    async def rotate_key(key: str) -> Response:
        return issued(await gateway.rotate_virtual_key(key_id(key)))

    @blueprint.delete("/keys/<key>")
    async def revoke_key(key: str) -> Response:
        return as_json(shown(await gateway.revoke_virtual_key(key_id(key))))


async def _order(gateway: Gateway) -> KeyOrder:
    body = await read(bodies.KeyBody, empty_is={})
    return KeyOrder(
        name=body.name,
        limits=body.usual_limits(gateway.issue_virtual_key.default_limits),
        further_limits=orders(body.limits),
        team=body.team,
        allowed_models=tuple(body.allowed_models),
        expires_at_ns=to_ns(body.expires_at) if body.expires_at else None,
    )


def _change(body: bodies.KeyBody, present: VirtualKey) -> KeyChange:
    given = body.model_fields_set
    return KeyChange(
        name=body.name if "name" in given else None,
        limits=body.usual_limits(present.limits),
        further_limits=orders(body.limits) if "limits" in given else None,
        team=body.team,
        leaves_team="team" in given and body.team is None,
        allowed_models=tuple(body.allowed_models) if "allowed_models" in given else None,
        never_expires="expires_at" in given and body.expires_at is None,
        expires_at_ns=to_ns(body.expires_at) if body.expires_at else None,
    )
