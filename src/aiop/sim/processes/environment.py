"""A container's variables, from everything that may set one."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiop.sim.cluster.api import Object
from aiop.sim.processes.errors import ContainerNotMade
from aiop.sim.processes.expansion import expanded
from aiop.sim.processes.fields import field_value, resource_value
from aiop.sim.processes.servicevariables import service_variables
from aiop.sim.processes.sources import Sources


@dataclass(frozen=True, slots=True)
class _Named:
    """One source of keys, as errors name it."""

    kind: str
    name: str
    data: Mapping[str, bytes]


async def environment_of(
    pod: Object, container: Object, sources: Sources, addresses: Mapping[str, str]
) -> dict[str, str]:
    """What the API says of the container's variables, without the image's own; raises ContainerNotMade.

    Later sources win: Services, ``envFrom`` in order, ``env`` in order. ``$(NAME)`` in a value means what stands before
    it there, or a Service.
    """
    links = bool(pod["spec"].get("enableServiceLinks", True))
    services = service_variables(await sources.services(), pod["metadata"]["namespace"], links=links)
    own: dict[str, str] = {}
    for each in container.get("envFrom") or []:
        own |= await _all_of(each, sources)
    for each in container.get("env") or []:
        if each.get("value"):
            own[each["name"]] = expanded(str(each["value"]), own, services)
        elif not each.get("valueFrom"):
            own[each["name"]] = ""
        elif (value := await _one(pod, container, each["valueFrom"], sources, addresses)) is not None:
            own[each["name"]] = value
    return {**services, **own}


async def _all_of(entry: Object, sources: Sources) -> dict[str, str]:
    kind = "configMapRef" if "configMapRef" in entry else "secretRef"
    found = await _named(kind.removesuffix("Ref"), entry[kind], sources)
    prefix = entry.get("prefix") or ""
    return {f"{prefix}{key}": _text(value) for key, value in found.data.items()} if found else {}


async def _one(
    pod: Object, container: Object, source: Object, sources: Sources, addresses: Mapping[str, str]
) -> str | None:
    if reference := source.get("fieldRef"):
        return field_value(pod, reference["fieldPath"], addresses)
    if reference := source.get("resourceFieldRef"):
        allocatable = await sources.allocatable(pod["spec"]["nodeName"])
        return resource_value(pod, container["name"], reference, allocatable)
    for kind in ("configMap", "secret"):
        if reference := source.get(f"{kind}KeyRef"):
            return await _key(pod, kind, reference, sources)
    raise ContainerNotMade(f"the source {', '.join(source)} of a variable is not known here")


async def _key(pod: Object, kind: str, reference: Object, sources: Sources) -> str | None:
    found = await _named(kind, reference, sources)
    if found and reference["key"] in found.data:
        return _text(found.data[reference["key"]])
    if found and not reference.get("optional"):
        where = f"{found.kind} {pod['metadata']['namespace']}/{found.name}"
        raise ContainerNotMade(f"couldn't find key {reference['key']} in {where}")
    return None


async def _named(kind: str, reference: Object, sources: Sources) -> _Named | None:
    """None if it is not there and need not be."""
    name = reference.get("name") or ""
    data = await (sources.config_map(name) if kind == "configMap" else sources.secret(name))
    if data is not None:
        return _Named("ConfigMap" if kind == "configMap" else "Secret", name, data)
    if reference.get("optional"):
        return None
    raise ContainerNotMade(f'{kind.lower()} "{name}" not found')


def _text(value: bytes) -> str:
    return value.decode(errors="surrogateescape")
