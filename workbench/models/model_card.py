"""The README.md of a saved model: what it is, how it is used, nothing that was not measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_TEMPLATE = """---
pipeline_tag: sentence-similarity
library_name: sentence-transformers
tags:
- sentence-transformers
- feature-extraction
- sentence-similarity
---

# {name}

A sentence-embedding model{base}.

| | |
|---|---|
| Modules | {modules} |
| Dimension | {dimension} |
| Longest input | {length} tokens |
| Pooling | {pooling} |
| Similarity | {similarity} |

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer({literal})
embeddings = model.encode(["A sentence.", "Another one."])
print(model.similarity(embeddings, embeddings))
```
"""


def model_card(name: str, base: str | None, facts: Mapping[str, Any]) -> str:
    """Fill the card.

    Args:
        name: Of the model, as the reader will load it.
        base: Model it was made from, if known.
        facts: ``modules``, ``dimension``, ``max_seq_length``, ``pooling``, ``similarity``.
    """
    return _TEMPLATE.format(
        name=name.replace("\n", " "),
        base=f", made from {base}" if base else "",
        modules=" → ".join(facts["modules"]),
        dimension=facts["dimension"],
        length=facts["max_seq_length"],
        pooling=facts["pooling"] or "none",
        similarity=facts["similarity"],
        literal=json.dumps(name, ensure_ascii=False),
    )
