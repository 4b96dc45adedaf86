"""Loading the tokenizer of an admitted folder, and turning texts into ids once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import ModelFolderError
from workbench.models.bare_tokenizer import BareTokenizer, read_bare_tokenizer
from workbench.models.protocols import Tokenized
from workbench.models.schema_check import hold_to_schema
from workbench.persistence.json_reader import read_json, scan_keys

# tokenizer.json of a large multilingual vocabulary has about 17 MB.
TOKENIZER_JSON_BYTES = 64 * 2**20
# Characters handed to the tokenizer a token of the limit; no language needs as many.
_CHARACTERS_PER_TOKEN = 250
# Classes that exist in Transformers for the architectures admitted here, and the generic ones.
_CLASSES = frozenset(
    f"{name}{ending}"
    for name in (
        "Albert Bert Camembert DebertaV2 DistilBert Electra Gemma MPNet PreTrained Qwen2 Roberta XLMRoberta "
        "Gemma3 Barthez Llama"
    ).split()
    for ending in ("Tokenizer", "TokenizerFast")
) | {"TokenizersBackend"}


class TokenizerConfig(BaseModel):
    """What every tokenizer class reads of ``tokenizer_config.json``; each has some keys of its own beside."""

    model_config = ConfigDict(extra="allow", strict=True)

    # A tokenizer without a limit writes 10**30.
    model_max_length: Annotated[int, Field(ge=1)] | None = None
    tokenizer_class: str | None = None
    padding_side: Literal["left", "right"] = "right"
    truncation_side: Literal["left", "right"] = "right"
    do_lower_case: bool | None = None
    strip_accents: bool | None = None
    tokenize_chinese_chars: bool | None = None


def open_tokenizer(folder: Path, embedding_rows: int) -> Any:
    """The tokenizer of an admitted folder: its file's own where it is the library's too, else the library's.

    Arguments and errors are those of ``load_tokenizer``.
    """
    bare = read_bare_tokenizer(folder, embedding_rows, TOKENIZER_JSON_BYTES)
    return load_tokenizer(folder, embedding_rows) if bare is None else bare


def library_tokenizer(folder: Path, embedding_rows: int, bare: BareTokenizer) -> Any:
    """The library's tokenizer in place of a bare one, with what was set on that."""
    tokenizer = load_tokenizer(folder, embedding_rows)
    for name in ("model_max_length", "padding_side", "truncation_side"):
        setattr(tokenizer, name, getattr(bare, name))
    tokenizer.backend_tokenizer.normalizer = bare.backend_tokenizer.normalizer
    return tokenizer


def load_tokenizer(folder: Path, embedding_rows: int) -> Any:
    """Load the fast tokenizer whose files lie in an admitted folder.

    The library's own class is used, since it may rebuild parts of ``tokenizer.json`` from
    ``tokenizer_config.json``: any other reading of the files would give other ids than upstream's.

    Args:
        folder: Holds ``tokenizer.json`` and ``tokenizer_config.json``.
        embedding_rows: Rows of the embedding matrix; an id beyond it would crash or read another row.

    Raises:
        ModelFolderError: ``tokenizer.json`` is missing, a key steers the loader, the class is unknown, or
            the vocabulary is larger than the embedding matrix.
    """
    _check_files(folder)
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        # A class may take a value that fails only when it is used.
        tokenizer(["a probe", ""], padding=tokenizer.pad_token is not None, truncation=True, max_length=8)
    except Exception as error:
        raise ModelFolderError(
            "tokenizer-invalid",
            f"The tokenizer could not be built: {str(error)[:300]}",
            fix="Take the tokenizer files from the original model",
            where="tokenizer.json",
        ) from error
    if not getattr(tokenizer, "is_fast", False):
        raise ModelFolderError(
            "tokenizer-not-fast",
            f"{type(tokenizer).__name__} is not backed by tokenizer.json",
            expected="a fast tokenizer",
            where="tokenizer_config.json",
        )
    largest = max(tokenizer.get_vocab().values(), default=-1)
    if largest >= embedding_rows:
        raise ModelFolderError(
            "tokenizer-vocabulary-too-large",
            f"The largest token id is {largest:,}",
            expected=f"ids below {embedding_rows:,}, the rows of the embedding matrix",
            fix="Take tokenizer and weights from the same model",
            where="tokenizer.json",
        )
    # Truncation and padding baked into tokenizer.json would act on every call that does not set them.
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    return tokenizer


