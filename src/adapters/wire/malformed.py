class Malformed(Exception):
    """What the provider sent is not in its format. Stops inside this package, at the edge of which
    it becomes ProviderBrokeOff."""


class BrokeOff(Exception):
    """The provider said, or let be seen, that its answer will not be finished. The text goes behind
    the provider's name. Stops where Malformed does."""
