"""What the licences of a base and of data allow of the weights made from both."""

NOT_COMMERCIAL = "not for commercial use"
OWN = ("yours", "that of this project")  # data that is nobody else's

_HUB_NAMES = {
    "Apache-2.0": "apache-2.0",
    "CC BY 3.0": "cc-by-3.0",
    "CC BY 4.0": "cc-by-4.0",
    "CC BY-NC 4.0": "cc-by-nc-4.0",
    "GPL-3.0": "gpl-3.0",
    "MIT": "mit",
}
_PERMISSIVE = ("Apache-2.0", "MIT")


def restriction(base: str | None, data: str) -> str:
    """Return what limits the use of weights made from both, '' where the licences name no limit."""
    if any(word in f"{base} {data}" for word in ("NC", "research")):
        return NOT_COMMERCIAL
    return "the terms of the data are not stated" if "not stated" in data else ""


def hub_licence(base: str, data: str) -> str:
    """Return the identifier by which the Hugging Face hub knows the weights' licence.

    A permissive base leaves the choice to the data's licence. `other` stands where both licences bind, and
    where the hub has no name for the data's: the card then names them in words.
    """
    return _HUB_NAMES.get(data, "other") if base in _PERMISSIVE else "other"
