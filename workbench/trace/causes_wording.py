"""The sentence and the fix of each cause, by key; what fills them comes from the cause's test."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "prompt-missing": "{right} leaves out the prompt {prompt!r} that {left} puts before each text",
    "prompt-doubled": "{right} puts the prompt {prompt!r} before each text twice",
    "prompt-extra": "{right} puts the prompt {prompt!r} before each text, {left} none",
    "prompt-other": "prompt: {left_value!r} before each text in {left} against {right_value!r} in {right}",
    "text-lowercased": "{right} lower-cases the text itself, before the tokenizer: {count} of {texts} texts differ",
    "text-whitespace": "{right} changes white space before the tokenizer: {count} of {texts} texts differ",
    "text-other": "{right} hands other text to the tokenizer in {count} of {texts} texts",
    "lowercase-off": (
        "lower-casing: on in {left}, off in {right}; {count} of {texts} texts keep capitals that the "
        "vocabulary may not know"
    ),
    "lowercase-on": "lower-casing: off in {left}, on in {right}; {count} of {texts} texts lose their capitals",
    "accents-kept": "{left} strips accents, {right} keeps them, in {count} of {texts} texts",
    "accents-stripped": "{right} strips accents, {left} keeps them, in {count} of {texts} texts",
    "pieces-other": (
        "the two split the same normalised text at other places, in {count} of {texts} texts: "
        "{left_value} pieces in {left} against {right_value} in {right}"
    ),
    "normaliser-other": "the two normalise {count} of {texts} texts in other ways",
    "tokenizer-other": (
        "{left} uses the tokenizer {left_value}, {right} the tokenizer {right_value}: other ids in "
        "{count} of {texts} texts"
    ),
    "tokens-other": "the two read other tokens in {count} of {texts} texts",
    "specials-missing": (
        "{right} puts {right_value} special tokens around a text, {left} {left_value}: id {ids} is missing"
    ),
    "specials-doubled": (
        "{right} puts {right_value} special tokens around a text, {left} {left_value}: id {ids} is doubled"
    ),
    "specials-other": "the two put other special tokens around {count} of {texts} texts",
    "max_length-side": "{right} cuts the other end of a text than {left}, in {count} of {texts} texts",
    "max_length-shorter": (
        "{left} reads up to {left_value} tokens, {right} {right_value}: {count} of {texts} texts are longer"
    ),
    "max_length-longer": (
        "{right} reads up to {right_value} tokens, {left} {left_value}: {count} of {texts} texts are longer"
    ),
    "max_length-other": "the two cut {count} of {texts} texts at other places",
    "mask-padding-baked": (
        "{right} pads texts to {width} tokens, as a fixed padding in tokenizer.json does, and reads the padding"
    ),
    "mask-missing": (
        "{right} does not give the encoder the attention mask: in {count} of {texts} texts padding is read "
        "as text"
    ),
    "mask-hides-tokens": "{right} masks tokens that {left} reads, in {count} of {texts} texts",
    "type-ids": "token type ids: {left_value} in {left} against {right_value} in {right}",
    "positions-shifted": (
        "position ids: the first token of a text has {left_value} in {left} and {right_value} in {right}, "
        "where they count the padding; {count} of {texts} texts"
    ),
    "padding-other": "{name} of the encoder differs in {count} of {texts} texts",
    "training-mode": "{right} is in training mode: dropout changes its numbers at every call",
    "quantised": (
        "{right} computes {modules} layers in 8-bit integers: rounding, and a scale that depends on the batch"
    ),
    "weights-other": (
        "{left} holds the weights {left_value}, {right} {right_value}: same name, other files or revision"
    ),
    "embeddings-other": "the input embeddings differ in {count} of {texts} texts, from the same ids",
    "layer-wrong": "{right} pools the output of layer {right_value} instead of {left_value}, the last",
    "layer-other": "{name} gives other numbers from the same input, in {count} of {texts} texts",
    "pooling-mean": "pooling: {left_value} in {left} against the mean of the tokens in {right}",
    "pooling-cls": "pooling: {left_value} in {left} against the first token (CLS) in {right}",
    "pooling-max": "pooling: {left_value} in {left} against the largest value of each dimension in {right}",
    "pooling-lasttoken": "pooling: {left_value} in {left} against the last token in {right}",
    "pooling-mean_sqrt_len_tokens": (
        "pooling: {left_value} in {left} against the sum over the root of the length in {right}"
    ),
    "pooling-weightedmean": "pooling: {left_value} in {left} against the mean weighted by position in {right}",
    "pooling-over-padding": (
        "{right} ignores the mask in pooling: padding counts as text, so an embedding depends on its batch"
    ),
    "pooling-without-specials": "{right} leaves the special tokens out of the mean, {left} pools {left_value}",
    "pooling-pooler": (
        "pooling: {left_value} in {left} against pooler_output in {right}, a layer trained for another task"
    ),
    "pooling-first-column": (
        "{right} takes the first column of the padded batch: with padding on the left that is padding"
    ),
    "pooling-last-column": (
        "{right} takes the last column of the padded batch: in all but the longest text that is padding"
    ),
    "pooling-other": "the two pool {count} of {texts} texts in other ways",
    "normalize-missing": (
        "{right} does not normalise: its embeddings have lengths from {shortest:.3g} to {longest:.3g} "
        "instead of 1"
    ),
    "normalize-extra": (
        "{right} normalises, {left} does not: the embeddings there have lengths from {shortest:.3g} to "
        "{longest:.3g}"
    ),
    "skipped-modules": "{right} leaves out a module that the model has: {modules}",
    "dimension-cut": "{right} keeps {right_value} of {left_value} dimensions",
    "module-other": "{name} gives other numbers from the same input, in {count} of {texts} texts",
    "precision": "{left} computes in {left_value}, {right} in {right_value}: of the size of that rounding",
    "order-not-restored": "{right} returns the rows in another order than the texts, in {count} of {texts} texts",
    "batching-other": "what is returned is not what the last module gave, in {count} of {texts} texts",
    "similarity-other": "similarity: {left_value} in {left} against {right_value} in {right}",
    "scores-other": "other scores from the same embeddings, in {count} of {texts} texts",
    "ranking-other": "other neighbours from the same scores, in {count} of {texts} texts",
    "unexplained": "the two part at {stage} {name}, in {count} of {texts} texts, and no known cause fits",
}

_NORMALISER = (
    "from transformers import AutoTokenizer\n"
    "tokenizer = AutoTokenizer.from_pretrained(model_folder)  # its tokenizer.json holds the normaliser\n"
    "# pass no do_lower_case and no strip_accents; sentence_bert_config.json's do_lower_case is another switch"
)
_MEAN = (
    'mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)\n'
    "embeddings = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)"
)
_LENGTH = (
    'batch = tokenizer(texts, padding=True, truncation=True, max_length={left_value}, return_tensors="pt")'
)
_POOL_AS_LEFT = "# pool as {left} does: {left_value}\n"

FIXES: Mapping[str, str] = {
    "prompt-missing": "texts = [{prompt!r} + text for text in texts]",
    "prompt-doubled": "texts = [text.removeprefix({prompt!r}) for text in texts]  # the library adds it once",
    "prompt-extra": "texts = [text.removeprefix({prompt!r}) for text in texts]",
    "prompt-other": "texts = [{left_value!r} + text for text in texts]  # instead of {right_value!r}",
    "text-lowercased": "# hand the text over as it is: the tokenizer decides about its case",
    "text-whitespace": "# hand the text over as it is, without strip() or split()",
    "lowercase-off": _NORMALISER,
    "lowercase-on": _NORMALISER,
    "accents-kept": _NORMALISER,
    "accents-stripped": _NORMALISER,
    "pieces-other": _NORMALISER,
    "normaliser-other": _NORMALISER,
    "tokenizer-other": (
        "from transformers import AutoTokenizer\n"
        "tokenizer = AutoTokenizer.from_pretrained(model_folder, revision=commit)  # the model's own files"
    ),
    "specials-missing": (
        'batch = tokenizer(texts, padding=True, truncation=True, return_tensors="pt", '
        "add_special_tokens=True)"
    ),
    "specials-doubled": (
        'batch = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")  '
        "# adds them; do not write them into the text as well"
    ),
    "max_length-side": 'tokenizer.truncation_side = "right"',
    "max_length-shorter": _LENGTH,
    "max_length-longer": _LENGTH,
    "mask-padding-baked": (
        'tokenizer.backend_tokenizer.no_padding()  # or remove "padding" from tokenizer.json\n'
        'batch = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")\n'
        'outputs = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])'
    ),
    "mask-missing": 'outputs = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])',
    "mask-hides-tokens": "outputs = model(**batch)  # with the mask as the tokenizer gave it",
    "type-ids": 'batch["token_type_ids"] = torch.zeros_like(batch["input_ids"])',
    "positions-shifted": (
        'tokenizer.padding_side = "right"\n'
        "# or, with padding on the left:\n"
        'position_ids = (batch["attention_mask"].cumsum(1) - 1).clamp(min=0)\n'
        "outputs = model(**batch, position_ids=position_ids)"
    ),
    "training-mode": "model.eval()",
    "quantised": "# load the float32 weights, or calibrate a static int8 model whose scales do not see padding",
    "weights-other": "model = AutoModel.from_pretrained(name, revision=commit)  # the same commit on both sides",
    "layer-wrong": "hidden = outputs.last_hidden_state",
    "pooling-mean": _POOL_AS_LEFT,
    "pooling-cls": _POOL_AS_LEFT + _MEAN,
    "pooling-max": _POOL_AS_LEFT + _MEAN,
    "pooling-lasttoken": _POOL_AS_LEFT + _MEAN,
    "pooling-mean_sqrt_len_tokens": _POOL_AS_LEFT + _MEAN,
    "pooling-weightedmean": _POOL_AS_LEFT + _MEAN,
    "pooling-over-padding": _MEAN,
    "pooling-without-specials": _MEAN,
    "pooling-pooler": "hidden = outputs.last_hidden_state  # not outputs.pooler_output\n" + _MEAN,
    "pooling-first-column": 'embeddings = hidden[torch.arange(len(hidden)), batch["attention_mask"].argmax(1)]',
    "pooling-last-column": _POOL_AS_LEFT + _MEAN,
    "normalize-missing": "embeddings = torch.nn.functional.normalize(embeddings, p=2, dim=1)",
    "normalize-extra": "# do not normalise: the model has no Normalize module",
    "skipped-modules": (
        "from sentence_transformers import SentenceTransformer\n"
        "embeddings = SentenceTransformer(model_folder).encode(texts)  # runs {modules} too"
    ),
    "dimension-cut": "embeddings = model.encode(texts, truncate_dim=None)",
    "precision": "model = AutoModel.from_pretrained(model_folder, dtype=torch.{left_value})",
    "order-not-restored": "embeddings = embeddings[torch.tensor(order).argsort()]",
    "similarity-other": (
        "from sentence_transformers.util import cos_sim\nscores = cos_sim(queries, corpus)  # {left_value}"
    ),
}
# A mean is written out only where mean is meant; the other ways are named.
