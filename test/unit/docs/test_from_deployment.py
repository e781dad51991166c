"""The tutorial's AIWorkload does what its Deployment, Service, Ingress and autoscaler did: compared field by field."""

from typing import Any

import pytest
import yaml

from aiop.runtime.client.builtin import HORIZONTALPODAUTOSCALERS, INGRESSES, SERVICES
from support.pages import ROOT
from support.servingworld import NAME, World

FOLDER = ROOT / "docs" / "tutorials" / "from-deployment"
BEFORE = {each["kind"]: each["spec"] for each in yaml.safe_load_all((FOLDER / "before.yaml").read_text())}
AFTER: dict[str, Any] = yaml.safe_load((FOLDER / "after.yaml").read_text())["spec"]


@pytest.fixture(scope="module")
def world() -> World:
    made = World(spec=AFTER)
    made.settle()
    return made


@pytest.fixture(scope="module")
def pod(world: World) -> Any:
    return world.deployment("4").content["template"]["spec"]


OLD_POD: Any = BEFORE["Deployment"]["template"]["spec"]
(OLD,) = OLD_POD["containers"]


def container(pod: Any) -> Any:
    (server,) = pod["containers"]
    return server


def test_the_number_of_servers_is_kept(world: World) -> None:
    assert world.deployment("4").content["replicas"] == BEFORE["Deployment"]["replicas"]


def test_the_container_may_use_as_much(pod: Any) -> None:
    # A quantity may be written as a number or as a text.
    asked = {kind: {name: str(each) for name, each in amounts.items()} for kind, amounts in OLD["resources"].items()}
    assert container(pod)["resources"] == asked


@pytest.mark.parametrize("name", ["image", "envFrom"])
def test_the_container_is_the_same(pod: Any, name: str) -> None:
    assert container(pod)[name] == OLD[name]


def test_every_variable_is_kept_and_ours_come_besides(pod: Any) -> None:
    variables = {each["name"]: each for each in container(pod)["env"]}
    assert [variables[each["name"]] for each in OLD["env"]] == OLD["env"]


def test_the_server_is_told_where_the_same_files_of_the_same_claim_lie(pod: Any) -> None:
    old_path = "/models/sentiment/4"
    (path,) = [each["value"] for each in container(pod)["env"] if each["name"] == "AIOP_MODEL_PATH"]
    assert [each.replace("$(AIOP_MODEL_PATH)", old_path) for each in container(pod)["args"]] == OLD["args"]
    (mount,) = [each for each in container(pod)["volumeMounts"] if each["mountPath"] == path]
    (volume,) = [each for each in pod["volumes"] if each["name"] == mount["name"]]
    assert volume["persistentVolumeClaim"] == OLD_POD["volumes"][0]["persistentVolumeClaim"]
    assert f"{OLD['volumeMounts'][0]['mountPath']}/{mount['subPath']}" == old_path
    assert mount["readOnly"] is True


def test_the_ports_have_their_numbers_and_names(pod: Any) -> None:
    shown = [{name: each[name] for name in ("name", "containerPort")} for each in container(pod)["ports"]]
    assert shown == OLD["ports"]


@pytest.mark.parametrize("name", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_a_probe_asks_the_same_as_often(pod: Any, name: str) -> None:
    probe = container(pod)[name]
    assert {field: probe[field] for field in OLD[name]} == OLD[name]


@pytest.mark.parametrize("name", ["serviceAccountName", "imagePullSecrets", "terminationGracePeriodSeconds"])
def test_what_the_pod_says_is_kept(pod: Any, name: str) -> None:
    assert pod[name] == OLD_POD[name]


def test_the_gpus_taint_is_tolerated_without_a_word(pod: Any) -> None:
    (old,) = OLD_POD["tolerations"]
    assert "tolerations" not in AFTER
    assert {"key": old["key"], "operator": old["operator"]} in pod["tolerations"]


def test_the_service_has_the_same_port_in_front_of_the_same_one(world: World) -> None:
    (service,) = [thing.content for thing in world.of(SERVICES) if thing.name == NAME]
    (old,) = BEFORE["Service"]["ports"]
    shown = [{name: each[name] for name in ("name", "port", "targetPort")} for each in service["ports"]]
    assert old in shown


def test_the_ingress_answers_for_the_same_host_and_path(world: World) -> None:
    (ingress,) = [thing.content for thing in world.of(INGRESSES)]
    old = BEFORE["Ingress"]
    assert ingress["ingressClassName"] == old["ingressClassName"]
    assert ingress["tls"] == old["tls"]
    (rule,), (old_rule,) = ingress["rules"], old["rules"]
    (path,), (old_path,) = rule["http"]["paths"], old_rule["http"]["paths"]
    assert (rule["host"], path["path"], path["pathType"]) == (old_rule["host"], old_path["path"], old_path["pathType"])
    assert path["backend"]["service"] == {"name": NAME, "port": old_path["backend"]["service"]["port"]}


def test_the_autoscaler_has_the_same_bounds_and_target(world: World) -> None:
    (autoscaler,) = [thing.content for thing in world.of(HORIZONTALPODAUTOSCALERS)]
    old = BEFORE["HorizontalPodAutoscaler"]
    for name in ("minReplicas", "maxReplicas", "metrics"):
        assert autoscaler[name] == old[name]
