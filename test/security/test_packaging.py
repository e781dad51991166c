"""What the images and the chart's network policy hold."""

from pathlib import Path
from typing import Any

import pytest

from hack.generated.chart import rendered_chart

ROOT = Path(__file__).parents[2]
DOCKERFILES = sorted(ROOT.glob("Dockerfile*"))
DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.security(29)
@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_runs_as_a_number_and_changes_no_users(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    (user,) = [line.split() for line in lines if line.startswith("USER ")][-1:]
    assert all(part.isdecimal() and int(part) > 0 for part in user[1].split(":"))
    text = "\n".join(line for line in lines if not line.startswith("#"))
    for word in ("/etc/passwd", "/etc/group", "chmod", "chown", "useradd", "sudo", "curl ", "wget ", "ADD "):
        assert word not in text, word


@pytest.mark.security(29, 32)
@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_an_images_base_can_be_pinned_by_digest_and_its_packages_are_by_hash(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    named = {line.split()[1].partition("=")[0] for line in lines if line.startswith("ARG ")}
    assert bases
    assert all(base.strip("${}") in named for base in bases), "an argument, so that a build can name a digest"
    installs = [line for line in lines if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line for line in installs)


def images(*settings: str) -> list[str]:
    found: list[str] = []
    for each in rendered_chart(ROOT, *settings):
        pod = each if each["kind"] == "Pod" else each.get("spec", {}).get("template", {})
        found += [container["image"] for container in pod.get("spec", {}).get("containers", [])]
    return found


@pytest.mark.security(32)
def test_a_digest_goes_before_the_tag() -> None:
    plain = images()
    assert plain
    pinned = images("--set", f"image.digest={DIGEST}", "--set", "image.tag=ignored")
    assert any(image.endswith(f"@{DIGEST}") for image in pinned)
    assert not any("ignored" in image for image in pinned)


@pytest.mark.security(13)
def test_the_operator_reaches_names_and_the_api_server_alone() -> None:
    (policy,) = [each for each in rendered_chart(ROOT) if each["kind"] == "NetworkPolicy"]
    assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    assert ports == {53, 443, 6443}
    assert all(rule["ports"] for rule in policy["spec"]["egress"])
    bound: Any = rendered_chart(ROOT, "--set-json", 'networkPolicy.apiServer.cidrs=["10.0.0.1/32"]')
    (policy,) = [each for each in bound if each["kind"] == "NetworkPolicy"]
    (rule,) = [rule for rule in policy["spec"]["egress"] if 443 in {port["port"] for port in rule["ports"]}]
    assert rule["to"] == [{"ipBlock": {"cidr": "10.0.0.1/32"}}]
