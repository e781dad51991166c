"""Learns which words make a sentence positive: a logistic regression on how often each of them stands in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aiop.cli.demo.model.words import words_of

_SENTENCES = Path(__file__).with_name("sentences.txt")
# Full-batch gradient descent on two hundred sentences: after this many steps nothing moves any more that matters.
_STEPS = 1500
_RATE = 5.0
# Keeps the weight of a word small that stands in one sentence only.
_PENALTY = 0.0002

Floats = NDArray[np.float64]
Term = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Classifier:
    """``weights`` has one number for each of ``terms`` (a word, or two in a row); above zero speaks for positive."""

    terms: tuple[Term, ...]
    weights: tuple[float, ...]
    bias: float


def sentences() -> Iterator[tuple[str, bool]]:
    """The committed sentences, each with whether it is positive."""
    for line in _SENTENCES.read_text(encoding="utf-8").splitlines():
        mark, _, sentence = line.partition(" ")
        if mark in {"+", "-"}:
            yield sentence, mark == "+"


def train(*, longest_term: int) -> Classifier:
    """The classifier of single words (``longest_term`` 1), or of pairs of words too (2); the same at every run."""
    known = list(sentences())
    terms = sorted({term for sentence, _ in known for term in _terms_of(sentence, longest_term)})
    counts = np.array([_counts(sentence, terms, longest_term) for sentence, _ in known])
    positive = np.array([float(each) for _, each in known])
    weights, bias = _descend(counts, positive)
    return Classifier(tuple(terms), tuple(float(each) for each in weights), bias)


def _descend(counts: Floats, positive: Floats) -> tuple[Floats, float]:
    weights, bias = np.zeros(counts.shape[1]), 0.0
    for _ in range(_STEPS):
        wrong_by = 1.0 / (1.0 + np.exp(-(counts @ weights + bias))) - positive
        weights -= _RATE * (counts.T @ wrong_by / len(positive) + _PENALTY * weights)
        bias -= _RATE * float(wrong_by.mean())
    return weights, bias


def _counts(sentence: str, terms: Sequence[Term], longest: int) -> list[float]:
    found = _terms_of(sentence, longest)
    return [float(found.count(term)) for term in terms]


def _terms_of(sentence: str, longest: int) -> list[Term]:
    words = words_of(sentence)
    return [tuple(words[at : at + size]) for size in range(1, longest + 1) for at in range(len(words) - size + 1)]