def _check_files(folder: Path) -> None:
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelFolderError(
            "tokenizer-missing",
            "There is no tokenizer.json",
            expected="the tokenizer that the model was trained with",
            fix="Save the tokenizer beside the model; a library would make one up and give other embeddings",
            where="tokenizer.json",
        )
    read_json(path, limit_bytes=TOKENIZER_JSON_BYTES)
    config_path = folder / "tokenizer_config.json"
    if not config_path.is_file():
        return
    raw = read_json(config_path, limit_bytes=TOKENIZER_JSON_BYTES)
    scan_keys(raw, "tokenizer_config.json")
    name = hold_to_schema(TokenizerConfig, raw, "tokenizer_config.json").tokenizer_class
    if name is not None and name not in _CLASSES:
        raise ModelFolderError(
            "tokenizer-class-not-admitted",
            f"tokenizer_class is {str(name)[:60]!r}",
            expected=f"one of {', '.join(sorted(_CLASSES))}",
            fix="Save the tokenizer with Transformers as PreTrainedTokenizerFast",
            where="tokenizer_config.json",
        )


def lower_case_first(tokenizer: Any) -> None:
    """Put lower-casing before the tokenizer's own normaliser, as upstream does for ``do_lower_case``."""
    from tokenizers import normalizers

    backend = tokenizer.backend_tokenizer
    steps = backend.normalizer
    if isinstance(steps, normalizers.Lowercase):
        return
    inner = _steps(steps)
    if any(isinstance(step, normalizers.Lowercase) for step in inner):
        return
    backend.normalizer = normalizers.Sequence([normalizers.Lowercase(), *inner])


def _steps(normalizer: Any) -> list[Any]:
    """The steps of a normaliser, which may be none, one, or a sequence."""
    from tokenizers import normalizers

    if isinstance(normalizer, normalizers.Sequence):
        return [normalizer[index] for index in range(len(normalizer))]
    return [] if normalizer is None else [normalizer]


def set_lower_case(tokenizer: Any, lower_case: bool) -> None:
    """Turn lower-casing on or off, whatever the tokenizer was trained with.

    Off, BERT's accent stripping goes with it where its flag is null, as the library does for
    ``do_lower_case=False``.
    """
    from tokenizers import normalizers

    if lower_case:
        lower_case_first(tokenizer)
        return
    backend = tokenizer.backend_tokenizer
    steps = backend.normalizer
    inner = _steps(steps)
    kept = [step for step in inner if not isinstance(step, normalizers.Lowercase)]
    for step in kept:
        if isinstance(step, normalizers.BertNormalizer):
            step.lowercase = False
    if kept:
        backend.normalizer = kept[0] if len(kept) == 1 else normalizers.Sequence(kept)
    else:
        backend.normalizer = normalizers.Sequence([])


def tokenize_texts(tokenizer: Any, texts: Sequence[str], max_length: int) -> list[Tokenized]:
    """Ids of each text, cut at ``max_length`` tokens, special tokens included; nothing is padded."""
    if not texts:
        return []
    backend = tokenizer.backend_tokenizer
    # Not through the library's call: it keeps no count of what it cut off.
    if (backend.truncation or {}).get("max_length") != max_length:
        backend.enable_truncation(max_length=max_length, direction=tokenizer.truncation_side)
    results = [
        _keep(encoding, tokenizer)
        for encoding in backend.encode_batch([shorten(text, max_length) for text in texts])
    ]
    for index, text in enumerate(texts):
        # A shortened text that still fits was shortened too much: its words are longer than any cap.
        if len(text) > max_length * _CHARACTERS_PER_TOKEN and not results[index].truncated:
            results[index] = _keep(backend.encode(text), tokenizer)
    return results


def shorten(text: str, max_length: int) -> str:
    """Cut a text far beyond the limit at the last white space before the cap, so no word is split."""
    cap = max_length * _CHARACTERS_PER_TOKEN
    if len(text) <= cap:
        return text
    for position in range(cap, 0, -1):
        if text[position].isspace():
            return text[:position]
    return text


def _keep(encoding: Any, tokenizer: Any) -> Tokenized:
    ids = encoding.ids
    inputs = {"input_ids": ids}
    if "token_type_ids" in tokenizer.model_input_names:
        inputs["token_type_ids"] = encoding.type_ids
    # What was cut off comes in parts that carry the special tokens again.
    special = tokenizer.num_special_tokens_to_add() if encoding.overflowing else 0
    rest = sum(len(part.ids) - special for part in encoding.overflowing)
    unknown = tokenizer.unk_token_id
    return Tokenized(
        inputs=inputs,
        full_length=len(ids) + rest,
        unknown=0 if unknown is None else ids.count(unknown),
    )
