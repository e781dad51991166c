"""What can be meant by the words after `aiop explain`."""

import argparse

import pytest

from aiop.api.resources import AIWORKLOADS
from aiop.cli.explain.kinds import EXPLAINED
from aiop.cli.explain.target import Target, target_of

KINDS = list(EXPLAINED)


@pytest.mark.parametrize(
    "words",
    [
        ("aiworkload/a",),
        ("aiworkload", "a"),
        ("aiworkloads", "a"),
        ("AIWorkload", "a"),
        ("aiw/a",),
        ("aiworkloads.geartickler.com", "a"),
        ("aiworkloads.v1alpha1.geartickler.com/a",),
    ],
)
def test_an_object_is_named_as_kubectl_takes_names(words: tuple[str, ...]) -> None:
    assert target_of(words, KINDS) == Target(AIWORKLOADS, "a")


@pytest.mark.parametrize(
    ("words", "names", "fix"),
    [
        (("a",), "'a' is no object", "like aiworkload/bert-sentiment"),
        (("aiw", "a", "b"), "'aiw a b' is no object", "TYPE/NAME or TYPE NAME"),
        (("aiw/a/b",), "'aiw/a/b' is no object", "TYPE/NAME or TYPE NAME"),
        (("aiw/a", "b"), "'aiw/a b' is no object", "TYPE/NAME or TYPE NAME"),
        (("pod/a",), "TYPE 'pod'", "give one of aiworkload"),
        (("/a",), "TYPE ''", "give one of aiworkload"),
        (("aiw/",), "NAME ''", "lower-case letters"),
        (("aiw/..",), "NAME '..'", "lower-case letters"),
        (("aiw", "A"), "NAME 'A'", "lower-case letters"),
        (("aiw", "a\x1b[31m"), r"NAME 'a\x1b[31m'", "lower-case letters"),
    ],
)
def test_what_is_no_object_is_named_with_what_would_do(words: tuple[str, ...], names: str, fix: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        target_of(words, KINDS)
    assert names in str(caught.value)
    assert fix in str(caught.value)
