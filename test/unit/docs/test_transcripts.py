"""What is written into a page when its answers are recorded."""

from pathlib import Path

import pytest

from support.pagerun import steps
from support.transcripts import record, without_what_varies

PAGE = """# A page

```console
$ kubectl get pods
NAME  AGE
$ kubectl scale aiworkload iris \\
    --replicas=2
```

Words between.

```sh
kubectl version
```

```console
$ kubectl delete pod a
```
"""


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("iris  True  5s", "iris  True  …"),
        ("AGE   FROM\n2m13s   aiop\n", "AGE   FROM\n…       aiop"),
        ("not ready for 19s; stuck at 23:11:19Z (in 9m)", "not ready for …; stuck at … (in …)"),
        ("  Cpu:  100m", "  Cpu:  100m"),
        ("Creation Timestamp:  2026-11-27T02:58:01Z", "Creation Timestamp:  …"),
        ("UID:  0872bf50-347e-4b3c-a809-e68abc1af229", "UID:  …"),
        ("  Resource Version:    759", "  Resource Version:    …"),
        ("svc/iris-860c77c807  10.96.0.17  80/TCP", "svc/iris-…           …           80/TCP"),
        ("pod/iris-860c77c807-6fdf4bfc5d-bwq94", "pod/iris-…"),
        ("http://iris.team-a.svc  v1.0.0  1/1  5.5s", "http://iris.team-a.svc  v1.0.0  1/1  5.5s"),
    ],
)
def test_what_another_run_would_answer_otherwise_is_left_out_and_nothing_else(answer: str, shown: str) -> None:
    assert without_what_varies(answer) == shown


def test_answers_stand_under_their_commands_and_the_rest_of_the_page_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    found = list(steps(str(page)))
    record(
        page, zip([each.block for each in found], [each.command for each in found], ["A\nB", "", "gone"], strict=True)
    )
    assert page.read_text() == PAGE.replace("NAME  AGE", "A\nB").replace("delete pod a", "delete pod a\ngone")
    assert [each.shown for each in steps(str(page))] == [("A", "B"), (), ("gone",)]
