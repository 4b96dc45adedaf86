"""Scored pairs of the bundled set: same intent, same topic, neither."""

from __future__ import annotations

from itertools import combinations
from types import MappingProxyType
from typing import Literal

from workbench.data.desk.content import Language, Sentence, sentences
from workbench.data.desk.splits import Split, stable_rank
from workbench.data.input_example import InputExample

Relation = Literal["intent", "topic", "neither"]

# Three ranks. Rank correlations see their order alone; a regression on the cosine sees one half, which puts
# another need of the same topic as far from a paraphrase as from a stranger.
SCORES = MappingProxyType[Relation, float]({"intent": 1.0, "topic": 0.5, "neither": 0.0})


def scored_pairs(split: Split, language: Language = "en") -> list[InputExample]:
    """Pairs of sentences of one split with what they share as their score, a third of each kind.

    As many of each kind as the rarest has (mostly every pair of one intent), the others chosen by the hash of
    their texts, so that they are the same in every process. No sentence stands in two splits, hence no pair
    does. A sentence stands in several pairs, so an interval is wider than the number of pairs suggests.

    Returns:
        Examples of two texts and a label of ``SCORES``, the kinds mixed.

    Raises:
        UnknownNameError: A split or a language that is none.
    """
    kinds: dict[Relation, list[tuple[Sentence, Sentence]]] = {relation: [] for relation in SCORES}
    for first, second in combinations(sentences(split, language), 2):
        kinds[_relation(first, second)].append((first, second))
    count = min(len(pairs) for pairs in kinds.values())
    kept = [
        (SCORES[relation], *pair)
        for relation, pairs in kinds.items()
        for pair in sorted(pairs, key=_pair_rank)[:count]
    ]
    # A hash of its own: in that of the choice the commonest kind would stand first.
    kept.sort(key=lambda scored: stable_rank("order", scored[1].text, scored[2].text))
    return [
        InputExample(guid=f"{first.id}|{second.id}", texts=[first.text, second.text], label=score)
        for score, first, second in kept
    ]


def _relation(first: Sentence, second: Sentence) -> Relation:
    if first.intent == second.intent:
        return "intent"
    return "topic" if first.topic == second.topic else "neither"


def _pair_rank(pair: tuple[Sentence, Sentence]) -> bytes:
    return stable_rank(pair[0].text, pair[1].text)
