"""The losses: what a model is trained towards, one a file, under the names the field knows."""

from __future__ import annotations

from torch import nn

from workbench.losses.adaptive_layer import AdaptiveLayerLoss
from workbench.losses.angle import AnglELoss
from workbench.losses.batch_all_triplet import BatchAllTripletLoss
from workbench.losses.batch_hard_soft_margin_triplet import BatchHardSoftMarginTripletLoss
from workbench.losses.batch_hard_triplet import BatchHardTripletLoss, BatchHardTripletLossDistanceFunction
from workbench.losses.batch_semi_hard_triplet import BatchSemiHardTripletLoss
from workbench.losses.cached_gist_embed import CachedGISTEmbedLoss
from workbench.losses.cached_multiple_negatives_ranking import CachedMultipleNegativesRankingLoss
from workbench.losses.cached_multiple_negatives_symmetric_ranking import (
    CachedMultipleNegativesSymmetricRankingLoss,
)
from workbench.losses.contrastive import ContrastiveLoss, SiameseDistanceMetric
from workbench.losses.contrastive_tension import (
    ContrastiveTensionDataLoader,
    ContrastiveTensionLoss,
    ContrastiveTensionLossInBatchNegatives,
)
from workbench.losses.cosent import CoSENTLoss
from workbench.losses.cosine_similarity import CosineSimilarityLoss
from workbench.losses.denoising_auto_encoder import DenoisingAutoEncoderLoss
from workbench.losses.distill_kl_div import DistillKLDivLoss
from workbench.losses.gist_embed import GISTEmbedLoss
from workbench.losses.margin_mse import MarginMSELoss
from workbench.losses.matryoshka import MatryoshkaLoss
from workbench.losses.matryoshka_2d import Matryoshka2dLoss
from workbench.losses.mega_batch_margin import MegaBatchMarginLoss
from workbench.losses.mse import MSELoss
from workbench.losses.multiple_negatives_ranking import MultipleNegativesRankingLoss
from workbench.losses.multiple_negatives_symmetric_ranking import MultipleNegativesSymmetricRankingLoss
from workbench.losses.needs import DataNeeds, nothing_to_learn
from workbench.losses.online_contrastive import OnlineContrastiveLoss
from workbench.losses.softmax import SoftmaxLoss
from workbench.losses.triplet import TripletDistanceMetric, TripletLoss

LOSSES: dict[str, type[nn.Module]] = {
    "CosineSimilarityLoss": CosineSimilarityLoss,
    "CoSENTLoss": CoSENTLoss,
    "AnglELoss": AnglELoss,
    "MultipleNegativesRankingLoss": MultipleNegativesRankingLoss,
    "MultipleNegativesSymmetricRankingLoss": MultipleNegativesSymmetricRankingLoss,
    "CachedMultipleNegativesRankingLoss": CachedMultipleNegativesRankingLoss,
    "CachedMultipleNegativesSymmetricRankingLoss": CachedMultipleNegativesSymmetricRankingLoss,
    "GISTEmbedLoss": GISTEmbedLoss,
    "CachedGISTEmbedLoss": CachedGISTEmbedLoss,
    "MegaBatchMarginLoss": MegaBatchMarginLoss,
    "TripletLoss": TripletLoss,
    "ContrastiveLoss": ContrastiveLoss,
    "OnlineContrastiveLoss": OnlineContrastiveLoss,
    "SoftmaxLoss": SoftmaxLoss,
    "BatchAllTripletLoss": BatchAllTripletLoss,
    "BatchHardTripletLoss": BatchHardTripletLoss,
    "BatchHardSoftMarginTripletLoss": BatchHardSoftMarginTripletLoss,
    "BatchSemiHardTripletLoss": BatchSemiHardTripletLoss,
    "MSELoss": MSELoss,
    "MarginMSELoss": MarginMSELoss,
    "DistillKLDivLoss": DistillKLDivLoss,
    "ContrastiveTensionLoss": ContrastiveTensionLoss,
    "ContrastiveTensionLossInBatchNegatives": ContrastiveTensionLossInBatchNegatives,
    "DenoisingAutoEncoderLoss": DenoisingAutoEncoderLoss,
    "MatryoshkaLoss": MatryoshkaLoss,
    "AdaptiveLayerLoss": AdaptiveLayerLoss,
    "Matryoshka2dLoss": Matryoshka2dLoss,
}

WRAPPERS = frozenset({"MatryoshkaLoss", "AdaptiveLayerLoss", "Matryoshka2dLoss"})
"""Losses around another loss: what they need is known once they are built."""

__all__ = [
    "LOSSES",
    "WRAPPERS",
    "AdaptiveLayerLoss",
    "AnglELoss",
    "BatchAllTripletLoss",
    "BatchHardSoftMarginTripletLoss",
    "BatchHardTripletLoss",
    "BatchHardTripletLossDistanceFunction",
    "BatchSemiHardTripletLoss",
    "CachedGISTEmbedLoss",
    "CachedMultipleNegativesRankingLoss",
    "CachedMultipleNegativesSymmetricRankingLoss",
    "CoSENTLoss",
    "ContrastiveLoss",
    "ContrastiveTensionDataLoader",
    "ContrastiveTensionLoss",
    "ContrastiveTensionLossInBatchNegatives",
    "CosineSimilarityLoss",
    "DataNeeds",
    "DenoisingAutoEncoderLoss",
    "DistillKLDivLoss",
    "GISTEmbedLoss",
    "MSELoss",
    "MarginMSELoss",
    "Matryoshka2dLoss",
    "MatryoshkaLoss",
    "MegaBatchMarginLoss",
    "MultipleNegativesRankingLoss",
    "MultipleNegativesSymmetricRankingLoss",
    "OnlineContrastiveLoss",
    "SiameseDistanceMetric",
    "SoftmaxLoss",
    "TripletDistanceMetric",
    "TripletLoss",
    "nothing_to_learn",
]
