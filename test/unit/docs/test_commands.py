"""Commands on the pages: each program, option, file, value, target and kind in them exists."""

import pytest

from support.pagecommands import SHELLS, shell_faults
from support.pages import Block, blocks, pages

BLOCKS = [block for page in pages() for block in blocks(page) if block.language in SHELLS]
# What a block of a page may be in; anything else would go unchecked by mistake.
LANGUAGES = {*SHELLS, "yaml", "yml", "json", "python", "promql", "lua", "text"}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_shell_block_names_only_what_exists(block: Block) -> None:
    assert shell_faults(block) == []


@pytest.mark.parametrize("page", pages())
def test_every_block_says_what_it_is(page: str) -> None:
    assert [str(block) for block in blocks(page) if block.language not in LANGUAGES] == []


def faults(text: str, language: str = "sh") -> str:
    return " ".join(shell_faults(Block("page", 1, language, text)))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("kubctl get pods", "kubctl is no program"),
        ("aiop managr", "invalid choice"),
        ("aiop manager --worker-count 3", "unrecognized arguments"),
        ("aiop manager --workers 0", "is no count"),
        ("make tset", "no tset"),
        ("make demo ARG=--once", "no ARG"),
        ("helm install aiop charts/aiop --namspace x", "has no --namspace"),
        ("helm install aiop charts/aiop --set replicas=2", "replicas"),
        ("helm install aiop charts/aipo", "no charts/aipo"),
        ("kubectl apply -f manifests/sample", "no manifests/sample"),
        ("kubectl -n x get pods --wach", "has no --wach"),
        ("kubectl get aiworklods", "no kind aiworklods"),
        ("kubectl get pods && kubectl rollout restrat deploy/x --tmeout 3s", "has no --tmeout"),
        ("""kubectl patch aiw bert --type merge -p '{"spec":{"version":"v2"}}'""", "unknown field spec.version"),
        ("""kubectl patch aiw bert --type merge -p '{"spec":'""", "is no JSON"),
        ("kubectl apply -f - <<EOF\nspec: {replica: 1}\nEOF", "unknown field spec.replica"),
        ("python -m hack.nothing", "no module"),
        ("echo $(kubectl get nothings)", "no kind nothings"),
    ],
)
def test_what_does_not_exist_is_noticed(text: str, fault: str) -> None:
    assert fault in faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "make demo ARGS=--once   # it ends by itself",
        "aiop crds | kubectl apply --server-side -f -",
        "helm upgrade --install aiop charts/aiop --namespace aiop-system \\\n  --set replicaCount=1",
        "kubectl -n aiop-system logs deployment/aiop --since=1h | grep error",
        "kubectl get all,ingress,pdb,hpa -A",
        "kubectl rollout status deployment/aiop --timeout=2m",
        "KUBECONFIG=x kubectl explain aiworkload.spec > out.txt",
        "kubectl exec web-1 -- ls --anything",
    ],
)
def test_what_exists_is_let_through(text: str) -> None:
    assert faults(text) == ""


def test_in_a_console_block_only_what_follows_a_prompt_is_a_command() -> None:
    assert faults("$ kubectl get pods \\\n    -A\nkubctl, as the answer says\n", "console") == ""
    assert "no program" in faults("$ kubctl get pods\n", "console")


def test_blocks_are_found_at_all() -> None:
    assert {"README.md", "docs/how-to/install.md"} <= {block.page for block in BLOCKS}
