"""The rules of the lint: a test on a folder's facts, what it means for each runtime, and the cure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workbench.trace.lint_files import RESERVED, FolderFacts, special_tokens

ST = "sentence-transformers"
HAND = "transformers by hand"
TEI = "text-embeddings-inference"
RUST = "tokenizers (Rust, Node, fastembed)"
GGUF = "llama.cpp, Ollama"
JS = "transformers.js"
VLLM = "vLLM, infinity"

_USUAL = ("Transformer", "Pooling", "Normalize")
_CLASS_OF = {
    "bert": "Bert",
    "distilbert": "DistilBert",
    "roberta": "Roberta",
    "xlm-roberta": "XLMRoberta",
    "mpnet": "MPNet",
    "albert": "Albert",
    "camembert": "Camembert",
}
_GENERIC = ("PreTrainedTokenizerFast", "PreTrainedTokenizer", "TokenizersBackend")
# Families whose cased text has always gone in whole: no start token, nothing to find.
_NEEDS_SPECIALS = tuple(_CLASS_OF)


@dataclass(frozen=True)
class Rule:
    """One rule; ``test`` gives what fills the texts, None where there is nothing to find."""

    code: str
    severity: Literal["error", "warning", "note"]
    where: str
    message: str
    consequences: Mapping[str, str]
    fix: str
    test: Callable[[FolderFacts], dict[str, Any] | None]


def _broken(facts: FolderFacts) -> dict[str, Any] | None:
    if not facts.broken:
        return None
    name, why = next(iter(sorted(facts.broken.items())))
    return {"name": name, "why": why}


def _missing(name: str) -> Callable[[FolderFacts], dict[str, Any] | None]:
    def test(facts: FolderFacts) -> dict[str, Any] | None:
        gone = name not in facts.files and name not in facts.broken
        return {} if gone and (facts.modules or ("Transformer",))[0] == "Transformer" else None

    return test


def _no_weights(facts: FolderFacts) -> dict[str, Any] | None:
    return {} if not facts.weights and not facts.pickles and "model.safetensors" not in facts.broken else None


def _pickle_only(facts: FolderFacts) -> dict[str, Any] | None:
    return {"name": facts.pickles[0]} if facts.pickles and not facts.weights else None


def _contradicting_lengths(facts: FolderFacts) -> dict[str, Any] | None:
    if len(set(facts.lengths.values())) < 2:
        return None
    return {
        "lengths": ", ".join(f"{value} in {place}" for place, value in facts.lengths.items()),
        "st": facts.lengths.get("sentence_bert_config.json max_seq_length", "the smaller of the rest"),
        "rust": facts.lengths.get("tokenizer.json truncation", "no limit"),
        "hand": facts.lengths.get("tokenizer_config.json model_max_length", "no limit"),
    }


def _positions(facts: FolderFacts) -> int | None:
    rows = facts.get("config.json", "max_position_embeddings")
    if not isinstance(rows, int) or rows < 1:
        return None
    return rows - RESERVED.get(str(facts.get("config.json", "model_type")), 0)


def _too_long(facts: FolderFacts) -> dict[str, Any] | None:
    positions = _positions(facts)
    longest = facts.lengths.get("sentence_bert_config.json max_seq_length")
    return (
        {"longest": longest, "positions": positions}
        if positions and longest and longest > positions
        else None
    )


def _no_length(facts: FolderFacts) -> dict[str, Any] | None:
    return {} if facts.files and not facts.lengths and "tokenizer.json" in facts.files else None


def _baked_padding(facts: FolderFacts) -> dict[str, Any] | None:
    strategy = facts.get("tokenizer.json", "padding", "strategy")
    return {"width": strategy["Fixed"]} if isinstance(strategy, dict) and "Fixed" in strategy else None


def _contradicting_case(facts: FolderFacts) -> dict[str, Any] | None:
    if len(set(facts.casing.values())) < 2:
        return None
    said = ", ".join(f"{str(value).lower()} in {place}" for place, value in facts.casing.items())
    truth = facts.casing.get(
        "tokenizer.json normalizer", facts.casing.get("tokenizer_config.json do_lower_case")
    )
    return {"said": said, "truth": "lower-cases" if truth else "keeps capitals"}


def _no_modules(facts: FolderFacts) -> dict[str, Any] | None:
    return {} if facts.modules is None and "modules.json" not in facts.broken else None


def _no_pooling(facts: FolderFacts) -> dict[str, Any] | None:
    names = facts.modules
    return {} if names and names[0] == "Transformer" and "Pooling" not in names else None


def _no_pooling_config(facts: FolderFacts) -> dict[str, Any] | None:
    gone = "Pooling" in (facts.modules or ()) and facts.module_configs.get("Pooling") is None
    return {} if gone and not any("Pooling" in name for name in facts.broken) else None


def _pooling_width(facts: FolderFacts) -> dict[str, Any] | None:
    config = facts.module_configs.get("Pooling")
    hidden = facts.get("config.json", "hidden_size")
    if not isinstance(config, dict) or not isinstance(hidden, int):
        return None
    width = config.get("word_embedding_dimension", config.get("embedding_dimension"))
    return {"width": width, "hidden": hidden} if isinstance(width, int) and width != hidden else None


def pooling_modes(facts: FolderFacts) -> list[str]:
    """Modes that the Pooling config turns on, in either of its two spellings."""
    config = facts.module_configs.get("Pooling")
    if not isinstance(config, dict):
        return []
    named = config.get("pooling_mode")
    if named is not None:
        return [str(mode) for mode in (named if isinstance(named, list) else [named])]
    keys = [key for key, value in config.items() if key.startswith("pooling_mode_") and value is True]
    return [key.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token") for key in keys]


def _no_mode(facts: FolderFacts) -> dict[str, Any] | None:
    return {} if isinstance(facts.module_configs.get("Pooling"), dict) and not pooling_modes(facts) else None


def _not_mean(facts: FolderFacts) -> dict[str, Any] | None:
    modes = pooling_modes(facts)
    return {"modes": " + ".join(modes)} if modes and modes != ["mean"] else None


def _extra_modules(facts: FolderFacts) -> dict[str, Any] | None:
    extra = [name for name in facts.modules or () if name not in (*_USUAL, "StaticEmbedding")]
    return {"modules": ", ".join(extra)} if extra else None


def _prompts(facts: FolderFacts) -> dict[str, Any] | None:
    prompts = facts.get("config_sentence_transformers.json", "prompts")
    named = facts.get("config_sentence_transformers.json", "default_prompt_name")
    if not isinstance(prompts, dict) or not any(prompts.values()):
        return None
    applied = f"{prompts.get(named)!r} by default" if named else "none unless it is named"
    return {"names": ", ".join(map(str, prompts)), "applied": applied}


def _half(facts: FolderFacts) -> dict[str, Any] | None:
    half = sorted(facts.dtypes & {"F16", "BF16"})
    return {"dtypes": ", ".join(half)} if half else None


def _tokenizer_class(facts: FolderFacts) -> dict[str, Any] | None:
    name = facts.get("tokenizer_config.json", "tokenizer_class")
    family = str(facts.get("config.json", "model_type"))
    if "tokenizer_config.json" not in facts.files or family not in _CLASS_OF:
        return None
    if name is None:
        return {"name": "not stated", "family": family}
    wanted = _CLASS_OF[family]
    fits = name in _GENERIC or str(name).removesuffix("Fast").removesuffix("Tokenizer") == wanted
    return None if fits else {"name": str(name)[:60], "family": family}


def _no_specials(facts: FolderFacts) -> dict[str, Any] | None:
    if "tokenizer.json" not in facts.files:
        return None
    if str(facts.get("config.json", "model_type")) not in _NEEDS_SPECIALS:
        return None
    around = special_tokens(facts)
    return {} if around is None or not (around["prefix"] or around["suffix"]) else None


def _vocabulary(facts: FolderFacts) -> dict[str, Any] | None:
    vocabulary = facts.get("tokenizer.json", "model", "vocab")
    rows = facts.get("config.json", "vocab_size")
    if not isinstance(vocabulary, dict | list) or not isinstance(rows, int):
        return None
    added = facts.get("tokenizer.json", "added_tokens") or []
    ids = list(vocabulary.values()) if isinstance(vocabulary, dict) else [len(vocabulary) - 1]
    ids += [token["id"] for token in added if isinstance(token, dict) and isinstance(token.get("id"), int)]
    largest = max((index for index in ids if isinstance(index, int)), default=-1)
    return {"largest": largest, "rows": rows} if largest >= rows else None


RULES: tuple[Rule, ...] = (
    Rule(
        "file-broken",
        "error",
        "{name}",
        "{why}",
        {ST: "does not load, or takes a default", HAND: "does not load, or takes a default"},
        "Download the file again from the model's own repository",
        _broken,
    ),
    Rule(
        "config-missing",
        "error",
        "config.json",
        "config.json is missing",
        {ST: "does not load", HAND: "does not load"},
        "Copy config.json from the original model",
        _missing("config.json"),
    ),
    Rule(
        "weights-missing",
        "error",
        "model.safetensors",
        "there are no weights",
        {ST: "does not load", HAND: "does not load"},
        "Copy model.safetensors from the original model",
        _no_weights,
    ),
    Rule(
        "weights-pickle-only",
        "warning",
        "{name}",
        "the weights are a pickle alone, which runs code when it is opened",
        {ST: "refuses it with use_safetensors=True", TEI: "converts it or refuses it"},
        "Save the model again with safetensors",
        _pickle_only,
    ),
    Rule(
        "tokenizer-missing",
        "error",
        "tokenizer.json",
        "tokenizer.json is missing",
        {
            ST: "builds some tokenizer from what is left, and may give other ids without a word",
            HAND: "the same",
            TEI: "does not start",
            RUST: "does not load",
        },
        "Save the tokenizer with the model: tokenizer.save_pretrained(folder)",
        _missing("tokenizer.json"),
    ),
    Rule(
        "tokenizer-config-missing",
        "warning",
        "tokenizer_config.json",
        "tokenizer_config.json is missing",
        {ST: "takes a tokenizer class from config.json and no length limit", HAND: "the same"},
        "Save the tokenizer with the model: tokenizer.save_pretrained(folder)",
        _missing("tokenizer_config.json"),
    ),
    Rule(
        "length-contradiction",
        "warning",
        "tokenizer.json, tokenizer_config.json, sentence_bert_config.json",
        "the longest input is {lengths}",
        {
            ST: "cuts at {st}",
            HAND: "truncation=True without max_length cuts at {hand}",
            RUST: "cuts at {rust}, as tokenizer.json says",
            TEI: "takes the smallest of what it reads, or the positions of the encoder",
        },
        "Write one length into all of them; load and save the model here, which does it",
        _contradicting_lengths,
    ),
    Rule(
        "length-beyond-positions",
        "error",
        "sentence_bert_config.json",
        "max_seq_length is {longest}, and the encoder has positions for {positions} tokens",
        {ST: "fails on the first long text", HAND: "fails on the first long text", TEI: "does not start"},
        "Set max_seq_length to {positions} or less",
        _too_long,
    ),
    Rule(
        "length-missing",
        "note",
        "tokenizer_config.json, sentence_bert_config.json",
        "no file states the longest input",
        {
            ST: "takes the encoder's positions",
            HAND: "does not cut at all and fails on a long text",
            RUST: "does not cut at all",
        },
        "Write max_seq_length into sentence_bert_config.json and model_max_length into tokenizer_config.json",
        _no_length,
    ),
    Rule(
        "padding-baked",
        "warning",
        "tokenizer.json",
        "every text is padded to {width} tokens",
        {
            ST: "is not affected: it pads for itself",
            RUST: "pads to {width}; where the mask is then not used, padding is read as text",
            JS: "pads to {width} unless told otherwise",
        },
        'Set "padding" to null in tokenizer.json',
        _baked_padding,
    ),
    Rule(
        "casing-contradiction",
        "warning",
        "tokenizer.json, tokenizer_config.json, sentence_bert_config.json",
        "lower-casing is {said}",
        {
            ST: "{truth}: its own do_lower_case comes on top of the tokenizer's and turns nothing off",
            VLLM: "read sentence_bert_config.json's false as 'keep capitals' (vllm#11184)",
            RUST: "follows tokenizer.json",
        },
        "Remove do_lower_case from sentence_bert_config.json, and let tokenizer_config.json agree with "
        "tokenizer.json",
        _contradicting_case,
    ),
    Rule(
        "modules-missing",
        "warning",
        "modules.json",
        "modules.json is missing: nothing says how tokens become one vector",
        {
            ST: "assumes mean pooling without normalisation, with a log line",
            TEI: "asks for --pooling, or takes CLS",
            GGUF: "takes the pooling of its converter",
        },
        "Save the model with sentence-transformers, or add modules.json and 1_Pooling/config.json",
        _no_modules,
    ),
    Rule(
        "pooling-missing",
        "error",
        "modules.json",
        "there is no Pooling module after the encoder",
        {ST: "gives token vectors, no sentence embedding", TEI: "takes CLS or asks", HAND: "has to guess"},
        "Add a Pooling module with the mode that the model was trained with",
        _no_pooling,
    ),
    Rule(
        "pooling-config-missing",
        "error",
        "1_Pooling/config.json",
        "the Pooling module's config.json is missing",
        {ST: "does not load, or takes the mean", TEI: "takes CLS or asks", GGUF: "takes its own default"},
        "Copy 1_Pooling/config.json from the original model",
        _no_pooling_config,
    ),
    Rule(
        "pooling-mode-missing",
        "error",
        "1_Pooling/config.json",
        "no pooling mode is on",
        {ST: "takes a default without a word", TEI: "refuses it"},
        "Turn on the mode that the model was trained with",
        _no_mode,
    ),
    Rule(
        "pooling-width",
        "error",
        "1_Pooling/config.json",
        "the pooling is for vectors of {width}, the encoder gives {hidden}",
        {ST: "ignores it and reports a wrong dimension"},
        "Set the dimension to {hidden}",
        _pooling_width,
    ),
    Rule(
        "pooling-not-mean",
        "note",
        "1_Pooling/config.json",
        "the pooling is {modes}, not the mean",
        {HAND: "recipes with the mean give other vectors", JS: "needs pooling named in the call"},
        "Tell users of other runtimes to pool by {modes}",
        _not_mean,
    ),
    Rule(
        "modules-extra",
        "warning",
        "modules.json",
        "the model needs {modules} beside pooling and normalisation",
        {
            HAND: "leaves it out",
            TEI: "ran without Dense before 1.8 (TEI#732)",
            JS: "leaves it out (transformers.js#230)",
            GGUF: "leaves it out",
        },
        "Use sentence-transformers, or apply {modules} by hand after the pooling",
        _extra_modules,
    ),
    Rule(
        "prompts",
        "warning",
        "config_sentence_transformers.json",
        "the model was trained with prompts: {names}",
        {
            ST: "applies {applied}",
            HAND: "applies none",
            TEI: "applies one where prompt_name is asked for",
            GGUF: "applies none",
        },
        "Put the prompt before each text in runtimes that do not read this file",
        _prompts,
    ),
    Rule(
        "weights-half",
        "warning",
        "model.safetensors",
        "the weights are stored as {dtypes}",
        {
            ST: "loads them in that type from transformers 5 on, in float32 before",
            HAND: "the same; on a CPU half precision is slow and less exact",
        },
        "Name the type when loading, such as dtype=torch.float32",
        _half,
    ),
    Rule(
        "tokenizer-class",
        "warning",
        "tokenizer_config.json",
        "the tokenizer class is {name}, and the model is a {family}",
        {
            ST: "may build a fallback tokenizer with other ids (mteb#5377)",
            HAND: "the same",
            RUST: "is not affected: it reads tokenizer.json",
        },
        "Save the tokenizer again with the class of the family",
        _tokenizer_class,
    ),
    Rule(
        "special-tokens-missing",
        "warning",
        "tokenizer.json",
        "the post-processor puts no special tokens around a text",
        {
            RUST: "reads texts without [CLS] and [SEP]",
            TEI: "the same",
            HAND: "the same, from transformers 5 on",
        },
        "Take tokenizer.json from the original model",
        _no_specials,
    ),
    Rule(
        "vocabulary-too-large",
        "error",
        "tokenizer.json, config.json",
        "the largest token id is {largest}, the embedding matrix has {rows} rows",
        {ST: "fails, or reads another row, at the first such token", TEI: "fails"},
        "Take tokenizer and weights from the same model",
        _vocabulary,
    ),
)
