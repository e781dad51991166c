"""Write the module file for one Kubernetes version: `python -m hack.controlplane.pin 1.34.4`.

k8s.io/kubernetes refers to its staging modules by folders of its own repository; as a dependency each of them needs a
`replace` by the version that was published with it.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
VERSIONS = HERE / "versions"


def published_module_file(version: str) -> str:
    """The go.mod that k8s.io/kubernetes was published with."""
    command = ["go", "mod", "download", "-json", f"k8s.io/kubernetes@v{version}"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd="/")
    return Path(json.loads(answer.stdout)["GoMod"]).read_text(encoding="utf-8")


def module_file(version: str, published: str) -> str:
    """Our go.mod for that version, before `go mod tidy`."""
    staging = re.findall(r"^\s*(k8s\.io/\S+) => \./staging", published, re.MULTILINE)
    staged = "v0." + version.split(".", 1)[1]
    (etcd,) = re.findall(r"go\.etcd\.io/etcd/client/v3 (\S+)", published)
    (go,) = re.findall(r"^go (\S+)", published, re.MULTILINE)
    godebug = re.findall(r"^godebug .*$", published, re.MULTILINE)
    requirements = {"go.etcd.io/etcd/server/v3": etcd, "k8s.io/kubernetes": f"v{version}"}
    lines = ["module geartickler.com/aiop/hack/controlplane", "", f"go {go}", "", *godebug, "", "require ("]
    lines += [f"\t{name} {required}" for name, required in requirements.items()]
    lines += [")", "", "replace ("]
    lines += [f"\t{name} => {name} {staged}" for name in staging]
    return "\n".join([*lines, ")", ""])


def main(version: str) -> None:
    """Write and tidy versions/<version>.mod and .sum."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for source in HERE.glob("*.go"):
            shutil.copy(source, work)
        (work / "go.mod").write_text(module_file(version, published_module_file(version)), encoding="utf-8")
        subprocess.run(["go", "mod", "tidy"], check=True, cwd=work)
        VERSIONS.mkdir(exist_ok=True)
        shutil.copy(work / "go.mod", VERSIONS / f"{version}.mod")
        shutil.copy(work / "go.sum", VERSIONS / f"{version}.sum")


if __name__ == "__main__":
    main(sys.argv[1])
