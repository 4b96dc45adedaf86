"""One real step of ``fit``, opened: every object of the classic process on a real batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from workbench.recipe.config import TrainingConfig
from workbench.recipe.loss_shares import loss_shares
from workbench.recipe.prepare import Prepared, prepare
from workbench.recipe.step_code import PartCode, PartName, loss_formula, part_codes
from workbench.recipe.step_hooks import StepCapture, norms_by_layer, watched_step
from workbench.training.events import Event, Stepped
from workbench.util.similarity import pairwise_cos_sim


@dataclass(frozen=True)
class OpenedExample:
    """An ``InputExample`` of the batch."""

    texts: tuple[str, ...]
    label: Any


@dataclass(frozen=True)
class OpenedTokens:
    """One text as collated: three tuples of equal length, padding included."""

    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    mask: tuple[int, ...]


@dataclass(frozen=True)
class OpenedPair:
    """The first two texts of a row.

    Attributes:
        similarity: Cosine in the step, as the loss saw it, dropout included.
        label: None without one.
        loss_share: What the row adds to the loss; None where the loss is no sum over rows.
        pull: Length of the loss's gradient at the row's embeddings: how hard the step pulls at it.
        before, after: Cosine without dropout, before and after the step.
    """

    similarity: float
    label: Any
    loss_share: float | None
    pull: float
    before: float
    after: float


@dataclass(frozen=True)
class OpenedPart:
    """A box of the diagram.

    Attributes:
        name: One of ``PART_NAMES``.
        shape: Of its tensor, or its count; empty where there is none.
        code: Its lines in the classic script and in the plain loop.
    """

    name: PartName
    shape: tuple[int, ...]
    code: PartCode


@dataclass(frozen=True)
class OpenedStep:
    """One step of ``fit`` and everything that came by in it.

    Attributes:
        examples: The batch.
        tokens: Of each column the first rows.
        token_embeddings_shape, token_embeddings: Of the first column; the values are a corner,
            ``[token][dimension]`` of the first row.
        pooled_shape, pooled: Of the first column; the first values of the first rows.
        pairs: One a row; empty where the loss takes one column, or embeds a batch in pieces.
        loss: As ``fit`` tells it.
        loss_name, formula: Class of the loss, and the formula of its documentation.
        gradient_norm: Of all, before clipping, as ``fit`` tells it.
        layer_norms: Layer → norm of its gradient.
        learning_rate: What the step was made with.
        loss_model_is_model: That the loss holds the very object that is trained.
        parts: The boxes in their order.
        notices: What differs from the training itself.
    """

    examples: tuple[OpenedExample, ...]
    tokens: tuple[tuple[OpenedTokens, ...], ...]
    token_embeddings_shape: tuple[int, ...]
    token_embeddings: tuple[tuple[float, ...], ...]
    pooled_shape: tuple[int, ...]
    pooled: tuple[tuple[float, ...], ...]
    pairs: tuple[OpenedPair, ...]
    loss: float
    loss_name: str
    formula: str
    gradient_norm: float
    layer_norms: dict[str, float]
    learning_rate: float
    loss_model_is_model: bool
    parts: tuple[OpenedPart, ...]
    notices: tuple[str, ...]


def open_step(config: TrainingConfig, *, rows: int = 3, values: int = 6) -> OpenedStep:
    """Run the first step of a config's training with its own ``fit`` and watch it.

    The warm-up is left out: its first step has a learning rate of 0 and would move nothing. Nothing is
    written.

    Args:
        config: What would be trained.
        rows: Rows of a column that are shown as tokens and vectors.
        values: Values of a vector that are shown.

    Raises:
        WorkbenchError: Whatever is wrong with config, data or model.
    """
    prepared = prepare(config)
    model, told = prepared.model, list[Stepped]()

    def hear(event: Event) -> None:
        if isinstance(event, Stepped):
            told.append(event)

    before = _LazyCosines(prepared)
    with watched_step(model, prepared.loss) as seen:
        model.fit(
            [(prepared.loader, prepared.loss)],
            epochs=1,
            steps_per_epoch=1,
            scheduler=config.scheduler,
            warmup_steps=0,
            optimizer_params={"lr": config.learning_rate},
            weight_decay=config.weight_decay,
            max_grad_norm=config.max_grad_norm,
            show_progress_bar=False,
            seed=config.seed,
            precision=config.precision,
            gradient_accumulation_steps=config.gradient_accumulation_steps,
            # Column by column, as the hooks show it.
            packed=False,
            progress=hear,
        )
    return _record(prepared, seen, told[0], before, rows, values)


class _LazyCosines:
    """Cosines of pairs before the step: the batch is known only after it, the weights only before."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._first = {name: value.detach().clone() for name, value in prepared.model.state_dict().items()}

    def both(self, columns: Sequence[Sequence[str]]) -> tuple[list[float], list[float]]:
        """Cosines before and after."""
        model = self._prepared.model
        last = {name: value.detach().clone() for name, value in model.state_dict().items()}
        after = _cosines(self._prepared, columns)
        model.load_state_dict(self._first)
        before = _cosines(self._prepared, columns)
        model.load_state_dict(last)
        return before, after


