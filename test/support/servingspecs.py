"""Any AIWorkloadSpec and ServingRuntimeSpec that the schema lets through, for property tests."""

from typing import Any

from hypothesis import strategies as st

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.servingruntime import ServingRuntimeSpec

# What tenants write when they mean harm, besides what hypothesis thinks of.
HOSTILE = (
    "$(AIOP_MODEL_NAME)",
    "$$(HOME)",
    "'; rm -rf /; '",
    '"',
    "`id`",
    "${IFS}",
    "line\nfeed",
    "ünïcödé 模型",
    "\\",
    "--x",
)

text = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
names = st.from_regex(r"[a-z]([-a-z0-9]{0,12}[a-z0-9])?", fullmatch=True)
model_names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}(/[A-Za-z0-9][A-Za-z0-9._-]{0,8}){0,2}", fullmatch=True)
versions = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?", fullmatch=True)
images = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,20}", fullmatch=True)
paths = st.from_regex(r"/[A-Za-z0-9._-]{1,12}", fullmatch=True)
uris = st.from_regex(r"(pvc|s3|gs|azure|hf|oci|https)://[a-z0-9]{1,9}(/[A-Za-z0-9._~%@:=+,/-]{0,20})?", fullmatch=True)
model_uris = st.one_of(uris, st.sampled_from(["models:/bert/3", "models:/bert@champion", "hf://owner/model@main"]))
stores = st.from_regex(r"(pvc|s3|gs|azure|hf|oci|https)://[a-z0-9]{1,9}(/[A-Za-z0-9._~%=+,/-]{0,20})?", fullmatch=True)
quantities = st.one_of(st.integers(0, 64), st.sampled_from(["1", "500m", "4Gi", "0.5", "1e3"]))
amounts = st.dictionaries(st.sampled_from(["cpu", "memory", "nvidia.com/gpu", "nvidia.com/mig-1g.5gb"]), quantities)
pace = {"periodSeconds": st.integers(1, 300), "failureThreshold": st.integers(1, 1000)}
probes = st.one_of(
    st.fixed_dictionaries(
        {"path": st.sampled_from(["/", "/v2/models/{model}/ready", "/$(HOME)/%20"])},
        optional={**pace, "port": st.just("http"), "initialDelaySeconds": st.integers(0, 9)},
    ),
    st.fixed_dictionaries({"type": st.sampled_from(["TCP", "GRPC"])}, optional=pace),
    st.fixed_dictionaries({"type": st.just("Exec"), "command": st.lists(text, min_size=1, max_size=2)}, optional=pace),
)
all_probes = st.fixed_dictionaries({}, optional={"readiness": probes, "liveness": probes, "startup": probes})
env = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["A", "HOME", "AIOP_MODEL_PATH", "Z.z"]), "value": text}),
    max_size=3,
    unique_by=lambda each: str(each["name"]),
)
sources = st.one_of(
    st.fixed_dictionaries({"secretKeyRef": st.fixed_dictionaries({"name": names, "key": names})}),
    st.fixed_dictionaries({"configMapKeyRef": st.fixed_dictionaries({"name": names, "key": names})}),
    st.fixed_dictionaries({"fieldRef": st.just({"fieldPath": "status.podIP"})}),
)
workload_env = st.lists(
    st.one_of(
        st.fixed_dictionaries({"name": st.sampled_from(["A", "HOME", "AIOP_MODEL_PATH", "Z.z"]), "value": text}),
        st.fixed_dictionaries({"name": st.sampled_from(["B", "HOME"]), "valueFrom": sources}),
    ),
    max_size=3,
    unique_by=lambda each: str(each["name"]),
)
env_from = st.lists(
    st.fixed_dictionaries({"secretRef": st.fixed_dictionaries({"name": names})}, optional={"prefix": st.just("P_")}),
    max_size=2,
)
expressions = st.lists(
    st.fixed_dictionaries({"key": names, "operator": st.just("In"), "values": st.lists(names, min_size=1, max_size=2)}),
    min_size=1,
    max_size=2,
)
terms = st.lists(st.fixed_dictionaries({"matchExpressions": expressions}), min_size=1, max_size=2)
affinities = st.fixed_dictionaries(
    {},
    optional={
        "nodeAffinity": st.fixed_dictionaries(
            {"requiredDuringSchedulingIgnoredDuringExecution": st.fixed_dictionaries({"nodeSelectorTerms": terms})}
        ),
        "podAntiAffinity": st.just(
            {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "kubernetes.io/hostname"}
                ]
            }
        ),
    },
)
gpus = st.sampled_from(
    [{"product": ["NVIDIA-A100-SXM4-80GB"]}, {"memory": "80Gi"}, {"product": ["L4"], "memory": "24G"}]
)
ports = st.lists(
    st.fixed_dictionaries({"name": names, "containerPort": st.integers(1, 65535)}),
    min_size=1,
    max_size=3,
    unique_by=(lambda each: str(each["name"]), lambda each: int(str(each["containerPort"]))),
).filter(lambda found: all("--" not in str(each["name"]) and each["name"] != "http" for each in found))
tolerations = st.lists(
    st.sampled_from([{"operator": "Exists"}, {"key": "a", "value": "b"}, {"key": "x", "effect": "NoSchedule"}]),
    max_size=2,
)
autoscaling = st.fixed_dictionaries(
    {"enabled": st.booleans(), "minReplicas": st.integers(1, 3), "maxReplicas": st.integers(3, 9)},
    optional={
        "targetCPUUtilization": st.integers(1, 100),
        "targetMemoryUtilization": st.integers(1, 100),
        "targetGPUUtilization": st.integers(1, 100),
    },
)

