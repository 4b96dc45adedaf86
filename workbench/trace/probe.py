"""The standard probe set: short texts on which pipelines that differ show it, the same on every machine."""

from __future__ import annotations

_PARAGRAPH = (
    "A sentence embedding maps a text to a point, and texts of like meaning to points close together. "
    "What a pipeline does before the encoder decides more of it than most people think: the prompt, the "
    "casing, the special tokens, the place where a long text is cut. "
)

# Lengths, case, accents, scripts, emoji, combining marks, look-alikes of special tokens, white space, prompts.
PROBE: tuple[str, ...] = (
    "",
    " ",
    "a",
    "I",
    "hello world",
    "The quick brown fox jumps over the lazy dog.",
    "the quick brown fox jumps over the lazy dog.",
    "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG.",
    "NASA launched the iPhone on Mars!",
    "A man is eating food.",
    "A man is eating a piece of bread.",
    "Someone in a gorilla costume is playing a set of drums.",
    "How do I reset my password?",
    "Steps to change the password of your account",
    "café naïve façade Zürich São Paulo",
    "cafe naive facade Zurich Sao Paulo",
    "Ångström ŁÓDŹ İstanbul ıssız ß ẞ",
    "e\u0301 a\u030a o\u0308 n\u0303",
    "z\u0351\u036b\u0343\u036a\u0302a\u034c\u0341l\u0334g\u0321o\u0489",
    "ﬁne ﬂow Ⅷ ① ½ ² ™",
    "Das Wetter in Köln ist heute schön, morgen regnet es.",
    "한국어 문장도 몇 개 들어 있습니다.",
    "日本語のテキストを少し入れます。",
    "中文句子也有几个。",
    "Это предложение на русском языке.",
    "هذه جملة باللغة العربية.",
    "זה משפט בעברית.",
    "यह हिन्दी का एक वाक्य है।",
    "นี่คือประโยคภาษาไทย",
    "😀 emoji 👩‍👩‍👧 family 🏳️‍🌈",
    "[CLS] a text with [SEP] look-alikes [MASK] </s> <s> <pad> [PAD]",
    "<|endoftext|> <unk> [UNK] [INST]",
    "  leading and trailing  ",
    "runs   of    spaces\tand\ttabs",
    "two\nlines\r\nand three",
    "\u200bzero\u200bwidth\ufeff and \u00a0no-break\u3000ideographic spaces",
    "\u202eright to left override",
    "control \x07 characters \x1b[0m",
    "don't can't won't it's rock 'n' roll",
    "e-mail: a.b+c@example.org, https://example.org/a?b=c&d=%20#e",
    "1234567890 3.14159 1,000,000 1e-5 0x1F",
    "$100 €50 £20 ¥1000 50%",
    "f(x) = x**2 + 3*x; for (i = 0; i < n; i++) { s += a[i]; }",
    "SELECT * FROM texts WHERE length > 512;",
    "query: how tall is the tower",
    "passage: the tower is 330 metres tall",
    "Represent this sentence for searching relevant passages: towers",
    "supercalifragilisticexpialidocious pneumonoultramicroscopicsilicovolcanoconiosis",
    "x" * 120,
    "word " * 20,
    _PARAGRAPH,
    _PARAGRAPH * 3,
    "word " * 140,
    _PARAGRAPH * 7,
    "The end of this text matters: " + _PARAGRAPH * 13 + "and here it is.",
)