def _cosines(prepared: Prepared, columns: Sequence[Sequence[str]]) -> list[float]:
    # As fit takes them: without a prompt.
    first, second = (
        prepared.model.encode(list(column), prompt="", convert_to_tensor=True, show_progress_bar=False)
        for column in columns[:2]
    )
    return [float(value) for value in pairwise_cos_sim(first, second)]


def _record(
    prepared: Prepared, seen: StepCapture, step: Stepped, cosines: _LazyCosines, rows: int, values: int
) -> OpenedStep:
    model, loss = prepared.model, prepared.loss
    pairs = _pairs(prepared, seen, cosines)
    token_shape = tuple(seen.token_embeddings[0].shape) if seen.token_embeddings else ()
    corner = seen.token_embeddings[0][0, :values, :values] if seen.token_embeddings else torch.zeros(0, 0)
    pooled = (seen.pooled or seen.embeddings)[0]
    notices = []
    if prepared.config.warmup_steps(prepared.total_steps):
        notices.append("The warm-up is left out: its first step has a learning rate of 0.")
    if prepared.config.gradient_accumulation_steps > 1:
        notices.append("The step is made of several batches: shown is the first, the loss is their mean.")
    if not pairs and len(seen.features) > 1:
        notices.append("This loss embeds a batch in pieces: its pairs are not shown.")
    return OpenedStep(
        tuple(OpenedExample(tuple(row.texts), row.label) for row in seen.examples),
        tuple(_tokens(model.tokenizer, column, rows) for column in seen.features),
        token_shape,
        _rows(corner),
        tuple(pooled.shape),
        _rows(pooled[:rows, :values]),
        pairs,
        step.losses[0],
        type(loss).__name__,
        loss_formula(loss),
        step.gradient_norms[0],
        norms_by_layer(seen.norms, loss, model),
        step.learning_rates[0],
        getattr(loss, "model", None) is model,
        _parts(prepared, seen, token_shape, tuple(pooled.shape)),
        tuple(notices),
    )


def _parts(
    prepared: Prepared, seen: StepCapture, tokens: tuple[int, ...], pooled: tuple[int, ...]
) -> tuple[OpenedPart, ...]:
    ids = seen.features[0].get("input_ids")
    parameters = sum(parameter.numel() for parameter in prepared.loss.parameters() if parameter.requires_grad)
    shapes: dict[PartName, tuple[int, ...]] = {
        "examples": (len(prepared.examples.train),),
        "collate": (len(seen.examples), len(seen.features)),
        "ids": tuple(ids.shape) if isinstance(ids, Tensor) else (),
        "token_embeddings": tokens,
        "pooled": pooled,
        "similarity": (len(seen.examples),),
        "gradient": (parameters,),
        "update": (parameters,),
        "after": (len(seen.examples),),
    }
    return tuple(OpenedPart(name, shapes.get(name, ()), code) for name, code in part_codes(prepared).items())


def _pairs(prepared: Prepared, seen: StepCapture, cosines: _LazyCosines) -> tuple[OpenedPair, ...]:
    columns = list(zip(*(row.texts for row in seen.examples), strict=True))
    if len(columns) < 2 or len(seen.embeddings) != len(columns):
        return ()
    inside = pairwise_cos_sim(seen.embeddings[0].float(), seen.embeddings[1].float())
    shares = loss_shares(prepared.loss, seen.embeddings, seen.labels, seen.loss or 0.0)
    pulls = torch.stack([pull.float().square().sum(dim=1) for pull in seen.pulls.values()]).sum(dim=0).sqrt()
    before, after = cosines.both(columns)
    return tuple(
        OpenedPair(
            float(inside[row]),
            example.label if seen.labels is not None else None,
            None if shares is None else shares[row],
            float(pulls[row]),
            before[row],
            after[row],
        )
        for row, example in enumerate(seen.examples)
    )


def _tokens(tokenizer: Any, column: dict[str, Any], rows: int) -> tuple[OpenedTokens, ...]:
    ids = column.get("input_ids")
    if not isinstance(ids, Tensor) or ids.ndim != 2:
        # A static table takes the ids of all texts in one row.
        return ()
    mask = column.get("attention_mask", torch.ones_like(ids))
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    return tuple(
        OpenedTokens(
            tuple(str(backend.id_to_token(index)) for index in ids[row].tolist()),
            tuple(ids[row].tolist()),
            tuple(mask[row].tolist()),
        )
        for row in range(min(rows, len(ids)))
    )


def _rows(matrix: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in row) for row in matrix)
