"""Everything that is generated: CRDs, the chart's copies, dashboards, GitOps manifests, reference pages, navigation.

`python -m hack.generate` writes it; with `--check` it only compares and ends with 1 if something differs.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from hack.generated.argocd import argocd_files
from hack.generated.chart import crd_templates
from hack.generated.dashboards import FOLDER, dashboard_files
from hack.generated.included import pages_with_files
from hack.generated.kustomize import manifests
from hack.generated.navigation import navigation_files
from hack.generated.reference import reference_pages
from hack.generated.values import values_page

ROOT = Path(__file__).parents[1]
# Folders in which every file is generated: what is there and not in the list is left over from before.
_WHOLE = (
    "manifests/argocd",
    "manifests/base",
    "manifests/components/*",
    "manifests/crds",
    "manifests/operator",
    "manifests/overlays/*",
    "manifests/rbac",
    "charts/aiop/templates/crds",
    FOLDER,
)


def generated_files() -> Iterator[tuple[str, str]]:
    """Path and content of each file; the chart's CRDs come before what is rendered from the chart."""
    files = dict(_from_sources())
    yield from files.items()
    yield from navigation_files(ROOT, set(files))


def _from_sources() -> Iterator[tuple[str, str]]:
    yield from crd_templates()
    yield from argocd_files(ROOT)
    yield from dashboard_files()
    yield from reference_pages()
    yield from values_page(ROOT)
    yield from pages_with_files(ROOT)


def main() -> int:
    """Write or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if something would change")
    options = parser.parse_args()
    files = dict(generated_files())
    stale = [path for path, content in files.items() if _differs(path, content)]
    if not options.check:
        _write({path: files[path] for path in stale})
    rendered = dict(manifests(ROOT))
    stale_rendered = [path for path, content in rendered.items() if _differs(path, content)]
    if not options.check:
        _write({path: rendered[path] for path in stale_rendered})
    leftover = [path for path in _present() if path not in files and path not in rendered]
    for path in leftover:
        if not options.check:
            (ROOT / path).unlink()
    changed = [*stale, *stale_rendered, *leftover]
    for path in changed:
        print(f"{'differs from what is generated' if options.check else 'generated'}: {path}")
    if options.check and changed:
        print("run `make generate` and commit what it writes", file=sys.stderr)
        return 1
    return 0


def _differs(path: str, content: str) -> bool:
    target = ROOT / path
    return not target.exists() or target.read_text(encoding="utf-8") != content


def _write(files: dict[str, str]) -> None:
    for path, content in files.items():
        target = ROOT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


def _present() -> Iterator[str]:
    for folder in _WHOLE:
        for path in sorted(ROOT.glob(f"{folder}/*")):
            yield str(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
