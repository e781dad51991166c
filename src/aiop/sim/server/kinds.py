"""The kinds that the embedded server serves: built-in ones, and those that CustomResourceDefinitions add."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiop.runtime.client.resource import Resource
from aiop.sim.semantics.typeschema import TypeSchema, builtin_schema, custom_schema


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as the server knows it. ``scale`` has the three paths of a CRD's scale subresource."""

    resource: Resource
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_status: bool = True
    generations: bool = True
    custom: bool = False
    schema_raw: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)
    scale: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)
    columns: tuple[Mapping[str, Any], ...] = field(default=(), hash=False, compare=False)

    @property
    def bucket(self) -> str:
        """Where its objects are stored."""
        return f"{self.resource.group}/{self.resource.plural}"

    @property
    def schema(self) -> TypeSchema:
        """The schema of a whole object."""
        if self.custom:
            return custom_schema(self.schema_raw)
        group = self.resource.group
        return builtin_schema(group, self.resource.version, self.resource.kind)

    @property
    def qualified(self) -> str:
        """The resource's name as messages have it: deployments.apps."""
        return f"{self.resource.plural}.{self.resource.group}" if self.resource.group else self.resource.plural


_REPLICAS = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".spec.selector",
}
_ALL = ("all",)


def _builtin(group: str, version: str, kind: str, plural: str, *, namespaced: bool = True, **rest: Any) -> Kind:
    return Kind(Resource(group, version, kind, plural, namespaced), **rest)


_PLAIN: dict[str, Any] = {"has_status": False, "generations": False}
_RBAC = "rbac.authorization.k8s.io"

BUILTIN_KINDS = (
    _builtin("", "v1", "Namespace", "namespaces", namespaced=False, short_names=("ns",), generations=False),
    _builtin("", "v1", "Node", "nodes", namespaced=False, short_names=("no",), generations=False),
    _builtin("", "v1", "Pod", "pods", short_names=("po",), categories=_ALL),
    _builtin("", "v1", "Service", "services", short_names=("svc",), categories=_ALL, generations=False),
    _builtin("", "v1", "ConfigMap", "configmaps", short_names=("cm",), **_PLAIN),
    _builtin("", "v1", "Secret", "secrets", **_PLAIN),
    _builtin("", "v1", "ServiceAccount", "serviceaccounts", short_names=("sa",), **_PLAIN),
    _builtin("", "v1", "Event", "events", short_names=("ev",), **_PLAIN),
    _builtin(
        "", "v1", "PersistentVolume", "persistentvolumes", namespaced=False, short_names=("pv",), generations=False
    ),
    _builtin("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", short_names=("pvc",), generations=False),
    _builtin("apps", "v1", "Deployment", "deployments", short_names=("deploy",), categories=_ALL, scale=_REPLICAS),
    _builtin("apps", "v1", "ReplicaSet", "replicasets", short_names=("rs",), categories=_ALL, scale=_REPLICAS),
    _builtin("apps", "v1", "StatefulSet", "statefulsets", short_names=("sts",), categories=_ALL, scale=_REPLICAS),
    _builtin("apps", "v1", "DaemonSet", "daemonsets", short_names=("ds",), categories=_ALL),
    _builtin("apps", "v1", "ControllerRevision", "controllerrevisions", **_PLAIN),
    _builtin("batch", "v1", "Job", "jobs", categories=_ALL),
    _builtin(
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        short_names=("hpa",),
        categories=_ALL,
        generations=False,
    ),
    _builtin("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", short_names=("pdb",)),
    _builtin("networking.k8s.io", "v1", "Ingress", "ingresses", short_names=("ing",)),
    _builtin("networking.k8s.io", "v1", "IngressClass", "ingressclasses", namespaced=False, has_status=False),
    _builtin("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", has_status=False),
    _builtin("coordination.k8s.io", "v1", "Lease", "leases", **_PLAIN),
    _builtin("events.k8s.io", "v1", "Event", "events", short_names=("ev",), **_PLAIN),
    _builtin("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", namespaced=False, has_status=False),
    _builtin("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False, **_PLAIN),
    _builtin(_RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False, **_PLAIN),
    _builtin(_RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False, **_PLAIN),
    _builtin(_RBAC, "v1", "Role", "roles", **_PLAIN),
    _builtin(_RBAC, "v1", "RoleBinding", "rolebindings", **_PLAIN),
    _builtin(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        namespaced=False,
        short_names=("crd", "crds"),
    ),
)


class Kinds:
    """What is served now, by (group, version, plural)."""

    def __init__(self) -> None:
        self._kinds = {self._key(kind.resource): kind for kind in BUILTIN_KINDS}

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())

    def get(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind at that address."""
        return self._kinds.get((group, version, plural))

    def of(self, resource: Resource) -> Kind:
        """The kind of a resource; raises KeyError."""
        return self._kinds[self._key(resource)]

    def by_kind(self, api_version: str, kind: str) -> Kind | None:
        """The kind that an ownerReference names."""
        return next(
            (each for each in self if each.resource.api_version == api_version and each.resource.kind == kind), None
        )

    def define(self, definition: Mapping[str, Any]) -> None:
        """Serve what a CustomResourceDefinition says, from now on."""
        for kind in custom_kinds(definition):
            self._kinds[self._key(kind.resource)] = kind

    def withdraw(self, definition: Mapping[str, Any]) -> list[Kind]:
        """Serve it no more; returns what was served."""
        gone = custom_kinds(definition)
        for kind in gone:
            self._kinds.pop(self._key(kind.resource), None)
        return gone

    @staticmethod
    def _key(resource: Resource) -> tuple[str, str, str]:
        return (resource.group, resource.version, resource.plural)


def custom_kinds(definition: Mapping[str, Any]) -> list[Kind]:
    """The served versions of a CustomResourceDefinition."""
    spec = definition["spec"]
    names = spec["names"]
    kinds = []
    for version in spec["versions"]:
        if not version.get("served"):
            continue
        subresources = version.get("subresources") or {}
        resource = Resource(
            spec["group"], version["name"], names["kind"], names["plural"], spec["scope"] == "Namespaced"
        )
        kinds.append(
            Kind(
                resource,
                short_names=tuple(names.get("shortNames", ())),
                categories=tuple(names.get("categories", ())),
                has_status="status" in subresources,
                custom=True,
                schema_raw=(version.get("schema") or {}).get("openAPIV3Schema") or {},
                scale=subresources.get("scale") or {},
                columns=tuple(version.get("additionalPrinterColumns") or ()),
            )
        )
    return kinds
