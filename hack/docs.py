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


def build(site: Path, root: Path = ROOT) -> int:
    """Build `mkdocs.yml` of ``root`` into ``site``; any warning, such as a link to nowhere, fails it.

    Returns the exit code, and prints the warnings.
    """
    command = [str(ensure_environment("docs")), "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    # A page is built from what is committed, never from when.
    known = {**os.environ, "SOURCE_DATE_EPOCH": "0"}
    # mkdocs counts only what it writes, so --quiet would let every warning pass.
    done = subprocess.run(command, cwd=root, check=False, env=known, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
    return done.returncode


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
