"""A real Prometheus that scrapes each second, with the chart's rules, whose alerts do not wait."""

import json
import subprocess
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from hack.ports import free_port
from hack.prometheus import ensure_prometheus
from support.kubectl import eventually
from support.operator import Operator
from support.promtool import groups

_STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class PrometheusServer:
    """Its answers at ``url``."""

    url: str

    def get(self, path: str, **parameters: str) -> Any:
        """The data of an answer; None while there is none."""
        text = Operator.fetch(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        return json.loads(text)["data"] if text else None

    def have(self, path: str, **parameters: str) -> Any:
        """The same, once there is an answer."""
        return eventually(lambda: self.get(path, **parameters))

    def query(self, expression: str) -> dict[frozenset[tuple[str, str]], float]:
        """The value by labels, at this moment."""
        found = self.have("query", query=expression)["result"]
        return {frozenset(each["metric"].items()): float(each["value"][1]) for each in found}

    def firing(self, name: str) -> list[dict[str, str]]:
        """The labels of each alert of that name that fires."""
        alerts = self.have("alerts")["alerts"]
        return [each["labels"] for each in alerts if each["labels"]["alertname"] == name and each["state"] == "firing"]


@contextmanager
def prometheus_server(folder: Path, metrics: str) -> Iterator[PrometheusServer]:
    """Scrapes the one target ``metrics``, a URL, as a Prometheus in a cluster would scrape the operator's pod."""
    static = {"targets": [urlsplit(metrics).netloc], "labels": {"namespace": "aiop-system", "pod": "aiop-0"}}
    job = {"job_name": "aiop", "honor_labels": True, "static_configs": [static]}
    with scraping(folder, job, f"127.0.0.1:{free_port()}") as server:
        yield server


@contextmanager
def scraping(
    folder: Path, job: Mapping[str, Any], address: str, command: Callable[..., list[str]] = lambda *words: [*words]
) -> Iterator[PrometheusServer]:
    """Listens at ``address`` and has one job of ``scrape_configs``; ``command`` makes it run somewhere else."""
    configuration = folder / "prometheus.yaml"
    configuration.write_text(yaml.safe_dump(_configuration(folder, job)))
    words = [
        str(ensure_prometheus().server),
        f"--config.file={configuration}",
        f"--web.listen-address={address}",
        f"--storage.tsdb.path={folder / 'data'}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command(*words), stdout=log, stderr=log, cwd=folder)
    try:
        server = PrometheusServer(f"http://{address}")
        eventually(lambda: process.poll() is not None or server.get("rules"), told=(folder / "log").read_text)
        assert process.poll() is None, (folder / "log").read_text()
        yield server
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def _configuration(folder: Path, job: Mapping[str, Any]) -> dict[str, Any]:
    rules = folder / "rules.yaml"
    rules.write_text(yaml.safe_dump({"groups": _impatient(groups())}))
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [dict(job)],
    }


def _impatient(found: list[Any]) -> list[Any]:
    """The same rules, but for how long an alert waits."""
    return [
        {**group, "rules": [{**rule, "for": "1s"} if "alert" in rule else rule for rule in group["rules"]]}
        for group in found
    ]
