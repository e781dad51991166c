"""`aiop crds`."""

import pytest
import yaml

from aiop.api.crd import custom_resource_definitions
from aiop.cli.main import main


def test_what_is_printed_is_every_definition_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crds"]) == 0
    printed = list(yaml.safe_load_all(capsys.readouterr().out))
    assert printed == custom_resource_definitions()
    names = [each["metadata"]["name"] for each in printed]
    assert names == ["aiworkloads.geartickler.com", "servingruntimes.geartickler.com"]


def test_no_definition_is_shortened_by_references_of_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    main(["crds"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.strip().startswith(("&id", "*id")) or ": &id" in line] == []
