"""The gallery replayed: each card's bug live on the bundled model."""

from __future__ import annotations

from dataclasses import replace

from workbench.contenders.manual.pipeline import ManualPipeline
from workbench.persistence.source import BUNDLED
from workbench.trace.faults import inject
from workbench.trace.gallery_cards import card
from workbench.trace.pipelines import Pipeline, manual_pipeline, record
from workbench.trace.prove import prove
from workbench.trace.results import Proof


def replay(key: str, model: str = BUNDLED) -> Proof:
    """Run the sound and the broken pipeline of a card, find the stage, and prove it.

    Raises:
        UnknownNameError: The gallery does not hold it.
        ModelFolderError, ModelSourceError: As ``open_model``.
    """
    sound, broken = pipelines(key, model)
    texts = card(key).texts
    return prove(record(sound, texts), broken, record(broken, texts, floors=False))


def pipelines(
    key: str, model: str = BUNDLED, steps: ManualPipeline | None = None
) -> tuple[Pipeline, Pipeline]:
    """The sound and the broken pipeline of a card, live.

    Args:
        key: Of the card.
        model: Bundled name, folder, or Hub name.
        steps: The sound pipeline, where it is open already with the card's prompt.
    """
    chosen = card(key)
    steps = steps or open_steps(model, prompt=chosen.prompt)
    return manual_pipeline(steps, "reference"), manual_pipeline(inject(steps, chosen.faults), "reported")


def open_steps(model: str = BUNDLED, *, batch_size: int = 4, **overrides: object) -> ManualPipeline:
    """The manual recipe around a model, with the settings that its folder implies.

    Args:
        batch_size: Small, so that few texts make more than one batch.
        overrides: Fields of ``Settings``.
    """
    from workbench.compare.settings import settings_for
    from workbench.contenders.contract import ModelPaths
    from workbench.contenders.manual.encode import open_manual
    from workbench.models.folder import open_model

    checked = open_model(model)
    settings = settings_for(checked, **overrides)
    opened = open_manual(ModelPaths(checked.root, checked.encoder), settings)
    return replace(opened.pipeline(), batch_size=batch_size)
