"""Each alert fires when it should, says what it should, and is quiet again afterwards."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.alertcases import BUILD, OPERATOR_CASES, QUIET_CASES, WORKLOAD_CASES, AlertCase, always
from support.promtool import RULES, alerts, promtool, rules, run_rule_tests, shown

ROOT = Path(__file__).parents[3]
RUNBOOKS = ROOT / "docs" / "runbooks"
CASES = (*OPERATOR_CASES, *WORKLOAD_CASES)
RUNBOOK_PARTS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]


def rule_test(series: Mapping[str, str], *looks: Mapping[str, Any]) -> dict[str, Any]:
    known = {BUILD: always(1), **series}
    written = [{"series": name, "values": values} for name, values in known.items()]
    return {"interval": "1m", "input_series": written, "alert_rule_test": list(looks)}


def look(alert: str, minute: int, *expected: Mapping[str, Any]) -> dict[str, Any]:
    return {"alertname": alert, "eval_time": f"{minute}m", "exp_alerts": list(expected)}


def expected(case: AlertCase) -> dict[str, Any]:
    rule = alerts()[case.alert]
    said = {name: shown(text, case.labels, case.value) for name, text in rule["annotations"].items()}
    return {"exp_labels": {**rule["labels"], **case.labels}, "exp_annotations": said}


def test_promtool_accepts_the_rules() -> None:
    done = promtool("check", "rules", *(str(path) for path in sorted(RULES.glob("*.yaml"))))
    assert done.returncode == 0, done.stderr
    assert "SUCCESS" in done.stdout


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_fires_and_resolves(case: AlertCase, tmp_path: Path) -> None:
    looks = [look(case.alert, case.fires, expected(case)), *(look(case.alert, minute) for minute in case.quiet)]
    run_rule_tests([rule_test(case.series, *looks)], tmp_path)


@pytest.mark.parametrize(("alert", "series", "minute"), QUIET_CASES, ids=lambda value: str(value)[:40])
def test_an_alert_is_quiet_about_what_is_no_fault(
    alert: str, series: Mapping[str, str], minute: int, tmp_path: Path
) -> None:
    run_rule_tests([rule_test(series, look(alert, minute))], tmp_path)


def test_every_alert_has_a_case_that_fires_and_one_that_resolves() -> None:
    assert {case.alert for case in CASES} == set(alerts())
    for case in CASES:
        assert min(case.quiet) < case.fires < max(case.quiet)


@pytest.mark.parametrize("name", sorted(alerts()))
def test_an_alert_has_what_its_reader_needs(name: str) -> None:
    rule = alerts()[name]
    assert name.startswith("Aiop")
    assert rule["labels"] == {"severity": rule["labels"]["severity"]}
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["for"]
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"].endswith(f"/docs/runbooks/{name}.md")
    assert rule["annotations"]["summary"].endswith(".")
    assert "$" not in rule["annotations"]["summary"], "a summary is the same for all, so that it groups"


def test_names_of_rules_are_unique() -> None:
    names = [rule.get("alert") or rule["record"] for rule in rules()]
    assert len(names) == len(set(names))


def test_every_alert_has_a_runbook_page_and_every_page_an_alert() -> None:
    pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert pages == set(alerts())


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("Aiop*.md")), ids=lambda path: path.stem)
def test_a_runbook_says_meaning_impact_diagnosis_and_mitigation(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"# {path.stem}"
    assert [line.removeprefix("## ") for line in lines if line.startswith("## ")] == RUNBOOK_PARTS
