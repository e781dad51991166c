"""Lines come out whole, however the network cuts them."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from aiop.runtime.client.watchlines import LineFramer


def fed(*chunks: bytes) -> tuple[list[bytes], bool]:
    framer = LineFramer()
    return [line for chunk in chunks for line in framer.feed(chunk)], framer.incomplete


def test_a_line_cut_in_the_middle_comes_out_whole() -> None:
    assert fed(b'{"type":"AD', b'DED"}\n') == ([b'{"type":"ADDED"}'], False)


def test_a_character_cut_in_the_middle_comes_out_whole() -> None:
    line = '{"name":"prüfung"}\n'.encode()
    middle = line.index("ü".encode()) + 1
    assert fed(line[:middle], line[middle:]) == ([line[:-1]], False)


def test_many_lines_in_one_chunk_come_out_in_order() -> None:
    assert fed(b"one\ntwo\nthree\nfo", b"ur\n") == ([b"one", b"two", b"three", b"four"], False)


def test_a_line_of_more_than_any_objects_size_comes_out_whole() -> None:
    line = b"x" * (3 * 2**19 + 7)
    pieces = [line[start : start + 2**16] for start in range(0, len(line), 2**16)]
    assert fed(*pieces, b"\nnext\n") == ([line, b"next"], False)


def test_empty_lines_and_empty_chunks_are_left_out() -> None:
    assert fed(b"\n\n", b"", b"a\n\nb\n", b"\n") == ([b"a", b"b"], False)


def test_a_line_without_its_end_is_kept_and_told() -> None:
    assert fed(b"one\ntw") == ([b"one"], True)


def test_a_line_end_that_comes_alone_ends_the_line() -> None:
    assert fed(b"one", b"\n") == ([b"one"], False)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=8).map(lambda text: text.replace(b"\n", b"")), max_size=8), st.data())
def test_any_cut_gives_the_same_lines(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=6)) | {0, len(whole)})
    chunks = [whole[start:end] for start, end in pairwise(cuts)]
    assert fed(*chunks) == ([line for line in lines if line], False)
