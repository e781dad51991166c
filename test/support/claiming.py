"""Workloads that ask for something outside, for tests of who gets it."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from aiop.controllers.serving.exposure.claims import Claimant, claimant_of
from aiop.runtime.views.custom import CustomObject
from aiop.runtime.views.meta import ObjectMeta

_NAMESPACES = ("red", "blue")
_PATHS = ("/", "/a", "/a/", "/b")
_HOSTS = ("x.example", "*.example", "a.x.example", "*.x.example", "y.example", "example", "xx.example")


def asking(name: str, namespace: str = "red", *, created: int = 0, path: str = "/a", **spec: Any) -> CustomObject:
    """A workload with that endpoint; ``created`` is its second of birth."""
    moment = f"2026-01-01T00:{created // 60:02}:{created % 60:02}Z"
    meta = ObjectMeta(
        name=name, namespace=namespace, uid=f"{namespace}-{name}", creation_timestamp=moment, generation=1
    )
    return CustomObject(meta, msgspec.json.encode({"inferenceEndpoint": path, **spec}))


def claimant(name: str, namespace: str = "red", **given: Any) -> Claimant:
    """What such a workload asks for."""
    found = claimant_of(asking(name, namespace, **given))
    assert found is not None
    return found


_ways: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {"ingress": st.fixed_dictionaries({}, optional={"host": st.sampled_from(_HOSTS), "className": st.just("own")})}
    ),
    st.fixed_dictionaries(
        {
            "gateway": st.fixed_dictionaries(
                {"name": st.sampled_from(["public", "inner"]), "namespace": st.just("infra")},
                optional={
                    "sectionName": st.sampled_from(["http", "https"]),
                    "hostnames": st.lists(st.sampled_from(_HOSTS), max_size=3, unique=True),
                },
            )
        }
    ),
)


@st.composite
def _claimants(draw: st.DrawFn) -> list[Claimant]:
    found = []
    for number in range(draw(st.integers(1, 7))):
        namespace, path, way = draw(st.sampled_from(_NAMESPACES)), draw(st.sampled_from(_PATHS)), draw(_ways)
        # Few moments of birth, so that some are born together and the UID decides.
        found.append(claimant(f"w{number}", namespace, created=draw(st.integers(0, 3)), path=path, **way))
    return found


claimants = _claimants()
