import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ...domain.errors import InvalidRequest, NotFound
from ...domain.providers import Provider, ProviderKind
from ..ports.catalogues import CatalogueLookup, Catalogues, StillInUse

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
# Azure's. Whatever else stands there may be a secret, which this is no place for.
_QUERY = re.compile(r"(api-version=[A-Za-z0-9.-]{1,64})?")
_LONGEST_URL = 2000


@dataclass(frozen=True, slots=True)
class DefineProvider:
    """Open to administrators. Adds a provider or replaces the one of that name. Takes effect on
    every node within one second. Raises InvalidRequest, NotFound."""

    catalogues: Catalogues
    catalogue: CatalogueLookup
    default_urls: Mapping[ProviderKind, str | None]

    def order(
        self, name: str, kind: str, base_url: str | None, *, needs_credential: bool
    ) -> Provider:
        """A provider as an operator describes it: one whose kind lives in one place needs no base
        URL."""
        known = ProviderKind(kind)
        if known not in self.default_urls:
            kinds = ", ".join(sorted(self.default_urls))
            raise InvalidRequest(f"'kind' must be one of {kinds}.", param="kind")
        url = base_url or self.default_urls[known]
        if url is None:
            raise InvalidRequest(f"A provider of kind {kind!r} needs a base URL.", param="base_url")
        return Provider(
            name=name, kind=known, base_url=url.rstrip("/"), needs_credential=needs_credential
        )

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
        # It leaves out line breaks without a word, and the URL would keep them.
        if not base_url.isprintable() or len(base_url) > _LONGEST_URL:
            raise wrong
        if url.scheme not in {"http", "https"} or not url.hostname or url.port == 0:
            raise wrong
    except ValueError as error:
        raise wrong from error
    if url.username or url.password or url.fragment or not _QUERY.fullmatch(url.query):
        raise InvalidRequest(
            "The base URL may not carry credentials, a fragment, or a query but 'api-version'.",
            param="base_url",
        )
