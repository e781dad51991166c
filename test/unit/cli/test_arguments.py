"""The command line: what it offers, and what it says to who mistypes."""

import argparse
import importlib
import math
import subprocess
import sys
from types import ModuleType

import pytest

from aiop import __version__
from aiop.cli.main import build_parser, main
from aiop.cli.options import address, class_name, count, gateway, labels, namespace, resources, seconds
from aiop.controllers.serving.exposure.asked import GatewayName


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What it says on stderr when it ends with the exit code of a usage error."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    return " ".join(capsys.readouterr().err.split())


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 0
    return " ".join(capsys.readouterr().out.split())


def test_help_names_every_command_with_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, "--help")
    assert "manager run the operator" in said
    assert "demo see it work on an embedded cluster" in said
    assert "explain say what holds an object back" in said
    assert "crds print the CustomResourceDefinitions" in said


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("manager", ("--kubeconfig", "--context", "--model-store", "--fetch-image", "--workers", "--health-address")),
        ("manager", ("--metrics-address", "--lease-namespace", "--no-leader-election", "--log-level", "--log-format")),
        ("demo", ("--cluster {current,embedded,real}", "--namespace", "--once", "--timeout")),
        (
            "explain",
            ("TYPE/NAME", "--kubeconfig", "--context", "-n NAMESPACE", "-o {text,json}", "aiop explain aiworkload/"),
        ),
        ("crds", ("aiop crds | kubectl apply --server-side -f -",)),
    ],
)
def test_help_of_a_command_names_its_options(
    capsys: pytest.CaptureFixture[str], command: str, expected: tuple[str, ...]
) -> None:
    said = shown(capsys, command, "--help")
    assert [each for each in expected if each not in said] == []


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "--version") == f"aiop {__version__}"


@pytest.mark.parametrize(
    ("arguments", "names", "fix"),
    [
        ((), "COMMAND", "required"),
        (("mange",), "argument COMMAND: invalid choice: 'mange'", "choose from 'manager', 'demo', 'explain', 'crds'"),
        (("manager", "--workers", "x"), "argument --workers: 'x'", "give a whole number from 1"),
        (("manager", "--workers", "0"), "argument --workers: '0'", "give a whole number from 1"),
        (("manager", "--workers", "-3"), "argument --workers: '-3'", "give a whole number from 1"),
        (("manager", "--health-address", "8081"), "argument --health-address: '8081'", "host:port, like 0.0.0.0:8080"),
        (("manager", "--metrics-address", "a:b"), "argument --metrics-address: 'a:b'", "host:port, like 0.0.0.0:8080"),
        (("manager", "--gpu-metric", "a/b"), "argument --gpu-metric: 'a/b'", "like DCGM_FI_DEV_GPU_UTIL"),
        (("manager", "--gpu-metric-mig", ""), "argument --gpu-metric-mig: ''", "like DCGM_FI_DEV_GPU_UTIL"),
        (("manager", "--gpu-metric-seconds", "0.5"), "argument --gpu-metric-seconds: '0.5'", "from 1, like 30"),
        (("manager", "--log-level", "loud"), "argument --log-level: invalid choice: 'loud'", "'debug', 'info'"),
        (("manager", "--log-format", "xml"), "argument --log-format: invalid choice: 'xml'", "'json', 'console'"),
        (("manager", "--kubeconfig"), "argument --kubeconfig", "expected one argument"),
        (("manager", "--nonsense"), "unrecognized arguments: --nonsense", "usage: aiop"),
        (("demo", "--cluster", "mine"), "argument --cluster: invalid choice: 'mine'", "'current', 'embedded', 'real'"),
        (("demo", "--timeout", "soon"), "argument --timeout: 'soon'", "give seconds, like 120"),
        (("demo", "--timeout", "nan"), "argument --timeout: 'nan'", "give seconds, like 120"),
        (("demo", "--timeout", "-1"), "argument --timeout: '-1'", "give seconds, like 120"),
        (("explain",), "TYPE/NAME", "required"),
        (("explain", "aiw/a", "-o", "xml"), "argument -o/--output: invalid choice: 'xml'", "'text', 'json'"),
        (("explain", "aiw/a", "-n", "A"), "argument -n/--namespace: 'A'", "like team-a"),
        (("crds", "--yaml"), "unrecognized arguments: --yaml", "usage: aiop"),
    ],
)
def test_a_bad_argument_is_named_with_what_would_do(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], names: str, fix: str
) -> None:
    said = refused(capsys, *arguments)
    assert names in said
    assert fix in said


def test_what_makes_sense_is_taken() -> None:
    addresses = ["0.0.0.0:8080", ":0", "[::1]:65535", "localhost:80", ""]
    assert [address(text) for text in addresses] == addresses
    assert (count("1"), count("16"), seconds("0"), seconds("1.5")) == (1, 16, 0.0, 1.5)


