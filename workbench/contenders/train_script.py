"""Parts of the scripts that reproduce a training: its batches, its loss, and the check of its losses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.contenders.train_contract import LossPlan, TrainingBatch, TrainPlan
from workbench.errors import InvalidValueError

# Batches of more characters than these lie in a file beside the script.
_MOST_CHARACTERS = 100_000
BATCHES_FILE = "batches.jsonl"
_LOSSES_SHOWN = 200
_TOLERANCE = 1e-4

# Argument → value → its name in code, for values that are no literals; the losses' room is ``losses``.
_SIMILARITIES = (
    "cos_sim",
    "dot_score",
    "euclidean_sim",
    "manhattan_sim",
    "pairwise_cos_sim",
    "pairwise_dot_score",
    "pairwise_euclidean_sim",
    "pairwise_manhattan_sim",
)
_DISTANCES = {
    **dict.fromkeys(("COSINE", "EUCLIDEAN", "MANHATTAN"), "TripletDistanceMetric"),
    "COSINE_DISTANCE": "SiameseDistanceMetric",
    "cosine_distance": "BatchHardTripletLossDistanceFunction",
    "euclidean_distance": "BatchHardTripletLossDistanceFunction",
}


def batch_lines(batches: Sequence[TrainingBatch], prompt: str) -> list[str]:
    """Lines that define ``batches``: a list of batches of rows, a row being its texts and its label."""
    rows = [_rows(batch, prompt) for batch in batches]
    if sum(len(text) for batch in rows for texts, _ in batch for text in texts) > _MOST_CHARACTERS:
        return [
            f"# {BATCHES_FILE} lies beside this script: a line a batch, a row being its texts and its label.",
            f'lines = pathlib.Path({BATCHES_FILE!r}).read_text(encoding="utf-8").splitlines()',
            "batches = [json.loads(line) for line in lines]",
        ]
    return ["batches = [", *(f"    {batch!r}," for batch in rows), "]"]


def write_batches(path: Path, batches: Sequence[TrainingBatch], prompt: str = "") -> None:
    """Write the file that a script of many batches reads."""
    lines = [json.dumps(_rows(batch, prompt), ensure_ascii=False) for batch in batches]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def import_lines(body: Sequence[str]) -> list[str]:
    """The standard modules that the lines of a script use."""
    text = "\n".join(body)
    return [f"import {name}" for name in ("json", "pathlib") if f"{name}." in text]


def loss_expression(plan: LossPlan, offered: Sequence[str]) -> str:
    """The loss as code, around a variable ``model``.

    Raises:
        InvalidValueError: ``loss-not-writable``: a name that no table holds never becomes code.
    """
    if plan.name not in offered:
        raise InvalidValueError("loss-not-writable", repr(plan.name), expected=f"one of {', '.join(offered)}")
    parts = ["model"]
    if plan.inner is not None:
        parts.append(f"loss={loss_expression(plan.inner, offered)}")
    for name, value in plan.arguments.items():
        if not name.isidentifier():
            raise InvalidValueError("loss-not-writable", repr(name), expected="a name of an argument")
        parts.append(f"{name}={_value(plan.name, name, value)}")
    return f"losses.{plan.name}({', '.join(parts)})"


def check_lines(losses: Sequence[float]) -> list[str]:
    """Lines that print the losses in ``seen`` and hold them to those of the run."""
    shown = [float(loss) for loss in losses[:_LOSSES_SHOWN]]
    lines = ["for step, loss in enumerate(seen, 1):", '    print(f"step {step}: loss {loss:.6f}")']
    if shown:
        lines += [
            f"expected = {shown!r}",
            "worst = max(abs(one - other) for one, other in zip(seen, expected))",
            'print(f"largest difference from the run: {worst:.1e}")',
            f"assert worst <= {_TOLERANCE!r}, worst",
        ]
    return lines


def dropout_lines(plan: TrainPlan) -> list[str]:
    """Lines that switch every dropout of ``model`` off, where the plan does."""
    if plan.dropout:
        return []
    return [
        "for module in model.modules():",
        "    if isinstance(module, torch.nn.Dropout):",
        "        module.p = 0.0",
        '    for name in ("attention_dropout", "attention_probs_dropout_prob", "dropout_prob"):',
        "        if isinstance(getattr(module, name, None), float):",
        "            setattr(module, name, 0.0)",
    ]


def trainer_argument_lines(plan: TrainPlan, schedule: str) -> list[str]:
    """The arguments of a Hugging Face Trainer, a line each."""
    return [
        '    output_dir="trainer",',
        f"    max_steps={int(plan.total_steps)},",
        f"    gradient_accumulation_steps={int(plan.accumulation)},",
        f"    learning_rate={float(plan.learning_rate)!r},",
        f"    lr_scheduler_type={schedule!r},",
        f"    warmup_steps={int(plan.warmup_steps)},",
        f"    weight_decay={float(plan.weight_decay)!r},",
        f"    max_grad_norm={float(plan.max_grad_norm or 0.0)!r},",
        f"    seed={int(plan.seed)},",
        f"    bf16={plan.precision == 'bf16'},",
        f"    fp16={plan.precision == 'fp16'},",
        f"    use_cpu={plan.device == 'cpu'},",
        "    logging_steps=1,",
        "    logging_nan_inf_filter=False,",
        '    save_strategy="no",',
        '    report_to="none",',
        "    disable_tqdm=True,",
        "    remove_unused_columns=False,",
    ]


def _rows(batch: TrainingBatch, prompt: str) -> list[tuple[list[str], Any]]:
    labels = batch.labels if batch.labels is not None else (None,) * len(batch.columns[0])
    rows = zip(zip(*batch.columns, strict=True), labels, strict=True)
    return [([prompt + text for text in texts], _plain(label)) for texts, label in rows]


def _plain(label: Any) -> Any:
    """A label as a literal."""
    return label.tolist() if hasattr(label, "tolist") else label


def _value(loss: str, argument: str, value: Any) -> str:
    if argument == "similarity_fct" and value in _SIMILARITIES:
        return f"util.{value}"
    if argument == "distance_metric" and value in _DISTANCES:
        home = _DISTANCES[value]
        if value in ("EUCLIDEAN", "MANHATTAN") and "Contrastive" in loss:
            home = "SiameseDistanceMetric"
        return f"losses.{home}.{value}"
    if argument == "guide":
        return f"SentenceTransformer({str(value)!r})"
    return repr(tuple(value) if argument == "directions" else value)
