"""The proof of a training: its models on the test part, against the untouched base and untuned others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from workbench.compare.judged_models import JudgedModel, judged_model
from workbench.compare.leaks import LeakFacts, find_leaks
from workbench.compare.proof import prove
from workbench.compare.proof_results import Proof, ProofSettings
from workbench.data.leaks import find_leaks as find_near_leaks
from workbench.persistence.source import hand_over
from workbench.recipe.build_model import build_model
from workbench.recipe.config import TrainingConfig
from workbench.recipe.examples import Examples
from workbench.recipe.other_models import OtherModels
from workbench.sentence_transformer import SentenceTransformer


def judge(
    config: TrainingConfig,
    examples: Examples,
    tuned: Mapping[int, Path],
    *,
    name: str = "tuned",
    others: OtherModels | None = None,
    settings: ProofSettings | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Proof:
    """Judge the models of one way of training, one a seed.

    Args:
        config: What was trained.
        examples: Its data; the test part judges.
        tuned: Seed → folder of the trained model.
        name: Of the trained model, for people.
        others: From ``other_models`` on the same test part; None for none.
        settings: How the proof is taken.
        progress, cancelled: As in ``prove``.
    """
    beside = others or OtherModels()
    return prove(
        examples.test,
        base_model(config),
        [
            judged_model(name, SentenceTransformer(hand_over(folder), device=config.device), seed=seed)
            for seed, folder in tuned.items()
        ],
        others=beside.models,
        unjudged=beside.failures,
        leak=leak_facts(config, examples),
        settings=settings,
        progress=progress,
        cancelled=cancelled,
    )


def base_model(config: TrainingConfig) -> JudgedModel:
    """The untouched model, without the layers that a training would have to fill."""
    plain = config.model.model_copy(update={"dense": None})
    return judged_model(config.model.name, build_model(plain, device=config.device))


def leak_facts(config: TrainingConfig, examples: Examples) -> LeakFacts:
    """Which test items the training has seen whole, and how many texts it has nearly seen.

    Near-duplicates are counted and not left out: what is near by its letters may ask for another thing.
    """
    judged = examples.test
    texts = sorted({*judged.queries(), *judged.documents()})
    near = find_near_leaks([example.texts for example in examples.train], texts)
    facts = find_leaks(
        judged, (example.texts for example in examples.train), split=_split_sentence(config, examples)
    )
    return LeakFacts(
        training_rows=facts.training_rows,
        items=facts.items,
        leaked_items=facts.leaked_items,
        shared_texts=facts.shared_texts,
        held_out_texts=facts.held_out_texts,
        examples=facts.examples
        or tuple(
            f"{pair.held_out_text} ≈ {pair.train_text} ({pair.similarity:.2f})" for pair in near.pairs[:5]
        ),
        split=facts.split,
        how=f"{facts.how}; {near.near} of {near.texts} texts are nearly alike to a training text",
    )


def _split_sentence(config: TrainingConfig, examples: Examples) -> str:
    data = config.data
    if data.source == "support-desk":
        return "the bundled set's own parts: no phrasing stands in two of them"
    if data.held_out is not None:
        return "a file of its own"
    return f"{data.held_out_share:.0%} of the rows kept back so that no sentence stands in two parts" + (
        "" if examples.dev is None else ", a third of them to choose the model by"
    )