@pytest.mark.parametrize("text", ["80", "a:", "a:b", "::1:80", "localhost:65536", "localhost:-1", "http://a:x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="is no address"):
        address(text)


def test_the_managers_defaults_are_those_of_a_pod() -> None:
    options = build_parser("manager").parse_args(["manager"])
    assert (options.kubeconfig, options.context, options.lease_namespace) == (None, None, None)
    assert (options.health_address, options.metrics_address) == ("0.0.0.0:8081", "0.0.0.0:8080")
    assert (options.workers, options.no_leader_election, options.log_format) == (4, False, "json")


def test_the_demos_defaults_are_an_embedded_cluster_that_stays() -> None:
    options = build_parser("demo").parse_args(["demo"])
    assert (options.cluster, options.namespace, options.once) == ("embedded", "default", False)
    assert math.isfinite(options.timeout)


def test_only_the_module_of_the_command_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []
    original = importlib.import_module

    def remember(name: str) -> ModuleType:
        imported.append(name)
        return original(name)

    monkeypatch.setattr(importlib, "import_module", remember)
    build_parser("crds")
    build_parser("")
    assert imported == ["aiop.cli.crds"]


def test_an_installation_without_the_demos_extra_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith(("aiop.cli.demo", "rich"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert "pip install 'aiop[demo]'" in refused(capsys, "demo", "--once")


def test_resources_are_those_of_a_container() -> None:
    assert resources('{"limits": {"memory": "1Gi", "cpu": 2}, "requests": {}}') == {
        "limits": {"memory": "1Gi", "cpu": "2"}
    }
    assert resources("{}") == {}


@pytest.mark.parametrize("text", ["", "1Gi", "[]", '{"limits": {"memory": "much"}}', '{"limit": {}}'])
def test_resources_that_are_none_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="1Gi"):
        resources(text)


def test_namespaces_are_given_one_by_one_and_none_means_all() -> None:
    parse = build_parser("manager").parse_args
    assert parse(["manager"]).watch_namespace == []
    given = parse(["manager", "--watch-namespace", "team-a", "--watch-namespace=team-b"])
    assert given.watch_namespace == ["team-a", "team-b"]


@pytest.mark.parametrize("text", ["", "Team", "-a", "a-", "a.b", "a/b", "a,b", "ü", "a" * 64])
def test_what_no_namespace_is_called_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="like team-a"):
        namespace(text)
    assert namespace("a" * 63) == "a" * 63


def test_a_gateway_is_given_by_namespace_and_name() -> None:
    assert gateway("infra/public.v1") == GatewayName("infra", "public.v1")
    assert gateway("") is None


@pytest.mark.parametrize("text", ["public", "a/b/c", "/public", "infra/", "Infra/public", "infra/-a", "a.b/c", "a/b\n"])
def test_what_is_no_gateway_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="like infra/public"):
        gateway(text)


def test_a_class_is_a_name_or_nothing() -> None:
    assert class_name("nginx.v1") == "nginx.v1"
    assert class_name("") == ""
    for text in ("Nginx", "a/b", "a" * 254, "a\n"):
        with pytest.raises(argparse.ArgumentTypeError, match="lower-case"):
            class_name(text)


def test_labels_are_given_with_commas_between() -> None:
    assert labels("release=prometheus,example.com/team=a.b,empty=") == {
        "release": "prometheus",
        "example.com/team": "a.b",
        "empty": "",
    }
    assert labels("") == {}


@pytest.mark.parametrize("text", ["release", "=a", "a=b c", "a=-b", "-a=b", "a/b/c=d", "A.b/=c", "a=" + "b" * 64])
def test_what_is_no_label_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="like release=prometheus"):
        labels(text)


def test_the_ways_outside_and_the_monitors_are_set_by_options() -> None:
    parse = build_parser("manager").parse_args
    given = parse(["manager", "--ingress-class=nginx", "--gateway=infra/public", "--monitor-labels=a=b"])
    assert (given.ingress_class, str(given.gateway), given.monitor_labels) == ("nginx", "infra/public", {"a": "b"})
    assert not given.no_monitors
    nothing = parse(["manager"])
    assert (nothing.ingress_class, nothing.gateway, nothing.monitor_labels) == ("", None, {})


def test_ctrl_c_while_a_command_is_loaded_leaves_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_name: str) -> ModuleType:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib, "import_module", interrupted)
    assert main(["demo"]) == 130


def test_where_nobody_reads_the_output_a_command_ends_as_if_by_sigpipe() -> None:
    command = [sys.executable, "-m", "aiop", "crds"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141
