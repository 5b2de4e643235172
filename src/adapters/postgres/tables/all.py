"""All tables as SQLAlchemy sees them. The migrations define them; a test compares the two."""

from . import audit, calls, catalogue, counters, organizations
from .schema import METADATA

__all__ = ["METADATA", "audit", "calls", "catalogue", "counters", "organizations"]
