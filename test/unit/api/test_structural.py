from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from aiop.api.structural import NotStructural, structural_schema


class Inner(BaseModel):
    text: Annotated[str, Field(max_length=3)] | None = Field(default=None, description="A text.")


class Outer(BaseModel):
    inner: Inner = Field(description="Here.")
    again: Inner | None = Field(default=None, description="There.")
    many: Annotated[list[Inner], Field(max_length=2)] = Field(default_factory=list)
    table: dict[str, int] = Field(default_factory=dict)
    word: Literal["One", "Two"] = "One"
    only: Literal["One"] = "One"
    above: Annotated[int, Field(gt=0)] = 1


def properties() -> dict[str, Any]:
    found = structural_schema(Outer)["properties"]
    assert isinstance(found, dict)
    return found


def test_references_are_written_out_and_keep_the_fields_own_words() -> None:
    assert properties()["inner"]["properties"]["text"]["maxLength"] == 3
    assert properties()["inner"]["description"] == "Here."
    assert properties()["again"]["description"] == "There."
    assert properties()["many"]["items"]["properties"]["text"]["type"] == "string"


def test_an_optional_field_is_simply_not_required() -> None:
    assert properties()["again"]["type"] == "object"
    assert structural_schema(Outer)["required"] == ["inner"]


def test_maps_words_and_exclusive_bounds_are_said_as_openapi_3_does() -> None:
    assert properties()["table"]["additionalProperties"] == {"type": "integer"}
    assert properties()["word"]["enum"] == ["One", "Two"]
    assert properties()["only"]["enum"] == ["One"]
    assert (properties()["above"]["minimum"], properties()["above"]["exclusiveMinimum"]) == (0, True)


def test_defaults_are_in_the_schema() -> None:
    assert properties()["word"]["default"] == "One"
    assert "default" not in properties()["again"]


def test_a_union_of_objects_cannot_be_said() -> None:
    class Either(BaseModel):
        value: Inner | int

    with pytest.raises(NotStructural, match=r"Either\.value"):
        structural_schema(Either)


def test_anything_at_all_cannot_be_said() -> None:
    class Anything(BaseModel):
        value: Any

    with pytest.raises(NotStructural, match=r"Anything\.value"):
        structural_schema(Anything)
