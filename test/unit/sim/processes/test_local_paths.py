"""Paths of the table's own are those of this machine, whatever the pod mounts; only the pod's words are translated."""

from pathlib import Path

from aiop.sim.processes import Program
from support.processpods import container_status, process_pods

_SHOW = ["sh", "-c", 'echo "$0 $* $OURS $GIVEN $HOME"']


async def test_a_mount_over_a_folder_of_the_table_changes_nothing_of_what_the_table_says(tmp_path: Path) -> None:
    here = str(tmp_path)
    program = Program(launcher=[*_SHOW, f"{here}/bin/server", "--at=$(GIVEN)"], environment={"OURS": f"{here}/lib"})
    container = {
        "name": "main",
        "image": "server:1",
        "command": ["serve", f"--model={here}/model", "--cache=$(HOME)/cache"],
        "env": [{"name": "GIVEN", "value": f"{here}/given"}],
        "volumeMounts": [{"name": "over", "mountPath": here}],
    }
    async with process_pods(tmp_path / "cluster", {"server:*": program}) as bench:
        await bench.pod("a", container, volumes=[{"name": "over", "emptyDir": {}}], restartPolicy="Never")
        pod = await bench.seen("a", lambda pod: "terminated" in container_status(pod).get("state", {}))
        binary, at, _, model, cache, ours, given, home = (await bench.log("a")).split()
    volume = bench.pods.folder / pod["metadata"]["uid"] / "volumes" / "over"
    assert (binary, ours) == (f"{here}/bin/server", f"{here}/lib")
    assert (at, given, model) == (f"--at={volume}/given", f"{volume}/given", f"--model={volume}/model")
    assert cache == f"--cache={home}/cache"
    assert home.startswith(f"{bench.pods.folder}/"), "a folder of the container's own"
