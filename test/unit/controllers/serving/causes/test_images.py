"""Images that are not pulled, in the words of containerd, CRI-O and the kubelet."""

import pytest

from support.pods import cause_of, pod, waiting

IMAGE = 'failed to pull and unpack image "image:1": failed to resolve reference "image:1": '


@pytest.mark.parametrize(
    ("waits", "words", "reason"),
    [
        ("ErrImagePull", f"{IMAGE}image:1: not found", "ImageNotFound"),
        (
            "ImagePullBackOff",
            f'Back-off pulling image "image:1": ErrImagePull: {IMAGE}image:1: not found',
            "ImageNotFound",
        ),
        ("ErrImagePull", "reading manifest 1 in image: manifest unknown", "ImageNotFound"),
        (
            "ErrImagePull",
            f"{IMAGE}pull access denied, repository does not exist or may require authorization",
            "ImagePullDenied",
        ),
        ("ErrImagePull", f"{IMAGE}unexpected status from HEAD request: 401 Unauthorized", "ImagePullDenied"),
        ("ErrImagePull", f"{IMAGE}unexpected status from HEAD request: 403 Forbidden", "ImagePullDenied"),
        ("ErrImagePull", f"{IMAGE}dial tcp: lookup registry on 10.0.0.1:53: no such host", "RegistryUnreachable"),
        ("ErrImagePull", f"{IMAGE}dial tcp 192.0.2.1:443: i/o timeout", "RegistryUnreachable"),
        ("ErrImagePull", f"{IMAGE}429 Too Many Requests", "RegistryUnreachable"),
        (
            "InvalidImageName",
            'Failed to apply default image tag "A:b:c": couldn\'t parse image name',
            "InvalidImageName",
        ),
        ("ImagePullBackOff", 'Back-off pulling image "image:1"', "ImagePullFailed"),
        ("ErrImageNeverPull", 'Container image "image:1" is not present with pull policy of Never', "ImagePullFailed"),
    ],
)
def test_each_cause_has_its_reason_and_the_words_of_who_knows(waits: str, words: str, reason: str) -> None:
    found = cause_of(waiting(waits, words), pod(), desired=2)
    assert found.reason == reason
    assert found.message.startswith(f"the image 'image:1' of 1 of 2 pods cannot be pulled: {words}; ")


def test_a_container_that_only_backs_off_does_not_hide_what_another_knows() -> None:
    found = cause_of(
        waiting("ImagePullBackOff", 'Back-off pulling image "image:1"'), waiting("ErrImagePull", "not found")
    )
    assert found.reason == "ImageNotFound"
    assert "2 of 2 pods" in found.message


def test_a_cause_without_words_is_told_by_the_kubelets_reason() -> None:
    assert "cannot be pulled: ErrImagePull; " in cause_of(waiting("ErrImagePull")).message
