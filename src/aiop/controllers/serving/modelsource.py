"""Where a model comes from, and how it gets to the server."""

from dataclasses import dataclass

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.errors import NotAccepted


@dataclass(frozen=True, slots=True)
class ModelSource:
    """``uri`` is what the status shows, ``path`` what the server loads; at most one of claim and fetch is set.

    ``claim`` is a PersistentVolumeClaim, ``sub_path`` the place in it; ``fetch`` is a URI to fetch before the start.
    ``folder`` is where the files lie in the server's container, empty if there are none.
    """

    uri: str
    path: str
    folder: str = ""
    claim: str = ""
    sub_path: str = ""
    fetch: str = ""


def model_source(spec: AIWorkloadSpec, runtime: ServingRuntimeSpec, model_store: str) -> ModelSource:
    """The source in force.

    `modelUri`, else `<store>/<modelName>/<modelVersion>` (the runtime's store before the operator's), else the name
    itself for servers that load by name and images of one's own. Raises NotAccepted (NoModelSource).
    """
    by_name = runtime.model.mode == "Name" or spec.image is not None
    uri = spec.model_uri or _in_store(spec, runtime.model_store or model_store)
    if not uri and by_name:
        return ModelSource(uri=spec.model_name, path=spec.model_name)
    if not uri:
        raise NotAccepted(
            "NoModelSource",
            f"nothing says where the model {spec.model_name!r} lies: set spec.modelUri, or the ServingRuntime's "
            "spec.modelStore, or the chart's models.store (such as pvc://models or s3://bucket/prefix)",
        )
    return _delivered(uri, spec, runtime)


def _in_store(spec: AIWorkloadSpec, store: str) -> str:
    if not store:
        return ""
    parts = [store.rstrip("/"), spec.model_name, *([spec.model_version] if spec.model_version else [])]
    return "/".join(parts)


def model_id(spec: AIWorkloadSpec) -> str:
    """The last part of the model's name: what its folder and servers that know no slash call it."""
    return spec.model_name.rsplit("/", 1)[-1]


def _delivered(uri: str, spec: AIWorkloadSpec, runtime: ServingRuntimeSpec) -> ModelSource:
    scheme, _, rest = uri.partition(":")
    rest = rest.removeprefix("//")
    folder = f"{runtime.model.mount_path.rstrip('/')}/{model_id(spec)}"
    if scheme in runtime.model.schemes and not (scheme == "hf" and "@" in rest):
        # A server that reads hf:// by itself knows the model by owner/name alone, and no revision in it.
        return ModelSource(uri=uri, path=rest if scheme == "hf" else uri)
    if scheme == "pvc":
        claim, _, sub_path = rest.partition("/")
        return ModelSource(uri=uri, path=folder, folder=folder, claim=claim, sub_path=sub_path.strip("/"))
    return ModelSource(uri=uri, path=folder, folder=folder, fetch=uri)
