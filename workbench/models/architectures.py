"""The table of encoder architectures that are admitted; one more is one line and its test."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.errors import ModelFolderError


@dataclass(frozen=True)
class Architecture:
    """What differs between encoders where this package has to know.

    Attributes:
        reserved_positions: Rows of the position table that no token can use: RoBERTa and its family
            count positions from the padding id plus one.
    """

    reserved_positions: int = 0


ARCHITECTURES: dict[str, Architecture] = {
    "albert": Architecture(),
    "bert": Architecture(),
    "camembert": Architecture(reserved_positions=2),
    "data2vec-text": Architecture(reserved_positions=2),
    "deberta-v2": Architecture(),
    "distilbert": Architecture(),
    "electra": Architecture(),
    "ernie": Architecture(),
    "eurobert": Architecture(),
    "gemma3_text": Architecture(),
    "modernbert": Architecture(),
    "mpnet": Architecture(reserved_positions=2),
    "nomic_bert": Architecture(),
    "qwen3": Architecture(),
    "roberta": Architecture(reserved_positions=2),
    "xlm-roberta": Architecture(reserved_positions=2),
    "xlm-roberta-xl": Architecture(reserved_positions=2),
}


def architecture(model_type: object, where: str) -> Architecture:
    """Look a ``model_type`` up.

    Raises:
        ModelFolderError: It is not in the table; the message lists what is.
    """
    if not isinstance(model_type, str) or model_type not in ARCHITECTURES:
        raise ModelFolderError(
            "architecture-not-admitted",
            f"model_type is {str(model_type)[:60]!r}",
            expected=f"one of {', '.join(ARCHITECTURES)}",
            fix="Use a model of one of these architectures",
            where=where,
        )
    return ARCHITECTURES[model_type]
