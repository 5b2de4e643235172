import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ...domain.errors import InvalidRequest, NotFound
from ...domain.providers import Provider
from ..ports.catalogues import CatalogueLookup, Catalogues, StillInUse

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class DefineProvider:
    """Open to administrators. Adds a provider or replaces the one of that name. Takes effect on
    every node within one second. Raises InvalidRequest, NotFound."""

    catalogues: Catalogues
    catalogue: CatalogueLookup

    async def __call__(self, provider: Provider) -> Provider:
        if not _NAME.fullmatch(provider.name):
            raise InvalidRequest(
                "A provider's name is made of small letters, digits, '.', '_' and '-'.",
                param="name",
            )
        _check_url(provider.base_url)
        await self.catalogues.put(providers=[provider])
        await self.catalogue.refresh()
        return provider

    async def remove(self, name: str) -> None:
        try:
            if not await self.catalogues.remove_provider(name):
                raise NotFound("provider", name)
        except StillInUse as error:
            raise InvalidRequest(
                f"The provider {name!r} is still named by the routes: {error}.", param="name"
            ) from error
        await self.catalogue.refresh()


def _check_url(base_url: str) -> None:
    wrong = InvalidRequest("The base URL must be an http or https one.", param="base_url")
    try:
        url = urlsplit(base_url)
        if url.scheme not in {"http", "https"} or not url.hostname or url.port == 0:
            raise wrong
    except ValueError as error:
        raise wrong from error
    if url.username or url.password or url.query or url.fragment:
        raise InvalidRequest(
            "The base URL may not carry credentials, a query or a fragment.", param="base_url"
        )
