from pathlib import Path

import pytest

from aiop.fetcher.environment import prepare, value_of
from aiop.fetcher.errors import Failed
from aiop.fetcher.settings import Settings, settings_from


def test_an_empty_environment_means_the_defaults() -> None:
    assert settings_from({}) == Settings(None, 100_000, 6, 8, Path("/dev/termination-log"))


def test_every_setting_can_be_set() -> None:
    environment = {
        "AIOP_MAX_BYTES": "1000",
        "AIOP_MAX_FILES": " 10\n",
        "AIOP_ATTEMPTS": "2",
        "AIOP_STREAMS": "3",
        "AIOP_TERMINATION_LOG": "/logs/last",
    }
    assert settings_from(environment) == Settings(1000, 10, 2, 3, Path("/logs/last"))


@pytest.mark.parametrize("value", ["0", "-1", "1Gi", "1.5", "many", "٣", "1" * 19])
@pytest.mark.parametrize("name", ["AIOP_MAX_BYTES", "AIOP_MAX_FILES", "AIOP_ATTEMPTS", "AIOP_STREAMS"])
def test_a_setting_that_is_no_number_above_zero_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(Failed, match=name):
        settings_from({name: value})


def test_line_breaks_of_pasted_secrets_are_dropped() -> None:
    environment = {"AWS_SECRET_ACCESS_KEY": "key\n", "HF_TOKEN": " token "}
    prepare(environment)
    assert (environment["AWS_SECRET_ACCESS_KEY"], environment["HF_TOKEN"]) == ("key", "token")


def test_the_nodes_identity_and_telemetry_are_off_unless_somebody_wants_them() -> None:
    environment = {"HF_HUB_DISABLE_XET": "0", "SSL_CERT_FILE": "/ca.pem", "AWS_CA_BUNDLE": "/other.pem"}
    prepare(environment)
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert environment["HF_HUB_DISABLE_XET"] == "0"
    assert environment["REQUESTS_CA_BUNDLE"] == "/ca.pem"
    assert environment["AWS_CA_BUNDLE"] == "/other.pem"


def test_the_first_variable_that_is_set_counts() -> None:
    assert value_of({"A": "", "B": "b", "C": "c"}, "A", "B", "C") == "b"
    assert value_of({}, "A") == ""
