"""Paths and claims that would lead elsewhere, however they are written."""

import pytest
from pydantic import TypeAdapter, ValidationError

from aiop.api.exposure import EndpointPath
from aiop.api.modeluri import ModelStore, ModelUri


@pytest.mark.parametrize(
    "hidden", ["%2e", "%2E", "%2f", "%2F", "%5c", "%5C", "%25", "%00", "%0a", "%1F", "%", "%4", "%zz"]
)
def test_no_percent_sign_hides_a_step_to_another_path(hidden: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(EndpointPath).validate_python(f"/api/{hidden}{hidden}/admin")


def test_other_letters_may_be_written_with_percent_signs() -> None:
    for path in ("/pr%C3%A9dire", "/a%20b", "/a%5Bb", "/a%24b", "/a%3Ab"):
        assert TypeAdapter(EndpointPath).validate_python(path) == path


@pytest.mark.parametrize(
    "uri", ["pvc://Other/a", "pvc://other-team:models/a", "pvc://a_b/c", "pvc://-a/c", "pvc://a%2fb/c"]
)
def test_a_claim_is_a_name_and_nothing_else(uri: str) -> None:
    for kind in (ModelUri, ModelStore):
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(uri)


def test_a_claims_name_may_have_dots_and_a_path_behind_it() -> None:
    for uri in ("pvc://models", "pvc://m/x", "pvc://team.models-2/iris/v1"):
        assert TypeAdapter(ModelUri).validate_python(uri) == uri
