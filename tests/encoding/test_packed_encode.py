"""The packed encode equals the plain padded pass, whatever the texts, their order and the batches."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from tests.models.tiny import AWKWARD, write_upstream
from workbench.errors import InvalidValueError
from workbench.models.packed import packable
from workbench.sentence_transformer import SentenceTransformer

TEXTS = [*AWKWARD, *AWKWARD[::2], "the quick brown fox jumps over " * 9, "fox", "한국어 " * 40]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_upstream(tmp_path_factory.mktemp("packed") / "m", "bert")


@pytest.fixture
def model(folder: Path) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu")


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def plain(model: SentenceTransformer, texts: list[str]) -> NDArray[np.float32]:
    """One padded batch through the modules' own forward."""
    model.eval()
    with torch.inference_mode():
        return np.asarray(model(model.tokenize(texts))["sentence_embedding"])


def report(model: SentenceTransformer) -> Any:
    assert model.encode_report is not None
    return model.encode_report


def test_equals_the_plain_pass_in_any_order_and_any_batch(model: SentenceTransformer, threads: None) -> None:
    wanted = plain(model, TEXTS)
    for batch_size, count in ((1, 1), (3, 2), (32, 1), (1000, 3)):
        torch.set_num_threads(count)
        order = random.Random(batch_size).sample(range(len(TEXTS)), len(TEXTS))
        got = model.encode([TEXTS[index] for index in order], batch_size=batch_size)
        assert np.abs(got - wanted[order]).max() <= 1e-6
        assert report(model).packed and report(model).padding == 1.0 and not report(model).padded_because
        assert torch.get_num_threads() == count


@pytest.mark.parametrize("pooling", ["cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"])
def test_every_pooling(tmp_path: Path, pooling: str) -> None:
    model = SentenceTransformer(str(write_upstream(tmp_path / "m", "roberta", pooling)), device="cpu")
    assert np.abs(model.encode(TEXTS) - plain(model, TEXTS)).max() <= 1e-6
    assert report(model).packed


def test_a_prompt_that_pooling_leaves_out(model: SentenceTransformer) -> None:
    from workbench.models.pooling import Pooling

    first: Any = model[0]
    pooling = Pooling(first.get_word_embedding_dimension(), include_prompt=False)
    own = SentenceTransformer(modules=[first, pooling], device="cpu")
    got = own.encode(TEXTS, prompt="the fox: ")
    assert report(own).packed
    handle = first.register_forward_hook(lambda *_: None)
    padded = own.encode(TEXTS, prompt="the fox: ")
    handle.remove()
    assert not report(own).packed
    assert np.abs(got - padded).max() <= 1e-6
    assert np.abs(got - own.encode(TEXTS)).max() > 1e-3


def test_changed_weights_are_seen(model: SentenceTransformer) -> None:
    first: Any = model[0]
    weight = first.auto_model.encoder.layer[0].output.dense.weight
    before = model.encode(TEXTS)
    for change in (
        lambda: weight.mul_(1.5),
        lambda: weight.data.mul_(1.5),
        lambda: setattr(weight, "data", weight.data * 1.5),
        lambda: setattr(first.auto_model.encoder.layer[0].output.dense, "weight", nn.Parameter(weight * 2)),
    ):
        with torch.no_grad():
            change()
        after = model.encode(TEXTS)
        assert report(model).packed
        assert np.abs(after - before).max() > 1e-4
        assert np.abs(after - plain(model, TEXTS)).max() <= 1e-6
        before = after


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.AdamW])
@pytest.mark.parametrize("how", [{"fused": True}, {"foreach": True}])
def test_an_optimizer_step_is_seen(model: SentenceTransformer, optimizer: Any, how: dict[str, bool]) -> None:
    before = model.encode(TEXTS)
    model.train()
    model(model.tokenize(TEXTS))["sentence_embedding"].pow(3).sum().backward()
    optimizer(model.parameters(), lr=1e-3, **how).step()
    after = model.encode(TEXTS)
    assert np.abs(after - before).max() > 1e-5
    assert np.abs(after - plain(model, TEXTS)).max() <= 1e-6


class Adapter(nn.Linear):
    """Something that a user put into the encoder."""


