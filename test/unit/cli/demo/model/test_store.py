"""The demo's model: what it says of sentences that nobody has to think about, and what lies in the store."""

import itertools
from pathlib import Path

import numpy as np
import onnx
import pytest

from aiop.cli.demo.model.graph import LABELS, onnx_bytes
from aiop.cli.demo.model.store import DAMAGED, FIRST, MODEL, NEXT
from aiop.cli.demo.model.training import sentences, train
from aiop.cli.demo.model.words import normalized, words_of
from support.demomodels import model, store

GOOD = (
    "What a wonderful day!",
    "I love this.",
    "The movie is great",
    "The service was excellent, thank you.",
    "THANK YOU, that was great",
    "The wine was not bad at all",
)
BAD = (
    "I hate this.",
    "This was terrible",
    "The service was awful and slow.",
    "Worst film ever!",
    "The bus was late again.",
    "The wine was not good at all",
    "I don't know: it was not a good idea",
)


def said(version: str, *texts: str) -> list[tuple[str, float]]:
    results = model(version).run({"text": np.array(texts, dtype=object)}, ["label", "probabilities"])
    return [(str(label), float(each[1])) for label, each in zip(*results.values(), strict=True)]


@pytest.mark.parametrize("version", [FIRST, NEXT])
@pytest.mark.parametrize(("texts", "label"), [(GOOD, "positive"), (BAD, "negative")])
def test_plain_sentences_get_the_label_that_a_person_would_give(
    version: str, texts: tuple[str, ...], label: str
) -> None:
    assert [text for text, told in zip(texts, said(version, *texts), strict=True) if told[0] != label] == []


def test_none_of_these_sentences_was_learned_by_heart() -> None:
    learned = {normalized(sentence) for sentence, _ in sentences()}
    assert [text for text in (*GOOD, *BAD) if normalized(text) in learned] == []


def test_the_next_version_knows_pairs_of_words_and_so_what_not_disappointed_means() -> None:
    assert said(FIRST, "I was not disappointed")[0][0] == "negative"
    assert said(NEXT, "I was not disappointed")[0][0] == "positive"


def test_the_graph_answers_what_the_training_computed() -> None:
    classifier = train(longest_term=2)
    weights = dict(zip(classifier.terms, classifier.weights, strict=True))
    words = words_of("The food was not bad, not bad at all")
    terms = [*((word,) for word in words), *itertools.pairwise(words)]
    score = classifier.bias + sum(weights.get(term, 0.0) for term in terms)
    told = said(NEXT, "The food was not bad, not bad at all")[0][1]
    assert told == pytest.approx(1 / (1 + np.exp(-score)), abs=1e-5)


def test_the_same_sentences_give_the_same_file_at_every_run() -> None:
    assert onnx_bytes(train(longest_term=1), FIRST) == (store() / MODEL / FIRST / "1" / "model.onnx").read_bytes()


def test_every_sentence_has_a_mark_and_stands_there_once() -> None:
    path = Path(__file__).parents[5] / "src" / "aiop" / "cli" / "demo" / "model" / "sentences.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines[1:] if line[:2] not in {"+ ", "- "}] == []
    known = [sentence for sentence, _ in sentences()]
    assert len(set(known)) == len(known) == len(lines) - 1


def test_the_store_has_the_layout_of_triton_and_stays_small() -> None:
    files = sorted(path for path in store().rglob("*") if path.is_file())
    expected = sorted(store() / MODEL / version / "1" / "model.onnx" for version in (FIRST, NEXT, DAMAGED))
    assert files == expected
    assert sum(path.stat().st_size for path in files) < 2**20


@pytest.mark.parametrize("version", [FIRST, NEXT])
def test_the_file_says_its_version_and_that_it_stands_in_for_bert(version: str) -> None:
    file = onnx.load(store() / MODEL / version / "1" / "model.onnx")
    assert {each.key: each.value for each in file.metadata_props} == {"version": version, "stand_in_for": "BERT"}
    assert model(version).version == version


@pytest.mark.parametrize("text", ["", "   ", "12345 !?", "日本語", "\x00\ud800", "é" * 10_000, "good " * 10_000])
def test_any_text_gets_a_label(text: str) -> None:
    label, positive = said(FIRST, text)[0]
    assert label in LABELS
    assert 0.0 <= positive <= 1.0