raw_workloads = st.fixed_dictionaries(
    {"modelName": model_names, "framework": st.sampled_from(["ONNX", "tensorflow", "SKLEARN", "HuggingFace"])},
    optional={
        "modelVersion": versions,
        "modelUri": model_uris,
        "credentials": st.fixed_dictionaries({"secretName": names}),
        "image": images,
        "imagePullSecrets": st.just([{"name": "registry"}]),
        "command": st.lists(text, max_size=2),
        "args": st.lists(text, max_size=3),
        "env": workload_env,
        "envFrom": env_from,
        "serviceAccountName": names,
        "gpu": gpus,
        "affinity": affinities,
        "topologySpreadConstraints": st.just([{"topologyKey": "topology.kubernetes.io/zone"}]),
        "terminationGracePeriodSeconds": st.integers(10, 3600),
        "ports": ports,
        "probes": all_probes,
        "replicas": st.integers(0, 9),
        "resources": st.fixed_dictionaries({}, optional={"limits": amounts, "requests": amounts}),
        "inferenceEndpoint": paths,
        "autoscaling": autoscaling,
        "nodeSelector": st.dictionaries(names, names, max_size=2),
        "tolerations": tolerations,
        "priorityClassName": names,
        "updatePolicy": st.sampled_from(["Pinned", "Auto"]),
    },
)
raw_runtimes = st.fixed_dictionaries(
    {
        "image": images,
        "ports": ports,
        "model": st.fixed_dictionaries(
            {"mode": st.sampled_from(["Mount", "Name"])},
            optional={"schemes": st.lists(st.sampled_from(["hf", "s3", "gs"]), max_size=2), "mountPath": st.just("/m")},
        ),
    },
    optional={
        "command": st.lists(text, max_size=2),
        "args": st.lists(text, max_size=2),
        "env": env,
        "probes": all_probes,
        "runAsUser": st.integers(1, 65535),
        "home": paths,
        "writablePaths": st.lists(paths, max_size=2),
        "sharedMemory": st.booleans(),
        "readOnlyRootFilesystem": st.booleans(),
        "modelStore": stores,
    },
)


def workload_spec(raw: Any) -> AIWorkloadSpec:
    """As a person's manifest would be read, unknown keys refused."""
    return AIWorkloadSpec.model_validate(raw, extra="forbid")


def runtime_spec(raw: Any) -> ServingRuntimeSpec:
    """As an administrator's manifest would be read, unknown keys refused."""
    return ServingRuntimeSpec.model_validate(raw, extra="forbid")


workload_specs = raw_workloads.map(workload_spec)
runtime_specs = raw_runtimes.map(runtime_spec)