def test_what_stands_in_the_model_is_not_gone_around(model: SentenceTransformer) -> None:
    first: Any = model[0]
    seen: list[int] = []
    handle = first.auto_model.encoder.layer[1].register_forward_hook(lambda *_: seen.append(1))
    model.encode(TEXTS)
    assert seen and not report(model).packed and "hook" in report(model).padded_because
    handle.remove()
    model.encode(TEXTS)
    assert report(model).packed
    inner = first.auto_model.encoder.layer[0].output
    inner.dense = Adapter(inner.dense.in_features, inner.dense.out_features)
    assert not packable(first.auto_model)
    model.encode(TEXTS)
    assert not report(model).packed


def test_other_outputs_are_padded_and_the_report_says_why(model: SentenceTransformer) -> None:
    model.encode(TEXTS, output_value="token_embeddings")
    assert not report(model).packed and "token_embeddings" in report(model).padded_because


def test_an_architecture_without_a_packed_pass_is_padded(tmp_path: Path) -> None:
    model = SentenceTransformer(str(write_upstream(tmp_path / "m", "mpnet")), device="cpu")
    got = model.encode(TEXTS)
    assert not report(model).packed and report(model).padded_because == "mpnet has no packed pass"
    assert 1.0 <= report(model).padding < 3.0
    assert np.abs(got - plain(model, TEXTS)).max() <= 1e-6
    assert np.abs(model.encode(TEXTS, compute="bfloat16") - got).max() < 0.05
    with pytest.raises(InvalidValueError, match="compute-not-supported"):
        model.encode(TEXTS, compute="int8")


def test_a_pass_that_the_probe_finds_different_is_not_taken(
    model: SentenceTransformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.encoding import engine
    from workbench.models.packed_attention import attend

    right = engine._inference_parts

    def wrong(*arguments: Any) -> Any:
        return replace(right(*arguments), attention=lambda qkv, *rest: attend(qkv.roll(1, 0), *rest))

    monkeypatch.setattr(engine, "_inference_parts", wrong)
    wanted = plain(model, TEXTS)
    assert np.abs(model.encode(TEXTS) - wanted).max() <= 1e-6
    assert "probe" in report(model).padded_because


@pytest.mark.parametrize("model_type", ["distilbert", "gemma3_text", "modernbert"])
def test_a_registered_architecture_runs_packed(tmp_path: Path, model_type: str) -> None:
    model = SentenceTransformer(str(write_upstream(tmp_path / "m", model_type)), device="cpu")
    got = model.encode(TEXTS)
    assert report(model).packed, report(model).padded_because
    wanted = plain(model, TEXTS)
    assert np.abs(got - wanted).max() <= 2e-6 * max(1.0, float(np.abs(wanted).max()))


@pytest.mark.parametrize(("compute", "smallest"), [("bfloat16", 0.9999), ("int8", 0.98)])
def test_faster_types_stay_near_the_exact_one(bundled: Path, compute: Any, smallest: float) -> None:
    model = SentenceTransformer(str(bundled), device="cpu")
    exact, near = model.encode(TEXTS), model.encode(TEXTS, compute=compute)
    assert near.dtype == np.float32 and report(model).compute == compute
    cosines = (exact * near).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(near, axis=1)
    assert smallest <= cosines.min() < 1.0 - 1e-7


def test_an_unknown_type_is_refused(model: SentenceTransformer) -> None:
    with pytest.raises(InvalidValueError, match="compute-unknown"):
        model.encode(TEXTS, compute="float8")  # type: ignore[arg-type]


def test_encodes_at_once_from_several_threads(model: SentenceTransformer, threads: None) -> None:
    torch.set_num_threads(2)
    wanted = plain(model, TEXTS)
    got: list[NDArray[np.float32]] = []
    every = [threading.Thread(target=lambda: got.append(model.encode(TEXTS))) for _ in range(4)]
    for thread in every:
        thread.start()
    for thread in every:
        thread.join()
    assert len(got) == 4 and all(np.abs(rows - wanted).max() <= 1e-6 for rows in got)
    assert torch.get_num_threads() == 2


def test_the_report_says_where_the_time_went(model: SentenceTransformer) -> None:
    model.encode(TEXTS)
    seconds = report(model).seconds
    assert set(seconds) == {"tokenize", "forward", "pool", "copy"} and all(
        value > 0 for value in seconds.values()
    )
