from collections.abc import Mapping

from ...wire.codec import Codec
from .azure import AzureCodec
from .codec import OpenAICodec
from .table import AZURE, TABLE

CODECS: Mapping[str, Codec] = {
    **{kind: OpenAICodec(facts) for kind, facts in TABLE.items()},
    "azure": AzureCodec(AZURE),
}
