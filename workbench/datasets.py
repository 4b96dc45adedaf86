"""Data sets, loaders and batch samplers under the name the field knows."""

from __future__ import annotations

from workbench.data.batching.by_length import LengthBatchSampler
from workbench.data.batching.group_by_label import GroupByLabelBatchSampler
from workbench.data.batching.no_duplicates import NoDuplicatesBatchSampler
from workbench.data.batching.proportional import ProportionalBatchSampler
from workbench.data.batching.round_robin import RoundRobinBatchSampler
from workbench.data.datasets.denoising_auto_encoder import DenoisingAutoEncoderDataset
from workbench.data.datasets.no_duplicates import NoDuplicatesDataLoader
from workbench.data.datasets.parallel_sentences import ParallelSentencesDataset
from workbench.data.datasets.sentence_label import SentenceLabelDataset
from workbench.data.datasets.sentences import SentencesDataset

__all__ = [
    "DenoisingAutoEncoderDataset",
    "GroupByLabelBatchSampler",
    "LengthBatchSampler",
    "NoDuplicatesBatchSampler",
    "NoDuplicatesDataLoader",
    "ParallelSentencesDataset",
    "ProportionalBatchSampler",
    "RoundRobinBatchSampler",
    "SentenceLabelDataset",
    "SentencesDataset",
]
