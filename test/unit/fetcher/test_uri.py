import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiop.fetcher.errors import BadUri
from aiop.fetcher.uri import (
    AzureUri,
    BucketUri,
    HttpsUri,
    HubUri,
    ModelUri,
    OciUri,
    RegistryUri,
    parse_uri,
)

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://models/bert/v1", BucketUri("s3", "models", "bert/v1")),
        ("s3://models/bert/v1/", BucketUri("s3", "models", "bert/v1/")),
        ("s3://models", BucketUri("s3", "models", "")),
        ("gs://my_models/bert v2".replace(" ", "-"), BucketUri("gs", "my_models", "bert-v2")),
        ("azure://account/models/bert/v1", AzureUri("account", "models", "bert/v1")),
        ("azure://account/models", AzureUri("account", "models", "")),
        ("https://host/bert.onnx", HttpsUri("https://host/bert.onnx", "bert.onnx")),
        ("https://host:8443/a/my%20bert.tar.gz", HttpsUri("https://host:8443/a/my%20bert.tar.gz", "my bert.tar.gz")),
        ("https://[::1]:8443/bert.onnx", HttpsUri("https://[::1]:8443/bert.onnx", "bert.onnx")),
        ("hf://google-bert/bert-base-uncased", HubUri("google-bert/bert-base-uncased", "main")),
        ("hf://google-bert/bert-base-uncased@v1.0", HubUri("google-bert/bert-base-uncased", "v1.0")),
        ("hf://google-bert/bert-base-uncased:refs/pr/1", HubUri("google-bert/bert-base-uncased", "refs/pr/1")),
        ("oci://registry:5000/team/bert:v1", OciUri("registry:5000", "team/bert", "v1")),
        ("oci://registry/bert", OciUri("registry", "bert", "latest")),
        (f"oci://registry/team/bert@{DIGEST}", OciUri("registry", "team/bert", DIGEST)),
        (f"oci://registry/team/bert:v1@{DIGEST}", OciUri("registry", "team/bert", DIGEST)),
        ("models:/bert/3", RegistryUri("bert", "3", "")),
        ("models:/bert@champion", RegistryUri("bert", "", "champion")),
        ("models:/our bert/3", RegistryUri("our bert", "3", "")),
    ],
)
def test_a_uri_says_what_it_names(text: str, expected: ModelUri) -> None:
    assert parse_uri(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bert",
        "bert-base-uncased/v1",
        "file:///etc/passwd",
        "/etc/passwd",
        "http://host/bert.onnx",
        "ftp://host/bert.onnx",
        "pvc://models/bert",
        "s3:/models/bert",
        "s3://",
        "s3:///bert",
        "s3://models/../other",
        "s3://models/./bert",
        "s3://models/a//b",
        "s3://models/bert\nv1",
        "s3://models/bert v1",
        "s3://Models/bert",
        "azure://account",
        "azure://account/",
        "azure://Account/models/bert",
        "https://host",
        "https://host/",
        "https://host/models/",
        "https://host/%2e%2e",
        "https://host/a%2fb",
        "https:///bert.onnx",
        "https://[::1/bert.onnx",
        "https://host:port/bert.onnx",
        "hf://bert",
        "hf://google/bert/extra",
        "hf://google/bert@",
        "hf://google/bert@../..",
        "hf://google/bert@a b",
        "oci://registry",
        "oci://registry/Bert:v1",
        "oci://registry/bert@sha256:12",
        "oci://registry/bert:",
        "oci://registry/../v2/other:v1",
        "models:/bert",
        "models:/bert/Production",
        "models://bert/3",
        "models:/bert/../3",
        "models:/bert@",
        "models:/a/b/3",
        "models:/m-1234",
        "s3://" + "a" * 2048,
    ],
)
def test_what_names_nothing_that_is_fetched_is_refused_with_the_fix(text: str) -> None:
    with pytest.raises(BadUri) as refused:
        parse_uri(text)
    assert refused.value.exit_code == 2
    assert "must" in str(refused.value) or "write" in str(refused.value)


@pytest.mark.security(27, 28)
@pytest.mark.parametrize(
    "text",
    [
        "https://planted:secret@host/bert.onnx",
        "https://secret@host/bert.onnx",
        "s3://planted:secret@models/bert",
        "azure://secret@account/models/bert",
        "oci://planted:secret@registry/bert:v1",
        "https://host/bert.onnx?token=secret",
        "https://host/bert.onnx#secret",
        "azure://account/models/bert?sv=1&sig=secret",
        "hf://planted:secret@google/bert",
    ],
)
def test_a_uri_that_carries_a_credential_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(BadUri) as refused:
        parse_uri(text)
    assert "secret" not in str(refused.value)
    assert "planted" not in str(refused.value)


@given(
    st.text(max_size=80)
    | st.sampled_from(["s3", "https", "hf", "oci", "azure", "gs"]).flatmap(
        lambda scheme: st.text(max_size=60).map(lambda rest: f"{scheme}://{rest}")
    )
)
def test_any_text_is_parsed_or_refused_and_nothing_else(text: str) -> None:
    try:
        parsed = parse_uri(text)
    except BadUri:
        return
    assert ".." not in getattr(parsed, "path", "").split("/")
