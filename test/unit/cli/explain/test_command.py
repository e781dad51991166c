"""`aiop explain` on the embedded API server, where no operator runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.embedded import CRDS, embedded_cluster
from support.explaining import explained, say, told
from support.kubectl import Kubectl
from support.workloads import workload

# Every key of the form for machines, as its page promises them.
KEYS = {
    "version", "object", "state", "healthy", "wanted", "found", "servers", "cause", "condition", "operator", "notes",
    "unread",
}  # fmt: skip
CAUSE = {"reason", "message", "numbers", "source", "next", "at", "fix", "holdsBack"}


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    path = tmp_path_factory.mktemp("explain") / "kubeconfig"
    with embedded_cluster(path):
        found = Kubectl(path)
        found("apply", "-f", str(CRDS))
        found("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        found.apply(workload("waits"))
        yield found


def test_without_an_operator_its_silence_is_the_cause(kubectl: Kubectl) -> None:
    lines = told(kubectl, "waits")
    assert len(lines) == 3
    assert lines[0] == "aiworkload/waits: wanted 1 server of v1; 0 ready, 0 take requests"
    assert lines[1].startswith("cause: OperatorSilent: the operator has said nothing of it yet; there is no Lease")
    assert lines[2].startswith("next: nothing changes until the operator looks at it; see whether the operator's pods")


def test_the_form_for_machines_has_the_fields_that_its_page_promises(kubectl: Kubectl) -> None:
    found = explained(kubectl, "waits")
    page = (Path(__file__).parents[4] / "docs" / "how-to" / "explain.md").read_text()
    assert set(found) == KEYS
    assert set(found["cause"]) == CAUSE
    assert [key for key in (*KEYS, *CAUSE, *found["servers"], *found["operator"]) if f"`{key}`" not in page] == []
    assert found["object"] == {
        "apiVersion": "geartickler.com/v1alpha1", "kind": "AIWorkload", "namespace": "default", "name": "waits",
        "generation": 1,
    }  # fmt: skip
    assert (found["version"], found["state"]) == (1, "OperatorSilent")
    assert found["operator"] == {"alive": None, "leaseAgeSeconds": None, "observedGeneration": 0, "seen": False}


def test_an_object_that_is_not_there_is_named_with_where_it_was_looked_for(kubectl: Kubectl) -> None:
    said = say("aiw", "nosuch", "--kubeconfig", str(kubectl.kubeconfig), "-n", "team-a")
    assert (said.code, said.out) == (1, "")
    assert "there is no AIWorkload 'nosuch' in the namespace 'team-a'" in said.err
    assert "-n" in said.err


def test_what_is_no_object_ends_with_the_code_of_a_wrong_argument(kubectl: Kubectl) -> None:
    said = say("pod/a", "--kubeconfig", str(kubectl.kubeconfig))
    assert (said.code, said.out) == (2, "")
    assert "argument TYPE/NAME: TYPE 'pod' cannot be explained" in said.err


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "the file is empty"),
        ("apiVersion: v1\nkind: Config\nclusters: 5\n", "clusters is no list"),
        ("{", "the file is no YAML"),
    ],
)
def test_a_kubeconfig_that_makes_no_sense_is_told_in_one_line(tmp_path: Path, text: str, names: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    said = say("aiw/a", "--kubeconfig", str(path))
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert names in said.err
    assert "--kubeconfig and --context" in said.err


def test_the_namespace_is_that_of_the_context(
    kubectl: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(kubectl.kubeconfig.read_text())
    mine = Kubectl(path)
    mine("config", "set-context", "--current", "--namespace=team-b")
    monkeypatch.setenv("KUBECONFIG", str(path))
    assert "in the namespace 'team-b'" in say("aiw/nosuch").err
    context = mine("config", "current-context").strip()
    assert "in the namespace 'team-b'" in say("aiw/nosuch", "--context", context).err
    assert "it has no context 'nosuch'" in say("aiw/nosuch", "--context", "nosuch").err


def test_the_plugin_speaks_of_itself_as_kubectl_calls_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/local/bin/kubectl-aiop"])
    with pytest.raises(SystemExit):
        say_raw()
    assert "usage: kubectl aiop explain" in capsys.readouterr().out


def say_raw(*arguments: Any) -> None:
    from aiop.cli.main import main  # noqa: PLC0415 - the name is read when it is called

    main(["explain", "--help", *arguments])
