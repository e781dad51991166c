"""What the chart renders, without a cluster."""

import argparse
import itertools
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from aiop import __version__
from aiop.api.aiworkload import AIWorkloadSpec
from aiop.cli.main import build_parser
from aiop.controllers.serving.settings import ServingSettings
from hack.generated.chart import rendered_chart
from hack.helm import ensure_helm

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "aiop"
FULL = ("--set", "models.store=pvc://models", "--set", "metrics.serviceMonitor.create=true,metrics.force=true")
# Kinds that Kubernetes itself publishes no schema for.
FOREIGN = {"ServiceMonitor", "CustomResourceDefinition"}
MONITORING = {"ServiceMonitor", "PrometheusRule"}


@pytest.fixture(scope="module")
def rendered() -> list[Any]:
    return rendered_chart(ROOT, *FULL)


def test_helm_lint_is_content() -> None:
    command = [str(ensure_helm()), "lint", "--strict", str(CHART)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("version", ["1.34.0", "1.37.0"])
def test_everything_rendered_fits_the_published_schemas(rendered: list[Any], version: str) -> None:
    checked = [each for each in rendered if each["kind"] not in FOREIGN]
    assert len(checked) > 10
    for each in checked:
        kubernetes_validate.validate(each, version, strict=True)


def test_the_operators_pod_is_restricted(rendered: list[Any]) -> None:
    (deployment,) = [each for each in rendered if each["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_options_of_the_pod_are_options_of_the_manager(rendered: list[Any]) -> None:
    (deployment,) = [each for each in rendered if each["kind"] == "Deployment"]
    options = build_parser("manager").parse_args(deployment["spec"]["template"]["spec"]["containers"][0]["args"])
    assert options.model_store == "pvc://models"
    assert options.fetch_image == ServingSettings().fetch_image


def arguments(*settings: str) -> Any:
    """The manager's options as the pod gives them, with these settings."""
    objects = rendered_chart(ROOT, *itertools.chain(*(("--set-json", setting) for setting in settings)))
    (deployment,) = [each for each in objects if each["kind"] == "Deployment"]
    return build_parser("manager").parse_args(deployment["spec"]["template"]["spec"]["containers"][0]["args"])


def test_settings_of_the_fetcher_reach_the_manager() -> None:
    options = arguments(
        'models.fetcher={"image":{"registry":"mirror.example.com","digest":"sha256:%s"}}' % ("1" * 64),
        'models.fetcher.resources={"limits":{"cpu":2,"memory":"1Gi"}}',
        'models.mlflowTrackingUri="https://mlflow.example.com"',
    )
    assert options.fetch_image == f"mirror.example.com/geartickler/aiop-fetcher@sha256:{'1' * 64}"
    assert options.fetch_resources == {"limits": {"cpu": "2", "memory": "1Gi"}}
    assert options.mlflow_tracking_uri == "https://mlflow.example.com"


def test_the_older_name_of_the_fetchers_image_still_works() -> None:
    assert arguments('models.fetchImage="registry.example.com/fetch:1"').fetch_image == "registry.example.com/fetch:1"


@pytest.mark.parametrize(
    ("settings", "image"),
    [
        ((), f"ghcr.io/geartickler/aiop:{__version__}"),
        (('image.tag="main"',), "ghcr.io/geartickler/aiop:main"),
        (('image.registry=""',), f"geartickler/aiop:{__version__}"),
        (('image.repository="registry.example.com/aiop"',), f"registry.example.com/aiop:{__version__}"),
        (('image.repository="localhost/aiop"', 'image.tag="1"'), "localhost/aiop:1"),
        (
            ('global.imageRegistry="mirror.example.com:5000"',),
            f"mirror.example.com:5000/geartickler/aiop:{__version__}",
        ),
    ],
)
def test_an_image_has_the_registry_that_is_meant(settings: tuple[str, ...], image: str) -> None:
    objects = rendered_chart(ROOT, *itertools.chain(*(("--set-json", setting) for setting in settings)))
    pods = [each["spec"]["template"]["spec"] for each in objects if each["kind"] == "Deployment"]
    pods += [each["spec"] for each in objects if each["kind"] == "Pod"]
    assert [pod["containers"][0]["image"] for pod in pods] == [image, image]


def test_definitions_are_kept_when_the_release_goes(rendered: list[Any]) -> None:
    definitions = [each for each in rendered if each["kind"] == "CustomResourceDefinition"]
    assert len(definitions) == 2
    assert all(each["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for each in definitions)


def test_definitions_can_be_left_to_somebody_else() -> None:
    objects = rendered_chart(ROOT, "--set", "crds.install=false")
    assert not any(each["kind"] == "CustomResourceDefinition" for each in objects)


def test_each_definition_is_under_200_kib_and_the_release_under_1_mib(rendered: list[Any]) -> None:
    sizes = [len(yaml.safe_dump(each)) for each in rendered]
    assert max(sizes) < 200 * 1024
    assert sum(sizes) < 1024 * 1024


@pytest.mark.parametrize(
    "setting",
    [
        "nosuch.value=1",
        "replicaCount=-1",
        "models.store=file:///etc",
        "image.digest=latest",
        "log.level=loud",
        "image.registry=ghcr.io/",
    ],
)
def test_a_value_that_does_not_exist_or_fit_is_refused(setting: str) -> None:
    command = [str(ensure_helm()), "template", "x", str(CHART), "--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert (
        setting.split("=", maxsplit=1)[0].rsplit(".", maxsplit=1)[-1] in done.stderr
        or setting.split(".", maxsplit=1)[0] in done.stderr
    )


def test_two_servers_on_one_port_are_refused() -> None:
    command = [str(ensure_helm()), "template", "x", str(CHART), "--set", "health.port=8080"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "health.port and metrics.port are both 8080" in done.stderr


@pytest.mark.parametrize("word", ["on", "123", "true", "null"])
def test_names_that_yaml_takes_for_something_else_stay_names(word: str) -> None:
    paths = ("nameOverride", "fullnameOverride", "serviceAccount.name", "priorityClassName")
    monitors = "metrics.force=true,metrics.serviceMonitor.create=true,metrics.prometheusRule.create=true"
    settings = [*(f"{path}={word}" for path in paths), monitors, f"watchNamespaces={{{word}}}"]
    command = [str(ensure_helm()), "template", word, str(CHART), "--namespace", word]
    command += itertools.chain(*(("--set-string" if "metrics" not in each else "--set", each) for each in settings))
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    objects = [each for each in yaml.safe_load_all(done.stdout) if each]
    assert len(objects) > 15
    for each in objects:
        if each["kind"] not in MONITORING:
            kubernetes_validate.validate(each, "1.37", strict=True)
        assert not [label for label in each["metadata"]["labels"].values() if not isinstance(label, str)]
        assert all(isinstance(each["metadata"].get(key, ""), str) for key in ("name", "namespace"))
    (deployment,) = [each for each in objects if each["kind"] == "Deployment"]
    assert deployment["spec"]["selector"]["matchLabels"]["app.kubernetes.io/instance"] == word


@pytest.mark.security(29)
def test_the_image_runs_as_a_number_and_installs_by_hash_only() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    (user,) = [line for line in lines if line.startswith("USER ")]
    assert user == "USER 65532:65532"
    installs = [line for line in lines if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line for line in installs)
    assert not any("chmod" in line or "passwd" in line for line in lines)


def test_ways_outside_and_monitors_reach_the_operator() -> None:
    found = options("--set", "exposure.ingressClassName=nginx", "--set", "exposure.gateway.name=public")
    assert (found.ingress_class, str(found.gateway), found.no_monitors) == ("nginx", "aiop-system/public", False)
    assert str(options("--set", "exposure.gateway.name=g,exposure.gateway.namespace=infra").gateway) == "infra/g"
    assert options("--set", "exposure.gateway.namespace=infra").gateway is None
    labelled = options("--set", r"serving.monitoring.labels.release=prom,serving.monitoring.labels.a\.b/team=x")
    assert labelled.monitor_labels == {"release": "prom", "a.b/team": "x"}
    assert options("--set", "serving.monitoring.enabled=false").no_monitors


def options(*arguments: str) -> argparse.Namespace:
    """What the operator makes of the arguments that the chart gives it."""
    deployment = next(each for each in rendered_chart(ROOT, *arguments) if each["kind"] == "Deployment")
    given = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    return build_parser("manager").parse_args(given)


def announced(name: str) -> Any:
    """What Chart.yaml tells Artifact Hub."""
    annotations = yaml.safe_load((CHART / "Chart.yaml").read_text())["annotations"]
    return yaml.safe_load(annotations[f"artifacthub.io/{name}"])


def test_artifact_hub_is_told_the_images_that_run() -> None:
    images = [each["image"] for each in announced("images")]
    assert images == [f"ghcr.io/geartickler/aiop:{__version__}", ServingSettings().fetch_image]


def test_artifact_hub_is_told_every_kind_of_the_chart(rendered: list[Any]) -> None:
    definitions = [each for each in rendered if each["kind"] == "CustomResourceDefinition"]
    told = {(each["name"], each["kind"], each["version"]) for each in announced("crds")}
    assert told == {
        (each["metadata"]["name"], each["spec"]["names"]["kind"], version["name"])
        for each in definitions
        for version in each["spec"]["versions"]
    }


def test_artifact_hub_shows_an_example_that_works() -> None:
    for example in announced("crdsExamples"):
        assert example["apiVersion"] == "geartickler.com/v1alpha1"
        AIWorkloadSpec.model_validate(example["spec"], extra="forbid")


def test_artifact_hub_is_told_what_changed_in_its_own_words() -> None:
    assert {each["kind"] for each in announced("changes")} <= {
        "added", "changed", "deprecated", "removed", "fixed", "security",
    }  # fmt: skip
