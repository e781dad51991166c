"""The variables of the server: ours, the runtime's, the user's."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.container import EnvVar, WorkloadEnvVar
from aiop.api.servingruntime import ServingRuntimeSpec
from aiop.controllers.serving.modelsource import ModelSource, model_id


def environment(spec: AIWorkloadSpec, runtime: ServingRuntimeSpec, source: ModelSource) -> list[dict[str, Any]]:
    """Ours, then the runtime's, then the user's; a later one of the same name takes the place of an earlier."""
    ours = {
        "AIOP_MODEL_NAME": spec.model_name,
        "AIOP_MODEL_ID": model_id(spec),
        "AIOP_MODEL_VERSION": spec.model_version or "",
        "AIOP_MODEL_URI": source.uri,
        "AIOP_MODEL_PATH": source.path,
        "HOME": runtime.home,
    }
    # Kubernetes expands $(NAME) in values: what comes from a tenant's fields is text, not a reference.
    variables: dict[str, dict[str, Any]] = {name: {"value": value.replace("$", "$$")} for name, value in ours.items()}
    given: Iterable[EnvVar] = (*runtime.env, *spec.env)
    variables |= {each.name: _content(each) for each in given}
    return [{"name": name, **content} for name, content in variables.items()]


def environment_from(spec: AIWorkloadSpec, source: ModelSource) -> list[dict[str, Any]]:
    """Whole Secrets and ConfigMaps; a server that fetches its model by itself gets the credentials too."""
    given = [each.model_dump(by_alias=True, exclude_defaults=True, mode="json") for each in spec.env_from]
    by_itself = not source.fetch and not source.claim
    if spec.credentials is not None and by_itself:
        given.append(secret_variables(spec.credentials.secret_name))
    return given


def secret_variables(name: str) -> dict[str, Mapping[str, str]]:
    """Every key of a Secret as a variable; the kubelet says so if it does not exist."""
    return {"secretRef": {"name": name}}


def _content(variable: EnvVar) -> dict[str, Any]:
    source = variable.value_from if isinstance(variable, WorkloadEnvVar) else None
    if source is None:
        return {"value": variable.value}
    return {"valueFrom": source.model_dump(by_alias=True, exclude_none=True, mode="json")}
