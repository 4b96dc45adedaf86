"""The sentences of the tracer's causes in Korean: the keys and names of ``workbench.trace.causes_wording``."""

from __future__ import annotations

KOREAN_CAUSES: dict[str, str] = {
    "prompt-missing": "{left}은(는) 문장마다 프롬프트 {prompt!r}를 앞에 붙이는데 {right}에는 없습니다",
    "prompt-doubled": "{right}은(는) 문장마다 프롬프트 {prompt!r}를 두 번 붙입니다",
    "prompt-extra": "{right}은(는) 문장마다 프롬프트 {prompt!r}를 붙이고 {left}은(는) 붙이지 않습니다",
    "prompt-other": "프롬프트: {left}은(는) {left_value!r}, {right}은(는) {right_value!r}를 문장 앞에 붙입니다",
    "text-lowercased": "{right}이(가) 토크나이저 전에 글을 소문자로 바꿉니다: 문장 {texts}개 중 {count}개가 다릅니다",
    "text-whitespace": "{right}이(가) 토크나이저 전에 빈칸을 바꿉니다: 문장 {texts}개 중 {count}개가 다릅니다",
    "text-other": "{right}이(가) 문장 {texts}개 중 {count}개에서 토크나이저에 다른 글을 줍니다",
    "lowercase-off": (
        "소문자화: {left}은(는) 켜짐, {right}은(는) 꺼짐. 문장 {texts}개 중 {count}개에 어휘에 없을 수 있는 대문자가 남습니다"
    ),
    "lowercase-on": "소문자화: {left}은(는) 꺼짐, {right}은(는) 켜짐. 문장 {texts}개 중 {count}개가 대문자를 잃습니다",
    "accents-kept": "{left}은(는) 악센트를 없애고 {right}은(는) 둡니다: 문장 {texts}개 중 {count}개",
    "accents-stripped": "{right}은(는) 악센트를 없애고 {left}은(는) 둡니다: 문장 {texts}개 중 {count}개",
    "pieces-other": (
        "같은 글을 서로 다른 곳에서 나눕니다: 문장 {texts}개 중 {count}개. 조각이 {left} {left_value}개, "
        "{right} {right_value}개입니다"
    ),
    "normaliser-other": "둘은 문장 {texts}개 중 {count}개를 다르게 정규화합니다",
    "tokenizer-other": (
        "토크나이저가 다릅니다: {left} {left_value}, {right} {right_value}. 문장 {texts}개 중 {count}개의 id가 다릅니다"
    ),
    "tokens-other": "둘은 문장 {texts}개 중 {count}개에서 다른 토큰을 읽습니다",
    "specials-missing": (
        "{right}은(는) 특수 토큰을 {right_value}개, {left}은(는) {left_value}개 붙입니다: id {ids}이(가) 빠졌습니다"
    ),
    "specials-doubled": (
        "{right}은(는) 특수 토큰을 {right_value}개, {left}은(는) {left_value}개 붙입니다: id {ids}이(가) 두 번 붙습니다"
    ),
    "specials-other": "둘은 문장 {texts}개 중 {count}개에 다른 특수 토큰을 붙입니다",
    "max_length-side": "{right}은(는) {left}과(와) 반대쪽 끝을 자릅니다: 문장 {texts}개 중 {count}개",
    "max_length-shorter": (
        "{left}은(는) {left_value}토큰까지, {right}은(는) {right_value}토큰까지 읽습니다: "
        "문장 {texts}개 중 {count}개가 더 깁니다"
    ),
    "max_length-longer": (
        "{right}은(는) {right_value}토큰까지, {left}은(는) {left_value}토큰까지 읽습니다: "
        "문장 {texts}개 중 {count}개가 더 깁니다"
    ),
    "max_length-other": "둘은 문장 {texts}개 중 {count}개를 다른 곳에서 자릅니다",
    "mask-padding-baked": (
        "{right}은(는) tokenizer.json의 고정 패딩처럼 {width}토큰까지 패딩하고 그 패딩을 읽습니다"
    ),
    "mask-missing": (
        "{right}은(는) 인코더에 어텐션 마스크를 주지 않습니다: 문장 {texts}개 중 {count}개에서 패딩을 글로 읽습니다"
    ),
    "mask-hides-tokens": "{left}이(가) 읽는 토큰을 {right}이(가) 가립니다: 문장 {texts}개 중 {count}개",
    "type-ids": "토큰 타입 id: {left}은(는) {left_value}, {right}은(는) {right_value}입니다",
    "positions-shifted": (
        "위치 id: 첫 토큰이 {left}에서는 {left_value}, 패딩까지 세는 {right}에서는 {right_value}입니다. "
        "문장 {texts}개 중 {count}개"
    ),
    "padding-other": "인코더의 {name}이(가) 문장 {texts}개 중 {count}개에서 다릅니다",
    "training-mode": "{right}이(가) 학습 모드입니다: 드롭아웃 때문에 부를 때마다 숫자가 바뀝니다",
    "quantised": (
        "{right}은(는) {modules}개 층을 8비트 정수로 계산합니다: 반올림과, 배치에 따라 바뀌는 눈금 때문입니다"
    ),
    "weights-other": "가중치가 다릅니다: {left} {left_value}, {right} {right_value}. 이름은 같고 파일이나 판이 다릅니다",
    "embeddings-other": "같은 id인데 문장 {texts}개 중 {count}개에서 입력 임베딩이 다릅니다",
    "layer-wrong": "{right}은(는) 마지막인 {left_value}층 대신 {right_value}층의 출력을 풀링합니다",
    "layer-other": "입력은 같은데 문장 {texts}개 중 {count}개에서 {name}의 숫자가 다릅니다",
    "pooling-mean": "풀링: {left}은(는) {left_value}, {right}은(는) 토큰의 평균입니다",
    "pooling-cls": "풀링: {left}은(는) {left_value}, {right}은(는) 첫 토큰(CLS)입니다",
    "pooling-max": "풀링: {left}은(는) {left_value}, {right}은(는) 차원마다 가장 큰 값입니다",
    "pooling-lasttoken": "풀링: {left}은(는) {left_value}, {right}은(는) 마지막 토큰입니다",
    "pooling-mean_sqrt_len_tokens": "풀링: {left}은(는) {left_value}, {right}은(는) 합을 길이의 제곱근으로 나눈 값입니다",
    "pooling-weightedmean": "풀링: {left}은(는) {left_value}, {right}은(는) 위치로 가중한 평균입니다",
    "pooling-over-padding": (
        "{right}은(는) 풀링에서 마스크를 무시합니다: 패딩을 글로 세므로 임베딩이 배치에 따라 바뀝니다"
    ),
    "pooling-without-specials": "{right}은(는) 평균에서 특수 토큰을 빼고, {left}의 풀링은 {left_value}입니다",
    "pooling-pooler": "풀링: {left}은(는) {left_value}, {right}은(는) 다른 과제로 학습한 층인 pooler_output입니다",
    "pooling-first-column": "{right}은(는) 패딩한 배치의 첫 열을 씁니다: 왼쪽 패딩이면 그것은 패딩입니다",
    "pooling-last-column": "{right}은(는) 패딩한 배치의 마지막 열을 씁니다: 가장 긴 문장 말고는 패딩입니다",
    "pooling-other": "둘은 문장 {texts}개 중 {count}개를 다르게 풀링합니다",
    "normalize-missing": (
        "{right}은(는) 정규화하지 않습니다: 임베딩의 길이가 1이 아니라 {shortest:.3g}에서 {longest:.3g}까지입니다"
    ),
    "normalize-extra": (
        "{right}은(는) 정규화하고 {left}은(는) 하지 않습니다: {left}의 길이는 {shortest:.3g}에서 {longest:.3g}까지입니다"
    ),
    "skipped-modules": "{right}에 모델의 모듈이 빠졌습니다: {modules}",
    "dimension-cut": "{right}은(는) {left_value}차원 중 {right_value}차원만 남깁니다",
    "module-other": "입력은 같은데 문장 {texts}개 중 {count}개에서 {name}의 숫자가 다릅니다",
    "precision": "{left} 계산은 {left_value}, {right} 계산은 {right_value}: 그 반올림만 한 차이입니다",
    "order-not-restored": "{right}이(가) 행을 문장과 다른 순서로 돌려줍니다: 문장 {texts}개 중 {count}개",
    "batching-other": "돌려준 것이 마지막 모듈의 결과가 아닙니다: 문장 {texts}개 중 {count}개",
    "similarity-other": "유사도: {left}은(는) {left_value}, {right}은(는) {right_value}입니다",
    "scores-other": "임베딩은 같은데 문장 {texts}개 중 {count}개의 점수가 다릅니다",
    "ranking-other": "점수는 같은데 문장 {texts}개 중 {count}개의 이웃이 다릅니다",
    "unexplained": "둘은 {stage}의 {name}에서 갈라집니다: 문장 {texts}개 중 {count}개. 알려진 원인에 맞지 않습니다",
}
