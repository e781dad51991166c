"""The pages as a site: `python -m hack.docs` builds it, `--check` keeps nothing of it."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hack.environments import ensure_environment

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "site"


def build(site: Path) -> int:
    """Build into ``site``; any warning, such as a link to nowhere, fails it. Returns the exit code."""
    command = [str(ensure_environment("docs")), "-m", "mkdocs", "--quiet", "build", "--strict", "--site-dir", str(site)]
    # A page is built from what is committed, never from when.
    return subprocess.run(command, cwd=ROOT, check=False, env={**os.environ, "SOURCE_DATE_EPOCH": "0"}).returncode


def main() -> int:
    """Build or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="keep nothing of what is built")
    if parser.parse_args().check:
        with tempfile.TemporaryDirectory(prefix="aiop-docs-") as folder:
            return build(Path(folder) / "site")
    code = build(SITE)
    if not code:
        print(SITE / "index.html")
    return code


if __name__ == "__main__":
    sys.exit(main())
