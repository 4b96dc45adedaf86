"""Evaluators, one a file: a model in, a dict of metrics out, under the names the field knows."""

from workbench.evaluation.binary_classification import BinaryClassificationEvaluator
from workbench.evaluation.embedding_similarity import EmbeddingSimilarityEvaluator
from workbench.evaluation.evaluator import SentenceEvaluator
from workbench.evaluation.information_retrieval import InformationRetrievalEvaluator
from workbench.evaluation.label_accuracy import LabelAccuracyEvaluator
from workbench.evaluation.leakage import Leakage, leakage
from workbench.evaluation.mse import MSEEvaluator
from workbench.evaluation.mse_from_dataframe import MSEEvaluatorFromDataFrame
from workbench.evaluation.nano_beir import NanoBEIREvaluator
from workbench.evaluation.paraphrase_mining import ParaphraseMiningEvaluator
from workbench.evaluation.reranking import RerankingEvaluator
from workbench.evaluation.sequential import SequentialEvaluator
from workbench.evaluation.translation import TranslationEvaluator
from workbench.evaluation.triplet import TripletEvaluator
from workbench.util.similarity import SimilarityFunction

__all__ = [
    "BinaryClassificationEvaluator",
    "EmbeddingSimilarityEvaluator",
    "InformationRetrievalEvaluator",
    "LabelAccuracyEvaluator",
    "Leakage",
    "MSEEvaluator",
    "MSEEvaluatorFromDataFrame",
    "NanoBEIREvaluator",
    "ParaphraseMiningEvaluator",
    "RerankingEvaluator",
    "SentenceEvaluator",
    "SequentialEvaluator",
    "SimilarityFunction",
    "TranslationEvaluator",
    "TripletEvaluator",
    "leakage",
]
