"""The decoder of the denoising loss: what it shares, what it refuses, and that it can learn."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM

from tests.models.tiny import CORPUS, write_encoder, write_upstream
from workbench.errors import WorkbenchError
from workbench.losses import DenoisingAutoEncoderLoss
from workbench.models.dense import Dense
from workbench.sentence_transformer import SentenceTransformer


def load(folder: Path, model_type: str = "bert") -> SentenceTransformer:
    return SentenceTransformer(write_upstream(folder, model_type, normalize=False), device="cpu")


def named_folder(folder: Path, model_type: str, model: SentenceTransformer) -> Path:
    """Another encoder with the vocabulary of the model: a trained vocabulary is not the same size twice."""
    named = write_encoder(folder / "named", model_type, seed=1)
    model.tokenizer.save_pretrained(named)
    return named


@pytest.mark.parametrize("model_type", ["bert", "roberta", "xlm-roberta", "electra", "camembert"])
def test_a_tied_decoder_shares_every_tensor_of_the_encoder(model_type: str, tmp_path: Path) -> None:
    model = load(tmp_path, model_type)
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    loss = DenoisingAutoEncoderLoss(model)
    base = getattr(loss.decoder, loss.decoder.base_model_prefix)
    encoder = dict(model[0].auto_model.named_parameters())
    shared = {name for name, parameter in base.named_parameters() if parameter is encoder.get(name)}
    assert {name for name in encoder if "pooler" not in name} <= shared
    assert loss.decoder.get_output_embeddings().weight is encoder["embeddings.word_embeddings.weight"]
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())


@pytest.mark.parametrize("model_type", ["bert", "roberta"])
@pytest.mark.parametrize("tied", [True, False])
def test_a_named_decoder_brings_its_output_layer(model_type: str, tied: bool, tmp_path: Path) -> None:
    model = load(tmp_path, model_type)
    named = named_folder(tmp_path, model_type, model)
    torch.manual_seed(9)
    AutoModelForMaskedLM.from_config(
        AutoConfig.from_pretrained(named, vocab_size=model[0].auto_model.config.vocab_size)
    ).save_pretrained(named)
    stored = AutoModelForCausalLM.from_pretrained(
        named, is_decoder=True, add_cross_attention=True
    ).state_dict()
    loss = DenoisingAutoEncoderLoss(model, str(named), tie_encoder_decoder=tied)
    head = "cls.predictions.transform.dense.weight" if model_type == "bert" else "lm_head.dense.weight"
    prefix = loss.decoder.base_model_prefix
    inner = f"{prefix}.encoder.layer.0.attention.self.query.weight"
    ours = loss.decoder.state_dict()
    assert torch.equal(ours[head], stored[head])
    assert torch.equal(ours[inner], stored[inner]) != tied
    if tied:
        assert torch.equal(ours[inner], model[0].auto_model.state_dict()[inner.removeprefix(f"{prefix}.")])


def test_the_first_names_of_layer_norms_are_read(tmp_path: Path) -> None:
    model = load(tmp_path)
    named = named_folder(tmp_path, "bert", model)
    size = model[0].auto_model.config.vocab_size
    masked = AutoModelForMaskedLM.from_config(AutoConfig.from_pretrained(named, vocab_size=size))
    torch.nn.init.normal_(masked.cls.predictions.transform.LayerNorm.weight)
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in masked.state_dict().items()
        if not name.startswith("cls.predictions.decoder")
    }
    masked.save_pretrained(named)
    save_file({name: tensor.clone() for name, tensor in old.items()}, named / "model.safetensors")
    loss = DenoisingAutoEncoderLoss(model, str(named), tie_encoder_decoder=False)
    ours = loss.decoder.state_dict()
    for name in ("cls.predictions.transform.LayerNorm.weight", "bert.embeddings.LayerNorm.weight"):
        assert torch.equal(ours[name], masked.state_dict()[name])


def test_the_loss_falls_and_reaches_the_encoder(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = load(tmp_path)
    loss = DenoisingAutoEncoderLoss(model)
    columns = [model.tokenize([text[::2] for text in CORPUS]), model.tokenize(CORPUS)]
    optimizer = torch.optim.AdamW(loss.parameters(), lr=3e-3)
    values = []
    for _ in range(12):
        optimizer.zero_grad()
        value = loss(columns)
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < values[0] - 0.5


@pytest.mark.parametrize("kind", ["distilbert", "mpnet", "qwen3", "gemma3_text"])
def test_an_architecture_without_cross_attention_is_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        DenoisingAutoEncoderLoss(load(tmp_path, kind))
    assert caught.value.code == "no-decoder"


def test_a_decoder_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    model = load(tmp_path / "one")
    with pytest.raises(WorkbenchError) as caught:
        DenoisingAutoEncoderLoss(model, tie_encoder_decoder=False)
    assert caught.value.code == "decoder-missing"
    other = write_encoder(tmp_path / "two", "roberta")
    with pytest.raises(WorkbenchError) as caught:
        DenoisingAutoEncoderLoss(model, str(other))
    assert caught.value.code == "decoder-not-tied"
    longer = SentenceTransformer(modules=[*model, Dense(32, 16)], device="cpu")
    with pytest.raises(WorkbenchError) as caught:
        DenoisingAutoEncoderLoss(longer)
    assert caught.value.code == "embedding-dimension"
    loss = DenoisingAutoEncoderLoss(model)
    with pytest.raises(WorkbenchError) as caught:
        loss([model.tokenize(["a"])])
    assert caught.value.code == "loss-columns"
    with pytest.raises(WorkbenchError) as caught:
        loss.compute_loss_from_embeddings([torch.zeros(2, 32)], torch.ones(3, 4).long())
    assert caught.value.code == "loss-shapes"


def test_a_decoder_with_another_vocabulary_reads_the_texts_anew(tmp_path: Path) -> None:
    model = load(tmp_path / "one")
    decoder = write_encoder(tmp_path / "two", "roberta")
    loss = DenoisingAutoEncoderLoss(model, str(decoder), tie_encoder_decoder=False)
    assert loss.must_retokenize
    texts = ["the quick brown fox", "a lazy dog"]
    ids = loss._read_anew(model.tokenize(texts)["input_ids"])
    assert [
        text.strip() for text in loss.decoder_tokenizer.batch_decode(ids, skip_special_tokens=True)
    ] == texts
    assert torch.isfinite(loss([model.tokenize(texts), model.tokenize(texts)]))
