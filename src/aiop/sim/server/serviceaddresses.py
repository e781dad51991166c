"""The addresses of Services: each has one that no other has, whoever asks for which."""

from typing import Any

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.semantics.errors import FieldFault
from aiop.sim.storage.store import Bucket, Store

Object = dict[str, Any]

# The lowest are left to those who ask for one by its number, as the real server does.
_FIRST = 11
# Of the last number: not 0 and not those that end a network.
_A_NUMBER = 250
# Two numbers of an address; a cluster has fewer Services.
_ALL = 256 * _A_NUMBER
# A Service without an address of its own.
_NONE = "None"


class ServiceAddresses:
    """Gives out addresses that begin with ``network``, two numbers of four; ``bucket`` is that of Services."""

    def __init__(self, store: Store, bucket: Bucket, network: str) -> None:
        self._store = store
        self._bucket = bucket
        self._network = network
        self._next = _FIRST
        self._holders: dict[str, ObjectKey] = {}

    def given(self, key: ObjectKey, service: Object) -> Object | FieldFault:
        """A new Service with its address; the fault if it asks for one that another has."""
        spec = service["spec"]
        address = str(spec.get("clusterIP") or "")
        if not address and spec["type"] != "ExternalName":
            address = self._free()
            spec = {**spec, "clusterIP": address}
        elif self._taken(address, key):
            words = f'Invalid value: ["{address}"]: failed to allocate IP {address}: provided IP is already allocated'
            return FieldFault("spec.clusterIPs", "FieldValueInvalid", words)
        if address not in {"", _NONE}:
            self._holders[address] = key
        return {**service, "spec": {**spec, "clusterIPs": [address]}}

    def _free(self) -> str:
        while True:
            number, self._next = self._next, (self._next + 1) % _ALL
            address = f"{self._network}.{number // _A_NUMBER}.{number % _A_NUMBER + 1}"
            if not self._taken(address):
                return address

    def _taken(self, address: str, asker: ObjectKey | None = None) -> bool:
        """Whether a Service that is there has it. What has gone, or was never kept, holds nothing."""
        holder = self._holders.get(address)
        if holder is None or holder == asker:
            return False
        found = self._store.get(self._bucket, holder)
        return found is not None and found.obj["spec"].get("clusterIP") == address


def kept(old: Object, new: Object) -> Object | FieldFault:
    """A Service as it shall be, with the address that it has; the fault if it asks for another one."""
    had, wanted = (str(each["spec"].get("clusterIP") or "") for each in (old, new))
    if had == wanted or not had or new["spec"].get("type") == "ExternalName":
        return new
    if wanted:
        words = f'Invalid value: ["{wanted}"]: may not change once set'
        return FieldFault("spec.clusterIPs[0]", "FieldValueInvalid", words)
    return {**new, "spec": {**new["spec"], "clusterIP": had, "clusterIPs": [had]}}
