"""What failed, in the last lines of a long log: each test by name with the beginning of its error.

`python -m hack.failures FOLDER` reads the JUnit reports (*.xml) in it and always ends with 0: whoever asks knows
already that something failed. A report that is there and empty is that of a run which ended before it could write it.
"""

import argparse
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

_LETTERS = 300
_KINDS = ("failure", "error")


def failures(folder: Path) -> Iterator[str]:
    """A line for each failed test, in the order of the reports' names; none if all that is there went well."""
    for report in sorted(folder.glob("*.xml")):
        if not report.stat().st_size:
            yield f"{report.stem}: ended without a report; its output above says how"
            continue
        for case in ET.parse(report).iter("testcase"):  # noqa: S314 - written by pytest a moment ago
            yield from (f"{report.stem}: {_name(case)}: {_error(found)}" for found in case if found.tag in _KINDS)


def _name(case: ET.Element) -> str:
    place = case.get("classname", "").replace(".", "/")
    return f"{place}.py::{case.get('name')}" if place else str(case.get("name"))


def _error(found: ET.Element) -> str:
    """The beginning of what it says, on one line."""
    said = found.get("message") or found.text or ""
    return f"{found.tag}: {' '.join(said.split())[:_LETTERS]}"


def main() -> int:
    """Print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    lines = list(failures(parser.parse_args().folder))
    if lines:
        print(f"\nfailed tests ({len(lines)}):", *lines, sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
