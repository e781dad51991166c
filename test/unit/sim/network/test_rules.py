"""Which Ingress a request belongs to."""

from typing import Any

import pytest

from aiop.sim.network.rules import Rules


def ingress(name: str, *paths: tuple[str, str, str], host: str = "", age: int = 0, **more: Any) -> dict[str, Any]:
    """Paths are (path, pathType, Service)."""
    listed = [
        {"path": path, "pathType": kind, "backend": {"service": {"name": to, "port": {"number": 80}}}}
        for path, kind, to in paths
    ]
    rule = {"http": {"paths": listed}, **({"host": host} if host else {})}
    meta = {"name": name, "namespace": "team", "creationTimestamp": f"2026-01-01T00:00:{age:02}Z"}
    return {"metadata": {**meta, **more.pop("metadata", {})}, "spec": {"rules": [rule], **more}}


def leads(rules: Rules, path: str, host: str = "any") -> str:
    found = rules.find(host, path)
    return found.service.name if found else ""


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/", "root"),
        ("/foo", "exact"),
        ("/foo/", "prefix"),
        ("/foo/bar", "deep"),
        ("/foo/bar/", "deep"),
        ("/foo/barbar", "prefix"),
        ("/foo/x/y/z", "prefix"),
        ("/Foo", "root"),
    ],
)
def test_an_exact_path_comes_before_prefixes_and_the_longest_prefix_before_others(path: str, wanted: str) -> None:
    rules = Rules(
        [
            ingress(
                "a",
                ("/", "Prefix", "root"),
                ("/foo/", "Prefix", "prefix"),
                ("/foo", "Exact", "exact"),
                ("/foo/bar", "Prefix", "deep"),
            )
        ]
    )
    assert leads(rules, path) == wanted


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("bert.example.com", "exact"),
        ("BERT.example.com.", "exact"),
        ("other.example.com", "wild"),
        ("deep.other.example.com", "every"),
        ("example.com", "every"),
    ],
)
def test_an_exact_host_comes_before_a_wildcard_before_none(host: str, wanted: str) -> None:
    rules = Rules(
        [
            ingress("every", ("/x", "Prefix", "every")),
            ingress("wild", ("/x", "Prefix", "wild"), host="*.example.com"),
            ingress("exact", ("/x", "Prefix", "exact"), host="bert.example.com"),
        ]
    )
    assert leads(rules, "/x", host) == wanted


def test_a_path_that_its_host_does_not_have_goes_to_the_default_backend_only() -> None:
    every, own = ingress("every", ("/x", "Prefix", "every")), ingress("own", ("/y", "Exact", "own"), host="own")
    assert leads(Rules([every, own]), "/x", "own") == ""
    rest = ingress("rest", age=9, defaultBackend={"service": {"name": "rest", "port": {"number": 80}}})
    assert leads(Rules([every, own, rest]), "/x", "own") == "rest"


def test_the_older_of_two_ingresses_has_the_path() -> None:
    rules = Rules([ingress("a", ("/x", "Exact", "young"), age=2), ingress("b", ("/x", "Exact", "old"), age=1)])
    assert leads(rules, "/x") == "old"


def test_a_path_of_thousands_of_segments_is_cut_to_the_rules_depth() -> None:
    rules = Rules([ingress("a", ("/x/y", "Prefix", "deep"))])
    assert leads(rules, "/x/y" + "/z" * 4000) == "deep"
    assert leads(rules, "/z" * 4000) == ""
