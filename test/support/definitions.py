"""What a cluster with other projects' CRDs would say of our objects."""

from functools import cache
from typing import Any

import msgspec
import yaml

from aiop.runtime.controller.children import Child
from aiop.sim.server.kinds import Kind, custom_kinds
from hack.definitions import GATEWAY_API, PROMETHEUS_OPERATOR, definitions
from support.manifestfaults import custom_faults


def whole(child: Child) -> dict[str, Any]:
    """As it is sent: plain JSON, with kind and name."""
    head = {"apiVersion": child.resource.api_version, "kind": child.resource.kind}
    metadata = {**child.body["metadata"], "name": child.key.name, "namespace": child.key.namespace}
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode({**head, **child.body, "metadata": metadata}))
    return found


def faults_by_definition(child: Child) -> list[str]:
    """What breaks the published definition, unknown fields included; empty if nothing does."""
    kind = _kinds()[child.resource.api_version, child.resource.kind]
    return custom_faults(whole(child), kind)


@cache
def _kinds() -> dict[tuple[str, str], Kind]:
    files = [path for module in (GATEWAY_API, PROMETHEUS_OPERATOR) for path in definitions(module)]
    found = [kind for path in files for kind in custom_kinds(yaml.safe_load(path.read_text()))]
    return {(kind.resource.api_version, kind.resource.kind): kind for kind in found}
