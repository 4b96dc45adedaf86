"""The lint: the bundled model's contradictions, nothing on a folder saved here, broken folders by code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.models.tiny import write_encoder
from tests.trace.tiny_pipelines import TEXTS, sound
from workbench.models.dense import Dense
from workbench.models.normalize import Normalize
from workbench.models.pooling import Pooling
from workbench.models.transformer import Transformer
from workbench.sentence_transformer import SentenceTransformer
from workbench.trace.faults import inject
from workbench.trace.lint import findings_dict, findings_text, lint_folder
from workbench.trace.model_contract import contract_violations, model_contract, write_contract
from workbench.trace.pipelines import manual_pipeline, record


def codes(folder) -> list[str]:
    return [finding.code for finding in lint_folder(folder)]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder saved by this package."""
    home = tmp_path_factory.mktemp("saved")
    encoder = Transformer(write_encoder(home / "encoder", "bert"), max_seq_length=32)
    model = SentenceTransformer(modules=[encoder, Pooling(32), Normalize()], device="cpu")
    model.save(home / "model")
    return home / "model"


def test_the_bundled_models_contradictions_are_found(bundled: Path) -> None:
    found = {finding.code: finding for finding in lint_folder(bundled)}
    assert set(found) == {"length-contradiction", "padding-baked", "casing-contradiction"}
    assert all(number in found["length-contradiction"].message for number in ("128", "256", "512"))
    assert found["length-contradiction"].consequences["sentence-transformers"] == "cuts at 256"
    assert "[padding-baked]" in findings_text(tuple(found.values()))
    assert findings_dict(tuple(found.values()))[0]["fix"]


def test_nothing_is_found_in_a_folder_saved_here(saved: Path) -> None:
    assert lint_folder(saved) == ()


def test_nothing_is_found_in_the_bundled_model_saved_here(bundled: Path, tmp_path: Path) -> None:
    SentenceTransformer(bundled, device="cpu").save(tmp_path / "again")
    assert lint_folder(tmp_path / "again") == ()


def change(folder: Path, file: str, **values) -> None:
    path = folder / file
    content = json.loads(path.read_text(encoding="utf-8"))
    content.update(values)
    path.write_text(json.dumps(content), encoding="utf-8")


def add_dense(folder: Path) -> None:
    model = SentenceTransformer(folder, device="cpu")
    model = SentenceTransformer(modules=[*list(model)[:2], Dense(32, 16), Normalize()], device="cpu")
    shutil.rmtree(folder)
    model.save(folder)


def halve(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    save_file({key: value.to(torch.float16) for key, value in tensors.items()}, folder / "model.safetensors")


def no_special_tokens(folder: Path) -> None:
    change(folder, "tokenizer.json", post_processor=None)


def no_pooling_module(folder: Path) -> None:
    listing = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    (folder / "modules.json").write_text(json.dumps(listing[:1]), encoding="utf-8")


BROKEN = {
    "length-contradiction": lambda f: change(f, "tokenizer_config.json", model_max_length=512),
    "length-beyond-positions": lambda f: change(f, "sentence_bert_config.json", max_seq_length=999),
    "padding-baked": lambda f: change(
        f, "tokenizer.json", padding={"strategy": {"Fixed": 16}, "direction": "Right"}
    ),
    "casing-contradiction": lambda f: change(f, "sentence_bert_config.json", do_lower_case=False),
    "modules-missing": lambda f: (f / "modules.json").unlink(),
    "pooling-missing": no_pooling_module,
    "pooling-config-missing": lambda f: (f / "1_Pooling" / "config.json").unlink(),
    "pooling-mode-missing": lambda f: change(f, "1_Pooling/config.json", pooling_mode_mean_tokens=False),
    "pooling-width": lambda f: change(f, "1_Pooling/config.json", word_embedding_dimension=7),
    "modules-extra": add_dense,
    "prompts": lambda f: change(f, "config_sentence_transformers.json", prompts={"query": "query: "}),
    "weights-half": halve,
    "weights-missing": lambda f: (f / "model.safetensors").unlink(),
    "tokenizer-missing": lambda f: (f / "tokenizer.json").unlink(),
    "tokenizer-config-missing": lambda f: (f / "tokenizer_config.json").unlink(),
    "tokenizer-class": lambda f: change(f, "tokenizer_config.json", tokenizer_class="GPT2Tokenizer"),
    "special-tokens-missing": no_special_tokens,
    "vocabulary-too-large": lambda f: change(f, "config.json", vocab_size=10),
    "file-broken": lambda f: (f / "config.json").write_text("{", encoding="utf-8"),
    "config-missing": lambda f: (f / "config.json").unlink(),
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_broken_folder_gives_its_finding(saved: Path, tmp_path: Path, code: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(saved, folder)
    BROKEN[code](folder)
    found = {finding.code: finding for finding in lint_folder(folder)}
    assert code in found
    assert found[code].consequences and found[code].fix and "{" not in found[code].fix


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="model-folder-missing"):
        lint_folder(tmp_path / "nothing")


def test_a_module_path_that_leaves_the_folder_is_not_followed(saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(saved, folder)
    (tmp_path / "config.json").write_text('{"pooling_mode_cls_token": true}', encoding="utf-8")
    listing = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    listing[1]["path"] = ".."
    (folder / "modules.json").write_text(json.dumps(listing), encoding="utf-8")
    assert "pooling-config-missing" in codes(folder)


def test_a_contract_is_kept_by_a_sound_pipeline_and_broken_by_faults(tmp_path: Path) -> None:
    pipeline = sound("bert", prompt="")
    folder = write_encoder(tmp_path / "encoder", "bert")
    encoder = Transformer(folder, max_seq_length=30)
    SentenceTransformer(modules=[encoder, Pooling(32), Normalize()], device="cpu").save(tmp_path / "model")
    path = write_contract(tmp_path / "model", tmp_path / "contract.json")
    contract = json.loads(path.read_text(encoding="utf-8"))
    assert contract == model_contract(tmp_path / "model")
    assert (contract["max_length"], contract["pooling"], contract["normalize"]) == (30, ["mean"], True)
    trace = record(manual_pipeline(pipeline), TEXTS, floors=False)
    assert contract_violations(contract, trace) == ()
    for key, word in {
        "cls-pooling": "pooling is cls",
        "no-normalize": "left out: Normalize",
        "max-length-short": "cut at 15",
        "no-special-tokens": "special tokens",
        "mask-not-given": "reads padding",
        "type-ids": "type ids",
        "bfloat16": "bfloat16",
    }.items():
        wrong = record(manual_pipeline(inject(pipeline, [key])), TEXTS, floors=False)
        assert any(word in sentence for sentence in contract_violations(contract, wrong)), key
