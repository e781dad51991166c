"""Where models come from: the places and keys that the page names are those that the fetcher knows."""

import re

import pytest

from aiop.api.aiworkload import AIWorkloadSpec
from aiop.api.modeluri import MODEL_URI_PATTERN
from aiop.fetcher.uri import parse_uri
from support.pages import ROOT, text_of

TABLE = re.findall(r"^\| (`\w+:/.*?) \| (.*) \| (.*) \|$", text_of("docs/how-to/models.md"), re.MULTILINE)
URIS = [uri for places, meaning, _ in TABLE for uri in re.findall(r"`(\w+:/[^`]+)`", f"{places} {meaning}")]
FETCHER = "".join(path.read_text() for path in (ROOT / "src" / "aiop" / "fetcher").rglob("*.py"))


def test_every_scheme_that_the_schema_takes_is_on_the_page() -> None:
    (listed,) = re.findall(r"\((s3\|[a-z0-9|]+)\)", MODEL_URI_PATTERN)
    schemes = {*listed.split("|"), "pvc", "models"}
    assert {uri.partition(":")[0] for uri in URIS} == schemes


@pytest.mark.parametrize("uri", URIS)
def test_a_place_on_the_page_is_taken_by_the_schema_and_by_the_fetcher(uri: str) -> None:
    AIWorkloadSpec.model_validate({"modelName": "m", "framework": "ONNX", "modelUri": uri})
    if not uri.startswith("pvc://"):
        parse_uri(uri)


@pytest.mark.parametrize(
    "key", sorted({key for *_, keys in TABLE for key in re.findall(r"`([A-Z_]{4,}|\.\w+)`", keys)})
)
def test_a_key_on_the_page_is_one_that_the_fetcher_reads(key: str) -> None:
    assert f'"{key}"' in FETCHER
