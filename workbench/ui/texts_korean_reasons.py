"""The sentences of the results in Korean: the keys and names of ``workbench.compare.reasons``."""

from __future__ import annotations

KOREAN_REASONS: dict[str, str] = {
    "identical": "비트까지 같은 숫자입니다",
    "identical-although": "비트까지 같은 숫자입니다: {causes}",
    "noise": "최대 차이 {size:.2g}, 부동소수점 잡음입니다. 같은 파이프라인끼리도 여기서 {floor:.2g}만큼 다릅니다",
    "noise-although": (
        "최대 차이 {size:.2g}, 부동소수점 잡음입니다. 같은 파이프라인끼리도 여기서 {floor:.2g}만큼 다릅니다; {causes}"
    ),
    "precision": (
        "{left} 계산은 {left_value}, {right} 계산은 {right_value}: 최대 차이 {size:.2g}, 그 반올림만 한 크기입니다"
    ),
    "precision-same": (
        "둘 다 {left_value} 정밀도로 계산하고 반올림하는 자리가 다릅니다: 최대 차이 {size:.2g}, 그 반올림만 한 크기입니다"
    ),
    "different": "{causes}; 문장 {texts}개 중 {count}개에서 다르고 최대 차이는 {size:.2g}입니다",
    "different-dimensions": "{causes}; 문장당 숫자가 {left} {left_dim}개, {right} {right_dim}개입니다",
    "different-unexplained": (
        "설정으로는 설명되지 않습니다: 문장 {texts}개 중 {count}개에서 다르고 최대 차이는 {size:.2g}, "
        "같은 파이프라인끼리의 차이는 {floor:.2g}입니다"
    ),
    "different-unexplained-dimensions": (
        "설정으로는 설명되지 않습니다: 문장당 숫자가 {left} {left_dim}개, {right} {right_dim}개입니다"
    ),
    "precision-beyond": (
        "{left} 계산은 {left_value}, {right} 계산은 {right_value}: 최대 차이 {size:.2g}, 그 반올림으로 설명되는 크기를 넘습니다"
    ),
    "model": "{left} 모델은 {left_value}, {right} 모델은 {right_value}입니다",
    "pooling": "풀링: {left} {left_value}, {right} {right_value}",
    "normalize": "{off} 열은 정규화하지 않습니다: 임베딩 길이가 1이 아니라 {shortest:.3g}부터 {longest:.3g}까지입니다",
    "use_mask": "{off} 열은 풀링에서 마스크를 무시합니다: 패딩도 글로 세어 임베딩이 배치에 따라 달라집니다",
    "padding-batch": (
        "둘 다 패딩까지 풀링하고 배치 크기가 {left} {left_value}, {right} {right_value}입니다: "
        "임베딩마다 배치에서 가장 긴 문장에 좌우됩니다"
    ),
    "max_length": (
        "{longer} 열은 {longer_value}토큰까지, {shorter} 열은 {shorter_value}토큰까지 읽습니다: "
        "문장 {texts}개 중 {count}개가 {shorter_value}토큰보다 깁니다"
    ),
    "max_length.one": (
        "{longer} 열은 {longer_value}토큰까지, {shorter} 열은 {shorter_value}토큰까지 읽습니다: "
        "문장 {texts}개 중 {count}개가 {shorter_value}토큰보다 깁니다"
    ),
    "lowercase": (
        "소문자화: {left} {left_value}, {right} {right_value}; "
        "문장 {texts}개 중 {count}개에서 토큰 수나 모르는 토큰이 다릅니다"
    ),
    "lowercase.one": (
        "소문자화: {left} {left_value}, {right} {right_value}; "
        "문장 {texts}개 중 {count}개에서 토큰 수나 모르는 토큰이 다릅니다"
    ),
    "lowercase-only": "소문자화: {left} {left_value}, {right} {right_value}",
    "also-uncut": "둘 다 자르지 않은 문장 {count}개도 다르므로 다른 원인도 있습니다",
    "also-uncut.one": "둘 다 자르지 않은 문장 {count}개도 다르므로 다른 원인도 있습니다",
    "prompt": "문장 앞의 프롬프트: {left} {left_value!r}, {right} {right_value!r}",
    "precision-too": "정밀도: {left} {left_value}, {right} {right_value}",
    "skipped-modules": "{off} 열은 모델에 있는 모듈을 빠뜨립니다: {modules}",
    "tokens": "문장 {texts}개 중 {count}개에서 두 열이 읽는 토큰이 다릅니다",
    "tokens.one": "문장 {texts}개 중 {count}개에서 두 열이 읽는 토큰이 다릅니다",
    "max_length-no-effect": (
        "max_length {left_value}, {right_value}: 여기서는 차이가 없습니다. {shortest}토큰보다 긴 문장이 없습니다"
    ),
    "no-effect": "{setting} {left_value}, {right_value}: 여기서는 차이가 없습니다",
    "script-unread": (
        "문장 {texts}개 중 {count}개가 {scripts} 글자로 쓰였고 글자당 토큰 {tokens_per_letter:.1f}개로 쪼개집니다: "
        "이 어휘에는 그 언어의 단어가 없어 유사도가 뜻을 거의 말해 주지 못합니다"
    ),
    "script-unread.one": (
        "문장 {texts}개 중 {count}개가 {scripts} 글자로 쓰였고 글자당 토큰 {tokens_per_letter:.1f}개로 쪼개집니다: "
        "이 어휘에는 그 언어의 단어가 없어 유사도가 뜻을 거의 말해 주지 못합니다"
    ),
    "unknown-tokens": (
        "문장 {texts}개 중 {count}개는 토큰의 4분의 1 이상이 어휘에 없습니다: "
        "모델에는 비슷하게 보여 유사도가 뜻을 거의 말해 주지 못합니다"
    ),
    "unknown-tokens.one": (
        "문장 {texts}개 중 {count}개는 토큰의 4분의 1 이상이 어휘에 없습니다: "
        "유사도가 뜻을 거의 말해 주지 못합니다"
    ),
}
