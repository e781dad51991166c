"""Names out of the API that become names of files: what is no plain name is refused, whoever let it through before."""

import re

# A DNS subdomain, which every name of Kubernetes' is: no slash, and nothing that begins or ends with a dot.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def is_plain(name: str) -> bool:
    """True for a name that is one step of a path, and stays where it is."""
    return _NAME.fullmatch(name) is not None
