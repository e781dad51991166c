import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiop.fetcher.errors import Failed
from aiop.fetcher.names import check_together, checked_name


@pytest.mark.parametrize("name", ["config.json", "onnx/model.onnx", ".gitattributes", "a b/ü.bin", "..a/b..", "a/.b"])
def test_an_ordinary_name_stays_as_it_is(name: str) -> None:
    assert checked_name(name) == name


def test_the_leading_dot_of_archives_is_dropped() -> None:
    assert checked_name("./model.onnx") == "model.onnx"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "/etc/passwd",
        "../escape",
        "a/../../escape",
        "a/..",
        "a/./b",
        "a//b",
        "a/",
        "./../escape",
        ".//etc/passwd",
        "a\\..\\b",
        "a\0b",
        "a\nb",
        "a\x1b[31mb",
        "\u202egnp.exe",
        "\udcff",
        "a" * 241,
        "ü" * 121,
        "a/" * 64 + "b",
        "/".join(["b" * 200] * 11),
        ".aiop-fetch",
        ".aiop-fetch/list.json",
        "./.aiop-fetch/list.json",
    ],
)
def test_a_hostile_name_is_refused_in_harmless_words(name: str) -> None:
    with pytest.raises(Failed) as refused:
        checked_name(name)
    assert str(refused.value).isprintable()
    assert str(refused.value).isascii()


@given(st.text(max_size=40))
def test_whatever_passes_stays_below_its_folder(name: str) -> None:
    try:
        passed = checked_name(name)
    except Failed:
        return
    assert not passed.startswith("/")
    assert not {"", ".", ".."} & set(passed.split("/"))


@pytest.mark.parametrize("names", [("a", "a"), ("a", "a/b"), ("a/b/c", "a/b"), ("a/b/c/d", "a/b")])
def test_two_files_cannot_have_one_place(names: tuple[str, ...]) -> None:
    with pytest.raises(Failed):
        check_together(names)


def test_files_beside_each_other_have_their_places() -> None:
    check_together(["a/b", "a/c", "ab", "a.b"])
