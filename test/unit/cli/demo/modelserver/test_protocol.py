"""The V2 protocol and its plain sister, against bodies that people and machines send, right and wrong."""

import io
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from aiop.cli.demo.modelserver.app import application
from aiop.cli.demo.modelserver.model import Model
from support.demomodels import model

MODEL = "/v2/models/bert-base-uncased"
INFER = f"{MODEL}/infer"
TEXT = {"name": "text", "shape": [2], "datatype": "BYTES", "data": ["I hate it", "I love it"]}

Client = TestClient[Any, Any]


@pytest.fixture(scope="session")
def loaded() -> Model:
    """Outside the event loop: making and loading it takes a while."""
    return model()


@pytest.fixture
async def client(loaded: Model) -> AsyncIterator[Client]:
    with ThreadPoolExecutor(1) as executor:
        async with TestClient(TestServer(application(loaded, executor))) as client:
            yield client


async def posted(client: Client, body: Any, path: str = INFER) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with client.post(path, data=io.BytesIO(data)) as response:
        return response.status, await response.json()


async def got(client: Client, path: str) -> tuple[int, Any]:
    async with client.get(path) as response:
        return response.status, await response.json()


async def test_it_says_what_it_is_and_that_it_lives(client: Client) -> None:
    assert await got(client, "/v2") == (200, {"name": "aiop-demo", "version": "1", "extensions": []})
    assert await got(client, "/v2/health/live") == (200, {"live": True})
    assert await got(client, "/v2/health/ready") == (200, {"ready": True})


@pytest.mark.parametrize("path", [MODEL, f"{MODEL}/versions/1"])
async def test_it_says_what_its_model_takes_and_gives(client: Client, path: str) -> None:
    status, said = await got(client, path)
    assert (status, said["name"], said["versions"]) == (200, "bert-base-uncased", ["1"])
    assert said["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert said["outputs"] == [
        {"name": "label", "datatype": "BYTES", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]},
    ]
    assert await got(client, f"{path}/ready") == (200, {"name": "bert-base-uncased", "ready": True})


@pytest.mark.parametrize("path", ["/v2/models/gpt", f"{MODEL}/versions/2", f"{MODEL}/versions/2/ready"])
async def test_a_model_that_is_not_here_is_not_found(client: Client, path: str) -> None:
    status, said = await got(client, path)
    assert status == 404
    assert said["error"].startswith("unknown model")
    assert (await posted(client, {"text": "a"}, "/v2/models/gpt/infer"))[0] == 404


async def test_a_request_of_tensors_is_answered_by_tensors(client: Client) -> None:
    status, said = await posted(client, {"id": "42", "inputs": [TEXT]})
    assert status == 200
    assert (said["model_name"], said["model_version"], said["id"]) == ("bert-base-uncased", "1", "42")
    label, probabilities = said["outputs"]
    assert label == {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["negative", "positive"]}
    assert (probabilities["datatype"], probabilities["shape"]) == ("FP32", [2, 2])
    first, second = probabilities["data"][:2], probabilities["data"][2:]
    assert (sum(first), sum(second)) == (pytest.approx(1.0), pytest.approx(1.0))
    assert first[0] > 0.5 > second[0]


async def test_only_the_outputs_that_are_asked_for_come_back(client: Client) -> None:
    _, said = await posted(client, {"inputs": [TEXT], "outputs": [{"name": "label"}]})
    assert [each["name"] for each in said["outputs"]] == ["label"]
    assert "id" not in said


async def test_data_may_not_be_nested_deeper_than_its_shape(client: Client) -> None:
    status, said = await posted(client, {"inputs": [TEXT | {"shape": [1], "data": [["I hate it"]]}]})
    assert (status, said["error"]) == (400, "input 'text': element 0 of data is no string")


