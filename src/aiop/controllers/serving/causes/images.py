"""Images that are not pulled, in the words of the registry and the kubelet."""

from aiop.controllers.serving.causes.cause import Case, Cause, advised, kind_of, known_by
from aiop.controllers.serving.words import one_line

_WAITING = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
     "RegistryUnavailable", "SignatureValidationFailed"}
)  # fmt: skip
GOES_ON = "the kubelet goes on trying"
_KINDS = (
    known_by("InvalidImageName", r"[Ff]ailed to apply default image tag|couldn't parse image|invalid reference format",
         "correct the image"),
    # Before "not found": a registry that wants a login does not say whether the image exists.
    known_by("ImagePullDenied",
         r"(?i)unauthorized|authentication required|authorization failed|no basic auth|403 Forbidden|\bdenied\b",
         f"name a Secret with the registry's credentials in spec.imagePullSecrets, or correct the image; {GOES_ON}"),
    known_by("ImageNotFound", r"(?i)not found|manifest unknown|name unknown|no match for platform",
         f"correct the image's name or tag; {GOES_ON}"),
    known_by("RegistryUnreachable",
         r"(?i)no such host|i/o timeout|connection refused|connection reset|no route to host|deadline exceeded|"
         r"TLS handshake|x509:|server misbehaving|network is unreachable|too many requests|toomanyrequests|"
         r"50[0234] |RegistryUnavailable",
         f"see how the nodes reach the registry; {GOES_ON}"),
)  # fmt: skip


def image_missing(case: Case) -> Cause | None:
    """Containers whose image is not there."""
    found = case.waiting(_WAITING.__contains__)
    if not found:
        return None
    # Some kubelets say the cause only between two back-offs; one container of many may be at that point.
    words = [f"{each.state.waiting.reason} {each.state.waiting.message}" for each in found if each.state.waiting]
    told, container = next(
        ((each, one) for each, one in zip(words, found, strict=True) if kind_of(each, _KINDS)), (words[0], found[0])
    )
    known = kind_of(told, _KINDS)
    _, _, said = told.partition(" ")
    message = (
        f"the image {one_line(container.image)!r} of {case.counted(len(found))} cannot be pulled: "
        f"{one_line(said or told)}"
    )
    if known is None:
        return advised("ImagePullFailed", message, GOES_ON)
    return advised(known.reason, message, known.fix)
