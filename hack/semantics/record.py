"""Asks a real API server what it makes of the scenarios and writes its answers down for the unit tests.

Usage: record.py KUBECONFIG (as `python -m hack.controlplane.launch` writes it). The answers go to
test/unit/sim/semantics/recorded/, one file per kind of scenario; the tests hold the embedded server's pure functions
to them.
"""

import argparse
import json
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from hack.semantics import scenarios

_ANSWERS = Path(__file__).parents[2] / "test/unit/sim/semantics/recorded"
_NAMESPACE = "recorded-semantics"
_TYPES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
# A definition is served a moment after it is established; a second is plenty on loopback.
_SETTLE_SECONDS = 2.0


class Server:
    """The few calls that a recording needs."""

    def __init__(self, kubeconfig: Path) -> None:
        config = json.loads(kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        self._base = cluster["server"]
        self._token = config["users"][0]["user"]["token"]
        self._tls = ssl.create_default_context(cafile=cluster["certificate-authority"])

    def call(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        """The answer's status and body."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": content_type}
        request = urllib.request.Request(self._base + path, data, headers, method=method)  # noqa: S310 - our own server
        try:
            with urllib.request.urlopen(request, context=self._tls) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


def main() -> None:
    """Record every scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kubeconfig", type=Path)
    server = Server(parser.parse_args().kubeconfig)
    defined = server.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", scenarios.DEFINITION)
    if defined[0] not in {201, 409}:
        sys.exit(f"the definition is refused: {defined}")
    server.call("POST", "/api/v1/namespaces", {"metadata": {"name": _NAMESPACE}})
    time.sleep(_SETTLE_SECONDS)
    _ANSWERS.mkdir(parents=True, exist_ok=True)
    (_ANSWERS / "schema.json").write_text(json.dumps(scenarios.SCHEMA) + "\n")
    for name, groups in scenarios.ALL.items():
        answers = {title: _recorded(server, steps) for title, steps in groups.items()}
        lines = ",\n".join(f"{json.dumps(title)}: {json.dumps(steps)}" for title, steps in answers.items())
        (_ANSWERS / f"{name}.json").write_text(f"{{\n{lines}\n}}\n")
        print(name, {title: [step["status"] for step in steps] for title, steps in answers.items()})


def _recorded(server: Server, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    collection = _collection(steps[0]["body"])
    path = f"{collection}/{steps[0]['body']['metadata']['name']}"
    server.call("DELETE", f"{path}?gracePeriodSeconds=0")
    answers = []
    for step in steps:
        before = server.call("GET", path)
        query = f"?fieldManager={step.get('manager', 'me')}" + ("&force=true" if step.get("force") else "")
        query += f"&fieldValidation={step['validation']}" if "validation" in step else ""
        subresource = f"/{step['subresource']}" if "subresource" in step else ""
        if step["verb"] == "create":
            answer = server.call("POST", collection + query, step["body"])
        else:
            answer = server.call("PATCH", path + subresource + query, step["body"], _TYPES[step["verb"]])
        known = before[1] if before[0] == 200 else None  # noqa: PLR2004 - OK
        answers.append({"step": step, "before": known, "status": answer[0], "answer": answer[1]})
    return answers


def _collection(body: dict[str, Any]) -> str:
    group, _, version = body["apiVersion"].rpartition("/")
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    return f"{root}/namespaces/{_NAMESPACE}/{body['kind'].lower()}s"


if __name__ == "__main__":
    main()
