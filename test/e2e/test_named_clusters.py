"""What the environment names is used instead of the control plane that is built here."""

from pathlib import Path

import pytest

from hack.controlplane.build import ensure_built
from support.controlplane import real_cluster
from support.kubectl import Kubectl

# etcd's own options, as the setup for published binaries gives them, in the order in which it does.
_ETCD = 'exec {binary} etcd --data-dir "$2" --client-url "$5" --peer-url "$9"'
_OTHER = 'exec {binary} {name} "$@"'


def published_binaries(folder: Path) -> Path:
    """The four programs under their own names, as envtest's archives have them."""
    folder.mkdir()
    for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        line = (_ETCD if name == "etcd" else _OTHER).format(binary=ensure_built(), name=name)
        (folder / name).write_text(f'#!/bin/sh\necho "$0" >> {folder / "started"}\n{line}\n')
        (folder / name).chmod(0o755)
    return folder


def test_the_programs_in_kubebuilder_assets_are_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assets = published_binaries(tmp_path / "assets")
    monkeypatch.delenv("AIOP_TEST_KUBECONFIG", raising=False)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    with real_cluster(tmp_path / "plane") as running:
        Kubectl(running.kubeconfig)("get", "namespace", "default")
    started = {Path(line).name for line in (assets / "started").read_text().splitlines()}
    assert started == {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}


def test_a_folder_without_controllers_gives_an_api_server_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = published_binaries(tmp_path / "assets")
    (assets / "kube-controller-manager").unlink()
    (assets / "kube-scheduler").unlink()
    monkeypatch.delenv("AIOP_TEST_KUBECONFIG", raising=False)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    with real_cluster(tmp_path / "plane") as running:
        assert "v1" in Kubectl(running.kubeconfig)("api-versions").split()


def test_the_cluster_of_a_named_kubeconfig_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOP_TEST_KUBECONFIG", "/somewhere/kubeconfig")
    with real_cluster(tmp_path / "plane") as running:
        assert running.kubeconfig == Path("/somewhere/kubeconfig")
        assert running.plane is None
    assert not (tmp_path / "plane").exists()
