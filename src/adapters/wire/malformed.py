class Malformed(Exception):
    """What the provider sent is not in its format. Stops inside this package, at the edge of which
    it becomes ProviderBrokeOff."""
