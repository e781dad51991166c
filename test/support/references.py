"""Where an object of ours names a Secret or a ServiceAccount: as the schema says, and as a spec that does it."""

from collections.abc import Iterator, Mapping
from typing import Any

from aiop.api.crd import custom_resource_definitions

# How fields are called that name one. A new name for the same thing has to be added here.
ENDINGS = ("secretname", "secretref", "secretkeyref", "secrets", "serviceaccountname")


def references_in_schemas() -> set[str]:
    """The paths of all such fields of every kind; a list's items are `[]`."""
    found = set()
    for definition in custom_resource_definitions():
        (version,) = definition["spec"]["versions"]
        kind = definition["spec"]["names"]["kind"]
        schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
        found |= {f"{kind}: {path}" for path in _fields("spec", schema)}
    return found


def _fields(path: str, schema: Mapping[str, Any]) -> Iterator[str]:
    for name, child in schema.get("properties", {}).items():
        here = f"{path}.{name}"
        if name.lower().endswith(ENDINGS):
            yield here + ("[]" if "items" in child else "")
        else:
            yield from _fields(here, child)
    if "items" in schema:
        yield from _fields(f"{path}[]", schema["items"])


def naming(secret: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """By path of the schema: the path that a refusal gives, and fields of a spec that name the Secret there."""
    variable = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": secret, "key": "token"}}}
    plain = {"name": "PLAIN", "value": "1"}
    maps = {"configMapRef": {"name": "settings"}}
    return {
        "AIWorkload: spec.env[].valueFrom.secretKeyRef": (
            "spec.env[1].valueFrom.secretKeyRef",
            {"env": [plain, variable]},
        ),
        "AIWorkload: spec.versions[].env[].valueFrom.secretKeyRef": (
            "spec.versions[1].env[1].valueFrom.secretKeyRef",
            {"versions": [{"name": "v1"}, {"name": "v2", "env": [plain, variable]}]},
        ),
        "AIWorkload: spec.envFrom[].secretRef": (
            "spec.envFrom[1].secretRef",
            {"envFrom": [maps, {"secretRef": {"name": secret}}]},
        ),
        "AIWorkload: spec.imagePullSecrets[]": ("spec.imagePullSecrets[0]", {"imagePullSecrets": [{"name": secret}]}),
        "AIWorkload: spec.credentials.secretName": (
            "spec.credentials.secretName",
            {"credentials": {"secretName": secret}},
        ),
        "AIWorkload: spec.ingress.tlsSecretName": (
            "spec.ingress.tlsSecretName",
            {"inferenceEndpoint": "/demo", "ingress": {"host": "demo.example.com", "tlsSecretName": secret}},
        ),
    }


# What names a ServiceAccount.
ACCOUNT = "AIWorkload: spec.serviceAccountName"
