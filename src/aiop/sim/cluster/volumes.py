"""Volume binding: a claim of the default StorageClass, or one that names it, is provisioned at once; others wait."""

from aiop.runtime.client.builtin import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES
from aiop.runtime.client.errors import AlreadyExists
from aiop.runtime.client.resource import ObjectKey, Resource
from aiop.sim.cluster.api import Object
from aiop.sim.cluster.events import Events
from aiop.sim.cluster.loop import Loop
from aiop.sim.cluster.objects import annotations_of, key_of, phase_of, terminating, uid_of
from aiop.sim.cluster.world import World

STORAGECLASSES = Resource("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False)
PROVISIONER = "simulated.aiop.dev/volumes"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_NOTHING = "no persistent volumes available for this claim and no storage class is set"


def default_class() -> Object:
    """The StorageClass that a simulated cluster comes with."""
    meta = {"name": "standard", "annotations": {_DEFAULT_CLASS: "true"}}
    kinds = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}
    return {**kinds, "metadata": meta, "provisioner": PROVISIONER, "reclaimPolicy": "Delete"}


class Volumes:
    """Reconciles every PersistentVolumeClaim."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._events = Events(world.api, world.clock, "persistentvolume-controller")
        self._claims = world.mirror(PERSISTENTVOLUMECLAIMS)
        self._volumes = world.mirror(PERSISTENTVOLUMES)
        self._classes = world.mirror(STORAGECLASSES)
        self.loop = Loop(world.clock, self._reconcile)
        self._claims.subscribe(self._claim_changed)
        self._classes.subscribe(self._class_changed)

    def _claim_changed(self, old: Object | None, new: Object | None) -> None:
        claim = new or old
        if claim is not None:
            self.loop.add(key_of(claim))

    def _class_changed(self, _old: Object | None, _new: Object | None) -> None:
        for key, claim in self._claims.objects.items():
            if phase_of(claim) != "Bound":
                self.loop.add(key)

    async def _reconcile(self, key: ObjectKey) -> None:
        claim = self._claims.get(key)
        await self._reclaim(key, claim)
        if claim is None or terminating(claim) or phase_of(claim) == "Bound":
            return
        chosen = self._class_of(claim)
        if chosen is None:
            if claim["spec"].get("storageClassName") is None:
                await self._events.normal(claim, "FailedBinding", _NOTHING)
            return
        await self._provision(claim, chosen)

    def _class_of(self, claim: Object) -> Object | None:
        """The simulated StorageClass that the claim asks for."""
        name = claim["spec"].get("storageClassName")
        for each in self._classes.objects.values():
            is_default = annotations_of(each).get(_DEFAULT_CLASS) == "true"
            wanted = is_default if name is None else each["metadata"]["name"] == name
            if wanted and each.get("provisioner") == PROVISIONER:
                return each
        return None

    async def _provision(self, claim: Object, chosen: Object) -> None:
        name = f"pvc-{uid_of(claim)}"
        volume = _volume(claim, chosen, name)
        try:
            created = await self._world.create(PERSISTENTVOLUMES, volume)
            await self._world.write_status(PERSISTENTVOLUMES, created, {"phase": "Bound"})
        except AlreadyExists:
            pass  # made by a pass that was cut short
        patch = {"spec": {"volumeName": name, "storageClassName": chosen["metadata"]["name"]}}
        claim = await self._world.patch(PERSISTENTVOLUMECLAIMS, claim, patch)
        capacity = claim["spec"]["resources"]["requests"]
        status = {"phase": "Bound", "accessModes": claim["spec"]["accessModes"], "capacity": capacity}
        await self._world.write_status(PERSISTENTVOLUMECLAIMS, claim, status)
        await self._events.normal(claim, "ProvisioningSucceeded", f"Successfully provisioned volume {name}")

    async def _reclaim(self, key: ObjectKey, claim: Object | None) -> None:
        """Delete the volumes of claims of that name that are gone, as their reclaim policy says."""
        for volume in list(self._volumes.objects.values()):
            reference = volume["spec"].get("claimRef") or {}
            if (reference.get("namespace"), reference.get("name")) != key:
                continue
            gone = claim is None or uid_of(claim) != reference.get("uid")
            if gone and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete" and not terminating(volume):
                await self._world.delete(PERSISTENTVOLUMES, volume)


def _volume(claim: Object, chosen: Object, name: str) -> Object:
    spec, meta = claim["spec"], claim["metadata"]
    reference = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "uid": meta["uid"]}
    reference |= {"namespace": meta["namespace"], "name": meta["name"]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": spec["resources"]["requests"],
            "accessModes": spec["accessModes"],
            "claimRef": reference,
            "persistentVolumeReclaimPolicy": chosen.get("reclaimPolicy", "Delete"),
            "storageClassName": chosen["metadata"]["name"],
            "volumeMode": spec.get("volumeMode", "Filesystem"),
            "hostPath": {"path": f"/simulated/{name}"},
        },
    }
