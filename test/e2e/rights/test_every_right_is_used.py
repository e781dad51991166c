"""The operator's token can do nothing that the operator does not need: each verb of each rule is seen at work."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.installation import ACCOUNT, USER, installation
from support.kubectl import eventually
from support.rightsstory import Story
from support.usedrights import Right, Use, beyond, granted, unused, used

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.security(23)]
TEAM = "team-a"
# No request tells that it was needed: `test_rights_taken_away` takes it away.
UNSEEN = {"aiworkloads/finalizers"}
# What anybody may read who is authenticated: the version, and which APIs there are.
PATHS = {"/version", "/apis/custom.metrics.k8s.io", "/apis/custom.metrics.k8s.io/v1beta1"}


@dataclass(frozen=True, slots=True)
class Told:
    """What was granted and what was used."""

    granted: set[Right]
    use: Use
    log: str


@pytest.fixture(scope="module", params=["all namespaces", "some namespaces"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder: Path = tmp_path_factory.mktemp("rights")
    settings = [f"watchNamespaces={{{TEAM}}}"] if request.param == "some namespaces" else []
    with installation(folder, [TEAM, "team-b"], *settings) as here:
        rights = granted(here.admin, ACCOUNT)
        Story(here, TEAM, rights).told()
        eventually(lambda: used(here.plane.audit_log, USER).rights)
        yield Told(rights, used(here.plane.audit_log, USER), here.said())


def test_each_right_that_is_granted_is_used(told: Told) -> None:
    seen = {right for right in told.granted if right.resource not in UNSEEN}
    assert len(seen) > 40
    assert "\n".join(unused(seen, told.use)) == "", "granted for nothing"


def test_nothing_is_asked_for_that_is_not_granted(told: Told) -> None:
    assert "\n".join(beyond(told.granted, told.use)) == "", "asked for in vain"
    assert told.use.paths <= PATHS