async def test_a_plain_text_is_answered_plainly(client: Client) -> None:
    status, said = await posted(client, {"text": "I love it"})
    assert (status, said["model"], said["version"], said["label"]) == (200, "bert-base-uncased", "v1.0.0", "positive")
    assert 0.5 < said["score"] <= 1.0


async def test_a_list_of_texts_is_answered_one_by_one(client: Client) -> None:
    status, said = await posted(client, {"text": ["I hate it", "I love it"]})
    assert status == 200
    assert [each["label"] for each in said["predictions"]] == ["negative", "positive"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the body is no JSON"),
        (b"text=hello", "the body is no JSON"),
        (b"\xff\xfe", "the body is no JSON"),
        (b"[" * 100_000, "the body is no JSON"),
        (b'{"text": NaN}', "the body is no JSON"),
        ([], "must be a JSON object"),
        ("text", "must be a JSON object"),
        ({}, "neither inputs (the V2 protocol) nor text"),
        ({"instances": ["a"]}, "neither inputs (the V2 protocol) nor text"),
        ({"text": 1}, "text must be a string, or a list of strings"),
        ({"text": []}, "text must be a string, or a list of strings"),
        ({"text": ["a", None]}, "text must be a string, or a list of strings"),
        ({"inputs": None}, "inputs must be a list of objects with a name"),
        ({"inputs": ["text"]}, "inputs must be a list of objects with a name"),
        ({"inputs": [{"shape": [1]}]}, "inputs must be a list of objects with a name"),
        ({"inputs": []}, "input 'text' is missing"),
        ({"inputs": [TEXT, TEXT | {"name": "mask"}]}, "unexpected input 'mask'; the model has text"),
        ({"inputs": [TEXT | {"datatype": "FP32"}]}, "input 'text': datatype is 'FP32'; send BYTES"),
        ({"inputs": [TEXT | {"shape": None}]}, "shape must be a list of whole numbers"),
        ({"inputs": [TEXT | {"shape": [True]}]}, "shape must be a list of whole numbers"),
        ({"inputs": [TEXT | {"shape": [-1]}]}, "shape must be a list of whole numbers"),
        ({"inputs": [TEXT | {"shape": [2, 1]}]}, "shape is [2, 1]; the model takes [-1]"),
        ({"inputs": [TEXT | {"shape": [3]}]}, "shape [3] wants 3 elements, and data has 2"),
        ({"inputs": [TEXT | {"shape": [10**30]}]}, "wants"),
        ({"inputs": [TEXT | {"shape": [0], "data": []}]}, "the model cannot answer that"),
        ({"inputs": [TEXT | {"data": "I hate it"}]}, "data must be a list"),
        ({"inputs": [TEXT | {"data": ["a", 1]}]}, "element 1 of data is no string"),
        ({"inputs": [TEXT | {"parameters": {"binary_data_size": 9}}]}, "binary data is not taken here"),
        ({"inputs": [TEXT], "outputs": "label"}, "outputs must be a list of objects with a name"),
        ({"inputs": [TEXT], "outputs": [{"name": "logits"}]}, "unexpected output 'logits'; the model has label"),
    ],
)
async def test_a_body_that_makes_no_sense_is_refused_with_the_field_and_the_fix(
    client: Client, body: Any, words: str
) -> None:
    status, said = await posted(client, body)
    assert status == 400
    assert words in said["error"]


async def test_an_odd_id_or_odd_parameters_change_nothing(client: Client) -> None:
    status, said = await posted(client, {"id": 42, "inputs": [TEXT | {"parameters": None}], "outputs": None})
    assert status == 200
    assert "id" not in said


async def test_what_is_too_large_or_asked_otherwise_is_refused_in_the_protocols_form(client: Client) -> None:
    status, said = await posted(client, {"text": "a" * 2**20})
    assert (status, "error" in said) == (413, True)
    assert (await got(client, INFER))[0] == 405
    assert await got(client, "/nowhere") == (404, {"error": "404: Not Found"})
