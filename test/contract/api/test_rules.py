"""CEL rules: both servers come to the same verdict about the same text."""

import asyncio
from collections.abc import Sequence

import pytest

from contract.api.widgets import GROUP, WAITING_ROUNDS, WAITING_SECONDS
from support.raw_api import DEFINITIONS, RawAPI

# Joining and sorting lists are left out: their cost is over the real server's bound for a list of unknown length.
# (rule over a text, a text for which it holds, a text for which it does not)
RULES: Sequence[tuple[str, str, str]] = (
    ("size(self) == 3", "äöü", "four"),
    ("self.startsWith('s3://') && !self.endsWith('/')", "s3://bucket/key", "s3://bucket/"),
    ("self.matches('^[a-z]+$')", "abc", "Abc"),
    ("self.contains('needle')", "haystack with needle", "haystack"),
    ("self.charAt(1) == 'b'", "abc", "acb"),
    ("self.indexOf('b') == 1 && self.lastIndexOf('b') == 3", "abcb", "abcd"),
    ("self.lowerAscii() == 'abc'", "aBc", "xyz"),
    ("self.upperAscii() == 'ABC'", "aBc", "xyz"),
    ("self.replace('a', 'b') == 'bb'", "ab", "ac"),
    ("self.split('/')[1] == 'two'", "one/two", "one/three"),
    ("self.split('/').all(part, size(part) < 4)", "one/two", "three/four"),
    ("self.split(',', 2) == ['a', 'b,c']", "a,b,c", "a,b"),
    ("self.substring(1, 3) == 'bc'", "abcd", "axxd"),
    ("self.trim() == 'a'", " a ", " b "),
    ("self.find('[0-9]+') == '42'", "the answer 42", "no answer"),
    ("self.findAll('[0-9]').size() == 2", "a1b2", "a1"),
    ("isQuantity(self)", "1.5Gi", "1.5Gb"),
    ("isQuantity(self) && quantity(self).isGreaterThan(quantity('1Gi'))", "1025Mi", "1023Mi"),
    ("isQuantity(self) && quantity(self).isLessThan(quantity('1'))", "999m", "1000m"),
    ("isQuantity(self) && quantity(self).compareTo(quantity('1k')) == 0", "1e3", "1Ki"),
    ("isQuantity(self) && sign(quantity(self)) == -1", "-1", "1"),
    ("isQuantity(self) && quantity(self).add(quantity('1')) == quantity('3')", "2", "3"),
    ("isURL(self)", "https://example.com/a", "no url"),
    ("isURL(self) && url(self).getScheme() == 'https'", "https://example.com", "http://example.com"),
    ("isURL(self) && url(self).getHost() == 'example.com:8080'", "http://example.com:8080/", "http://example.com/"),
    ("isURL(self) && url(self).getHostname() == 'example.com'", "http://example.com:8080/", "http://example.org/"),
    ("isURL(self) && url(self).getPort() == '8080'", "http://example.com:8080/", "http://example.com/"),
    ("isURL(self) && url(self).getEscapedPath() == '/a/b'", "http://example.com/a/b", "http://example.com/a"),
    ("self in ['one', 'two']", "two", "three"),
    ("self == 'yes' ? true : size(self) > 5", "yes", "no"),
    ("int(self) % 2 == 0", "42", "43"),
)
_PLURAL = "riddles"


def field(number: int) -> str:
    return f"text{number}"


def definition() -> dict[str, object]:
    texts = {
        field(number): {
            "type": "string",
            "maxLength": 40,
            "x-kubernetes-validations": [{"rule": rule, "message": f"rule {number} is broken"}],
        }
        for number, (rule, _, _) in enumerate(RULES)
    }
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": texts}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": _PLURAL, "singular": "riddle", "kind": "Riddle", "listKind": "RiddleList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{_PLURAL}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


async def install(api: RawAPI) -> None:
    answer = await api.post(DEFINITIONS, definition())
    assert answer.status in {201, 409}, answer.body["message"]
    for _ in range(WAITING_ROUNDS):
        if (await api.get(f"/apis/{GROUP}/v1/{_PLURAL}")).status == 200:
            return
        await asyncio.sleep(WAITING_SECONDS)
    pytest.fail("the Riddle kind was never served")


def riddle(texts: dict[str, str]) -> dict[str, object]:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Riddle", "metadata": {"generateName": "riddle-"}, "spec": texts}


async def test_every_rule_holds_for_what_it_should_hold_for(api: RawAPI, namespace: str) -> None:
    await install(api)
    good = {field(number): holds for number, (_, holds, _) in enumerate(RULES)}
    answer = await api.post(f"/apis/{GROUP}/v1/namespaces/{namespace}/{_PLURAL}", riddle(good))
    assert answer.status == 201, answer.body["message"]


async def test_every_rule_names_the_field_that_breaks_it(api: RawAPI, namespace: str) -> None:
    await install(api)
    bad = {field(number): broken for number, (_, _, broken) in enumerate(RULES)}
    answer = await api.post(f"/apis/{GROUP}/v1/namespaces/{namespace}/{_PLURAL}", riddle(bad))
    assert answer.status == 422
    told = {cause["field"]: cause["message"] for cause in answer.body["details"]["causes"]}
    assert set(told) == {f"spec.{field(number)}" for number in range(len(RULES))}
    for number in range(len(RULES)):
        assert f"rule {number} is broken" in told[f"spec.{field(number)}"]
