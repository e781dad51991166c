"""What may happen to a `World`, in whatever order: people, the cluster and clients."""

import random
from typing import Any

from hypothesis import strategies as st

from aiop.runtime.client.builtin import DEPLOYMENTS
from support.servingworld import World

SCALED = {"enabled": True, "minReplicas": 1, "maxReplicas": 6, "targetCPUUtilization": 75}
VERSIONS = ("v1", "v2", "v3", "v4")

actions = st.one_of(
    st.tuples(st.just("version"), st.sampled_from(VERSIONS)),
    st.tuples(st.just("replicas"), st.integers(0, 6)),
    st.tuples(st.just("scaling"), st.sampled_from([None, SCALED, {**SCALED, "enabled": False}])),
    st.tuples(st.just("nonsense"), st.sampled_from([{"replicas": "x"}, {"framework": "Fortran"}, {"modelName": None}])),
    st.tuples(st.just("break"), st.sampled_from(VERSIONS)),
    st.tuples(st.just("mend"), st.sampled_from(VERSIONS)),
    st.tuples(st.just("delete child"), st.integers(0, 9)),
    st.tuples(st.just("scale child"), st.tuples(st.integers(0, 3), st.integers(0, 6))),
    st.tuples(st.just("lose pods"), st.integers(1, 3)),
    st.tuples(st.just("load"), st.integers(1, 9)),
    st.tuples(st.just("room"), st.integers(1, 8)),
    st.tuples(st.just("rollout"), st.sampled_from([None, {"maxSurge": 0}, {"maxUnavailable": 2}, {"maxSurge": 2}])),
    st.tuples(st.just("policy"), st.sampled_from(["Pinned", "Auto"])),
    st.tuples(st.just("runtime"), st.sampled_from(["image:1", "image:2"])),
    st.tuples(st.just("steps"), st.integers(1, 4)),
)


FIELDS = {
    "version": "modelVersion",
    "replicas": "replicas",
    "scaling": "autoscaling",
    "rollout": "rollout",
    "policy": "updatePolicy",
}


def act(world: World, action: str, value: Any) -> None:
    if action in FIELDS:
        world.change(**{FIELDS[action]: value})
    elif action == "nonsense":
        world.change(**value)
    elif action == "steps":
        for _ in range(value):
            world.step()
    else:
        happen(world, action, value)


def happen(world: World, action: str, value: Any) -> None:
    """What others do: people, the cluster, clients."""
    if action == "break":
        world.broken.add(value)
    elif action == "mend":
        world.broken.discard(value)
    elif action == "delete child" and world.things:
        del world.things[sorted(world.things, key=str)[value % len(world.things)]]
    elif action == "scale child" and world.of(DEPLOYMENTS):
        thing = world.of(DEPLOYMENTS)[value[0] % len(world.of(DEPLOYMENTS))]
        thing.content["replicas"], thing.replicas_owner = value[1], "kubectl"
    elif action == "lose pods":
        random.Random(value).shuffle(world.pods)
        del world.pods[:value]
    elif action == "room":
        world.capacity = value
    elif action == "load":
        world.autoscaler_wants = value
    elif action == "runtime":
        world.runtimes["triton"] = world.runtimes["triton"].model_copy(update={"image": value})
