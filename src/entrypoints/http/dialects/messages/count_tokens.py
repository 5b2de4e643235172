import orjson
from quart import Request, Response

from .....application.gateway import Gateway
from ...bearer import credential_of
from ...bodies import read_json
from ...front import Handler, error_response
from .front import Messages


def counting_tokens(front: Messages, gateway: Gateway) -> Handler:
    """How many tokens a request would send: an estimate, from its bytes, since no tokenizer knows
    every model. Open to the holder of an active key, for the models that it may use; asks no
    provider, and costs nothing.

    https://docs.anthropic.com/en/api/messages-count-tokens
    """

    async def handle(request: Request) -> Response:
        try:
            key = await gateway.authorize(credential_of(request))
            asked = front.parse_to_count(await read_json(request))
            gateway.list_models.one(key, asked.model)
            counted = {"input_tokens": asked.likely_input}
            return Response(orjson.dumps(counted), content_type="application/json")
        except Exception as error:  # noqa: BLE001  (this is where they become answers)
            return await error_response(error, front.error)

    return handle
