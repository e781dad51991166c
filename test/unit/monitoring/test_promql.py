"""The reader of PromQL that other tests rely on."""

import pytest

from support.promql import Matcher, read


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("up", ["up"]),
        ("rate(a_total[5m])", ["a_total"]),
        ("sum by (x, y) (rate(a[5m])) / on (x) group_left (z) b:c:sum5m > 0.05", ["a", "b:c:sum5m"]),
        ("sum(a) by (x)", ["a"]),
        ("sum without (x) (a) and b unless on () c or d", ["a", "b", "c", "d"]),
        ('histogram_quantile(0.99, sum by (le) (rate(a_bucket{b="c"}[$__rate_interval])))', ["a_bucket"]),
        ("time() - max(a offset 5m) * 1e3 == bool 1", ["a"]),
        ('a{b="c, } d{", e!~"f|g"} # h\n+ i', ["a", "i"]),
        ("avg_over_time(a[1h:5m]) >= bool b", ["a", "b"]),
    ],
)
def test_metrics_are_found_and_nothing_else(expression: str, names: list[str]) -> None:
    assert [name for name, _ in read(expression).selectors] == names


def test_matchers_and_labels_are_found() -> None:
    query = read('sum by (x, y) (a{b="c", d!~"e|f"}) / on (z) group_left (w) g')
    assert query.selectors == (("a", (Matcher("b", "=", "c"), Matcher("d", "!~", "e|f"))), ("g", ()))
    assert query.labels == {"x", "y", "z", "w"}


@pytest.mark.parametrize(
    ("operator", "value", "admitted"),
    [("=", "a", {"a"}), ("!=", "a", {"b", "ab"}), ("=~", "a|b", {"a", "b"}), ("!~", "a.*", {"b"})],
)
def test_a_matcher_admits_what_prometheus_admits(operator: str, value: str, admitted: set[str]) -> None:
    matcher = Matcher("x", operator, value)
    assert {each for each in ("a", "b", "ab") if matcher.admits(each)} == admitted
