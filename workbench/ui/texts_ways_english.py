"""The visible words of *Train three ways*, in English."""

from __future__ import annotations

WAYS_ENGLISH: dict[str, str] = {
    "ways.base": "base, untrained",
    "ways.parity": "Are they one training?",
    "ways.parity_note": "All ways were given the same batches, seed and learning rates. Loss, learning rate, gradient norm "
    "and distance of the weights from the start are compared step by step, against float noise. The model that is kept is "
    "the best on the data to choose by: it may be from before the step at which they part.",
    "ways.one": "one training up to float noise; losses at most {loss} apart",
    "ways.part": "part at step {step} in the {quantity}: {cause}; losses at most {loss} apart",
    "ways.quantity.batch": "batch",
    "ways.quantity.learning_rate": "learning rate",
    "ways.quantity.loss": "loss",
    "ways.quantity.gradient_norm": "gradient norm",
    "ways.quantity.weight_distance": "distance of the weights",
    "ways.cause.order": "the two saw different batches",
    "ways.cause.schedule": "the schedules differ",
    "ways.cause.initial-weights": "they began from different weights",
    "ways.cause.loss-reduction": "a step is summed on one side and averaged on the other",
    "ways.cause.loss-formula": "the losses are of different formulas",
    "ways.cause.precision": "the forward passes compute in different precision",
    "ways.cause.dropout-stream": "dropout draws other masks: each library uses random numbers in its own order",
    "ways.cause.accumulation": "a step is made of another number of batches",
    "ways.cause.clipping": "gradients are shortened differently",
    "ways.cause.decay-groups": "weight decay takes hold of other parameters, or with another strength",
    "ways.cause.unknown": "neither the records nor the plans say why",
    "ways.models": "Before and after",
    "ways.models_note": "The score is on held-out data; the difference is to the untrained base, with its 95% interval and "
    "verdict. Speed is this package's encoding of the sentences below, in interleaved rounds; with so few sentences it is "
    "an impression, no benchmark.",
    "ways.model": "Model",
    "ways.score": "Held-out score",
    "ways.difference": "Difference to base [95%]",
    "ways.time": "Training",
    "ways.speed": "Sentences/s",
    "ways.seconds": "{seconds} s",
    "ways.undefined": "undefined",
    "ways.outcome.better": "better",
    "ways.outcome.worse": "worse",
    "ways.outcome.not_shown": "not shown",
    "ways.maps": "The same sentences before and after",
    "ways.maps_note": "Sentences of the held-out part, numbered as listed.",
    "ways.cosine": "cosine",
    "ways.embeddings": "How far apart the embeddings are",
    "ways.embeddings_note": "Two trainings that are one up to float noise can still end in embeddings that differ by more: "
    "rounding grows with every step.",
    "ways.contenders": "The own checkpoint, encoded by all three",
    "ways.contenders_note": "What was trained here loads in upstream and in plain Transformers, with the same embeddings.",
}
