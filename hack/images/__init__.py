"""Images for tests, as OCI archives in the user's cache: no Docker, no registry, nothing installed on the machine.

Packages come from Debian and from PyPI by hash. What an image holds is told in ``recipes``; its key is all that
we put in, so that an image is made once and a change of ours makes another.
"""

from hack.images.store import Image, ensure_image

__all__ = ["Image", "ensure_image"]
