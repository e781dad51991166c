"""The operator as the demo's child: it picks its port itself, and tells where the operator listens."""

import asyncio
import json
from pathlib import Path

from aiop.cli.demo.operator import OperatorProcess


async def test_where_its_metrics_are_is_read_from_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    operator = OperatorProcess(tmp_path / "absent", log)
    assert await operator.metrics_url() == ""
    lines = [
        "no JSON at all",
        json.dumps([1]),
        json.dumps({"event": "the operator listens", "paths": ["/healthz", "/readyz"], "address": "127.0.0.1:1"}),
        json.dumps({"event": "something else", "paths": ["/metrics"], "address": "127.0.0.1:2"}),
    ]
    await asyncio.to_thread(log.write_text, "\n".join(lines))
    assert await operator.metrics_url() == ""
    lines.append(json.dumps({"event": "the operator listens", "paths": ["/metrics"], "address": "127.0.0.1:40123"}))
    await asyncio.to_thread(log.write_text, "\n".join([*lines, '{"half of a li']))
    assert await operator.metrics_url() == "http://127.0.0.1:40123/metrics"
