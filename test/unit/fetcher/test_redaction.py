import base64
import json
import logging
from collections.abc import Mapping
from urllib.parse import quote

import pytest

from aiop.fetcher.redaction import Redactor, redacting_writer, redactor_of

DOCKER = {"auths": {"registry": {"auth": base64.b64encode(b"bob:dock3r-pass").decode()}}}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAPLANTED",
    "AWS_SECRET_ACCESS_KEY": "planted/aws+secret",
    "AWS_SESSION_TOKEN": "planted-session",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "planted-container",
    "GOOGLE_APPLICATION_CREDENTIALS_JSON": json.dumps(
        {"client_email": "bob@example.org", "private_key": "-----BEGIN-----\nplanted-google-key\n-----END-----\n"}
    ),
    "AZURE_STORAGE_CONNECTION_STRING": "AccountName=bob;AccountKey=planted-account-key==;EndpointSuffix=core.example",
    "AZURE_STORAGE_SAS_TOKEN": "sv=2024&sig=planted%2Bsignature",
    "AZURE_CLIENT_SECRET": "planted-client-secret",
    "HF_TOKEN": "hf_planted",
    ".dockerconfigjson": json.dumps(DOCKER),
    "HTTPS_AUTHORIZATION": "Bearer planted-bearer",
    "MLFLOW_TRACKING_URI": "https://bob:planted-userinfo@mlflow/",
    "MLFLOW_TRACKING_USERNAME": "bob",
    "MLFLOW_TRACKING_PASSWORD": "planted-mlflow\n",
    "A_SECRET_OF_THE_NAMESPACE": "planted-other",
}
PLANTED = [
    "AKIAPLANTED",
    "planted/aws+secret",
    "planted-session",
    "planted-container",
    "planted-google-key",
    "planted-account-key==",
    "planted%2Bsignature",
    "planted-client-secret",
    "hf_planted",
    "dock3r-pass",
    "bob:dock3r-pass",
    "planted-bearer",
    "planted-userinfo",
    "planted-mlflow",
    "planted-other",
]


@pytest.mark.parametrize("secret", PLANTED)
@pytest.mark.parametrize(
    "form",
    [
        "{0}",
        "Error: key={0}, denied",
        "https://host/path?X-Amz-Signature={0}&a=b",
        "https://user:{0}@host/path",
        "{{'Authorization': '{0}'}}",
    ],
)
def test_no_planted_secret_survives_in_any_text(secret: str, form: str) -> None:
    assert secret not in redactor_of(ENVIRONMENT).redact(form.format(secret))


@pytest.mark.parametrize("secret", PLANTED)
def test_a_secret_is_known_in_the_forms_in_which_libraries_repeat_it(secret: str) -> None:
    redactor = redactor_of(ENVIRONMENT)
    for form in (quote(secret, safe=""), base64.b64encode(secret.encode()).decode(), json.dumps(secret), repr(secret)):
        assert form not in redactor.redact(f"got {form} back")


def test_the_header_of_a_user_and_a_password_is_known() -> None:
    header = base64.b64encode(b"bob:planted-mlflow").decode()
    assert header not in redactor_of(ENVIRONMENT).redact(f"Authorization: Basic {header}")


def test_a_url_loses_its_user_and_its_query_and_stays_readable() -> None:
    redacted = Redactor([]).redact("GET https://bob:pw@host/bucket/key?X-Amz-Signature=abc failed")
    assert redacted == "GET https://host/bucket/key?[redacted] failed"


def test_ordinary_words_stay() -> None:
    text = "The model has 12 files with 4.2 GB; 80.1 GB are free. s3://models/bert hf://google/bert@main"
    assert redactor_of(ENVIRONMENT).redact(text) == text


@pytest.mark.parametrize("environment", [{"SORT_KEY": "1"}, {"HF_TOKEN": ""}, {"AWS_ROLE_TOKEN_FILE": "/var/run"}, {}])
def test_values_that_protect_nothing_blank_nothing(environment: Mapping[str, str]) -> None:
    assert redactor_of(environment).redact("1 file in /var/run") == "1 file in /var/run"


def test_a_short_secret_is_blanked_where_it_stands_alone() -> None:
    redactor = Redactor(["abcd"])
    assert redactor.redact("password abcd, but abcdefg") == "password [redacted], but abcdefg"


def test_the_longest_secret_wins_over_its_own_parts() -> None:
    assert Redactor(["secret", "secret-and-more"]).redact("secret-and-more") == "[redacted]"


@pytest.mark.security(28)
def test_what_is_written_is_one_line_without_secrets() -> None:
    lines: list[str] = []
    redacting_writer(lines.append, Redactor(["hf_planted"]))("token\nhf_planted")
    assert lines == ["token [redacted]\n"]


def test_a_redactor_does_not_show_what_it_hides(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("%r %s", Redactor(["hf_planted"]), redactor_of(ENVIRONMENT))
    assert "planted" not in caplog.text
