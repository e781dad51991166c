"""YAML on the pages: whoever copies it is not refused."""

import pytest

from support.pagemanifests import values_faults, yaml_faults
from support.pages import Block, blocks, pages

BLOCKS = [block for page in pages() for block in blocks(page) if block.language in {"yaml", "yml"}]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_yaml_block_is_accepted_as_it_stands(block: Block) -> None:
    assert yaml_faults(block.text) == []


def test_blocks_are_found_at_all() -> None:
    assert {"README.md", "docs/reference/aiworkload.md"} <= {block.page for block in BLOCKS}


WORKLOAD = "apiVersion: geartickler.com/v1alpha1\nkind: AIWorkload\nmetadata: {name: a}\nspec: {modelName: m, image: i"
DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {selector: {}, template: {}"
KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (WORKLOAD + ", replica: 1}", "unknown field spec.replica"),
        (WORKLOAD + ", replicas: many}", "spec.replicas"),
        (WORKLOAD + ", modelVersion: a..b}", "must not contain"),
        (DEPLOYMENT + ", replica: 1}", "replica"),
        ("spec: {replica: 1}", "unknown field spec.replica"),
        ("nosuchvalue: 1", "nosuchvalue"),
        (KUSTOMIZATION + "resources: [../aiop/manifests/bass]", "manifests/bass"),
        (KUSTOMIZATION + "resource: [../aiop/manifests/base]", "resource"),
        ("", "nothing in it"),
        ("- a", "no object"),
    ],
)
def test_what_would_be_refused_is_noticed(text: str, fault: str) -> None:
    assert fault in " ".join(yaml_faults(text))


def test_an_object_that_nobody_knows_is_noticed() -> None:
    with pytest.raises(LookupError):
        yaml_faults("apiVersion: example.com/v1\nkind: Unheard\nmetadata: {name: a}")


@pytest.mark.parametrize(
    "text",
    [
        WORKLOAD + "}",
        "spec: {replicas: 3}",
        "replicaCount: 1",
        KUSTOMIZATION + "resources: [../aiop/manifests/base]",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n" + WORKLOAD + "}",
    ],
)
def test_what_would_be_taken_is_let_through(text: str) -> None:
    assert yaml_faults(text) == []


def test_values_of_an_application_or_a_release_are_held_to_the_charts_schema() -> None:
    application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {source: {helm: {valuesObject: {a: 1}}}}"
    release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec: {values: {a: 1}}"
    assert all(yaml_faults(text) for text in (application, release))
    assert values_faults("--set", "replicaCount=1") == []
