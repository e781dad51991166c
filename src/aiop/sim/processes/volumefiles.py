"""The files of volumes that come out of the API: configMap, secret, downwardAPI, and projected of these."""

from collections.abc import Mapping

from aiop.sim.cluster.api import Object
from aiop.sim.processes.errors import ContainerNotMade, VolumeNotMounted
from aiop.sim.processes.fields import field_value, resource_value
from aiop.sim.processes.sources import Sources

KINDS_OF_FILES = ("configMap", "secret", "downwardAPI", "projected")
# As the API defaults it.
_MODE = 0o644
# A secret is for the caller alone, whose machine this is, whatever its mode says of others.
_OWNER_ONLY = 0o700

# Contents and mode by path in the volume.
Files = dict[str, tuple[bytes, int]]


async def files_of(volume: Object, pod: Object, sources: Sources, addresses: Mapping[str, str]) -> Files:
    """What the volume holds; raises VolumeNotMounted with a kubelet's words.

    Projected service account tokens and trust bundles are left out: nobody here issues them.
    """
    try:
        if "projected" in volume:
            projected = volume["projected"]
            files: Files = {}
            for source in projected.get("sources") or []:
                files |= await _part(source, pod, sources, addresses, projected.get("defaultMode"))
            return files
        return await _part(volume, pod, sources, addresses, None)
    except (ContainerNotMade, _Missing) as error:
        raise VolumeNotMounted(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from error


class _Missing(Exception):
    """Raised when a source or one of its keys is not there."""


async def _part(source: Object, pod: Object, sources: Sources, addresses: Mapping[str, str], mode: int | None) -> Files:
    if content := source.get("configMap"):
        data = await sources.config_map(content.get("name") or "")
        return _chosen("configmap", content, data, _mode_of(content, mode))
    if content := source.get("secret"):
        data = await sources.secret(content.get("secretName") or content.get("name") or "")
        files = _chosen("secret", content, data, _mode_of(content, mode))
        return {path: (text, bits & _OWNER_ONLY) for path, (text, bits) in files.items()}
    if content := source.get("downwardAPI"):
        items = content.get("items") or []
        return {
            each["path"]: (await _told(each, pod, sources, addresses), each.get("mode") or _mode_of(content, mode))
            for each in items
        }
    return {}


def _mode_of(content: Object, mode: int | None) -> int:
    return int(content.get("defaultMode") or mode or _MODE)


def _chosen(kind: str, content: Object, data: Mapping[str, bytes] | None, mode: int) -> Files:
    name = content.get("name") or content.get("secretName") or ""
    if data is None:
        if content.get("optional"):
            return {}
        raise _Missing(f'{kind} "{name}" not found')
    if not content.get("items"):
        return {key: (value, mode) for key, value in data.items()}
    files = {}
    for item in content["items"]:
        if item["key"] in data:
            files[item["path"]] = (data[item["key"]], int(item.get("mode") or mode))
        elif not content.get("optional"):
            words = (
                "references non-existent secret key"
                if kind == "secret"
                else f"{kind} references non-existent config key"
            )
            raise _Missing(f"{words}: {item['key']}")
    return files


async def _told(item: Object, pod: Object, sources: Sources, addresses: Mapping[str, str]) -> bytes:
    if reference := item.get("fieldRef"):
        return field_value(pod, reference["fieldPath"], addresses).encode()
    reference = item["resourceFieldRef"]
    allocatable = await sources.allocatable(pod["spec"]["nodeName"])
    return resource_value(pod, reference.get("containerName", ""), reference, allocatable).encode()
