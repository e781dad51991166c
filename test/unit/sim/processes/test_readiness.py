"""A pod that serves."""

from pathlib import Path

import aiohttp

from support.processpods import container_status, process_pods, ready

PROBE = {"httpGet": {"path": "/healthy", "port": "http"}, "periodSeconds": 1}
WEB = {"name": "main", "image": "web:1", "ports": [{"name": "http", "containerPort": 8080}], "readinessProbe": PROBE}


async def test_a_pod_gets_ready_when_its_program_answers_its_probe(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        await bench.pod("web", WEB)
        pod = await bench.seen("web", ready)
        address = pod["status"]["podIP"]
        async with aiohttp.ClientSession() as session, session.get(f"http://{address}:8080/hello") as answer:
            assert await answer.text() == "/hello"
        status = container_status(pod)
        assert status["started"] is True
        assert status["restartCount"] == 0
        assert status["containerID"].startswith("process://")
        assert status["imageID"].startswith("sha256:")
        assert await bench.log("web") == f"listening on {address}:8080\n"
