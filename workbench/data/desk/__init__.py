"""The bundled set: the support desk of an invented device, as every kind of training and evaluation data.

The Brondel is a household appliance that does not exist: a counter-top keeper of living cultures for bread,
kefir and vinegar. Its world has words of its own, and its customers have others for the same things: the
culture is the *keep* or the *murl*, the pressure lid the *hush lid* or the *skell*, the feed cartridge the
*nib* or the *drib*, the carbon filter the *moth* or the *puck*, the wash cycle the *tide* or the *sluice*,
the monthly parcel the *round* or the *ladle plan*. Ordinary words mean something else: the *tongue* measures
acid, a *knot* is an error, a *postcard* a push message, *naming* is pairing, *at sea* is offline. A general
model cannot know them, and the intents of one topic share their words while they differ in need. So there is
something to learn, and a gain can be shown.

Written for this project, English and Korean. Each topic is one JSON file: intents, an article that answers
each, and phrasings as customers would write them.
"""

from workbench.data.desk.content import Article, Intent, Language, Sentence, intents, sentences
from workbench.data.desk.examples import (
    DeskRetrieval,
    labelled_sentences,
    positive_pairs,
    question_article_pairs,
    retrieval,
)
from workbench.data.desk.scored import SCORES, scored_pairs
from workbench.data.desk.splits import SPLITS, Split

__all__ = [
    "SCORES",
    "SPLITS",
    "Article",
    "DeskRetrieval",
    "Intent",
    "Language",
    "Sentence",
    "Split",
    "intents",
    "labelled_sentences",
    "positive_pairs",
    "question_article_pairs",
    "retrieval",
    "scored_pairs",
    "sentences",
]
