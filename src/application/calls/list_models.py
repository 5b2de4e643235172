from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.errors import UnknownModel
from ...domain.keys import VirtualKey
from ..ports.catalogues import CatalogueLookup


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """`owned_by` is the provider that is asked first."""

    model: str
    owned_by: str


@dataclass(frozen=True, slots=True)
class ListModels:
    """The models that a key may use, by name. Wildcards stand for names that nobody can list, so
    they are left out."""

    catalogues: CatalogueLookup

    def __call__(self, key: VirtualKey) -> Sequence[ModelCard]:
        exact = self.catalogues.current().exact
        return [
            ModelCard(model=name, owned_by=route.targets[0].provider)
            for name, route in sorted(exact.items())
            if key.may_use(name)
        ]

    def one(self, key: VirtualKey, model: str) -> ModelCard:
        """Raises UnknownModel where there is none, or the key may not use it."""
        route = self.catalogues.current().route(model)
        if route is None or not key.may_use(model):
            raise UnknownModel(model)
        return ModelCard(model=model, owned_by=route.targets[0].provider)
