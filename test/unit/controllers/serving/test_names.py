import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiop.controllers.serving.names import pod_selector, revision_labels, revision_name

workloads = st.from_regex(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
long_ones = st.text("ab-", min_size=40, max_size=61).map(lambda middle: f"a{middle}z")
hashes = st.text("0123456789abcdef", min_size=10, max_size=10)
every = st.one_of(workloads, long_ones)


@pytest.mark.security(25)
@given(every, hashes)
def test_a_derived_name_is_a_service_name(workload: str, digest: str) -> None:
    name = revision_name(workload, digest)
    assert len(name) <= 63
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name)


@pytest.mark.security(25)
@given(st.sets(st.tuples(every, hashes), max_size=20))
def test_no_two_revisions_share_a_name(pairs: set[tuple[str, str]]) -> None:
    assert len({revision_name(*pair) for pair in pairs}) == len(pairs)


@pytest.mark.security(25)
@given(long_ones, hashes)
def test_a_workload_named_like_the_shortened_name_of_another_does_not_meet_it(workload: str, digest: str) -> None:
    shortened = revision_name(workload, digest).rpartition("-")[0]
    if shortened != workload:
        assert revision_name(shortened, digest) != revision_name(workload, digest)


def test_the_hash_can_be_read_back_from_every_name() -> None:
    for length in range(1, 64):
        assert revision_name("a" * length, "0123456789").rpartition("-")[2] == "0123456789"


@given(every, hashes)
def test_labels_fit_and_the_stable_service_selects_every_revision(workload: str, digest: str) -> None:
    labels = revision_labels(workload, digest)
    assert all(len(value) <= 63 for value in labels.values())
    assert pod_selector(workload).items() <= labels.items()
