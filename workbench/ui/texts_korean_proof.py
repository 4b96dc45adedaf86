"""The sentences of a proof and the words of its report in Korean."""

from __future__ import annotations

KOREAN_PROOF: dict[str, str] = {
    "better": (
        "{candidate} 모델이 {reference}보다 낫습니다: {metric} {value:+.4f}, {level:.0%} 구간 {low:+.4f} ~ "
        "{high:+.4f}, 항목 {items:,}개 (p {p:.2g}, 기준 {alpha:.1%})"
    ),
    "worse": (
        "{candidate} 모델이 {reference}보다 나쁩니다: {metric} {value:+.4f}, {level:.0%} 구간 {low:+.4f} ~ "
        "{high:+.4f}, 항목 {items:,}개 (p {p:.2g}, 기준 {alpha:.1%})"
    ),
    "not-shown": (
        "{candidate}와 {reference}의 차이가 입증되지 않았습니다: {metric} {value:+.4f}, {level:.0%} 구간 "
        "{low:+.4f} ~ {high:+.4f}, 항목 {items:,}개"
    ),
    "not-shown-corrected": (
        "구간만 보면 {candidate}와 {reference}가 다르지만 ({metric} {value:+.4f}, {low:+.4f} ~ {high:+.4f}), "
        "교환 검정과 여러 모델에 대한 홀름 보정을 거친 p값은 {p:.2g}로 {alpha:.1%}를 넘습니다"
    ),
    "no-difference": (
        "{candidate}와 {reference}가 같습니다: 항목 {items:,}개를 어떻게 다시 뽑아도 {metric} 값이 같습니다"
    ),
    "undefined": "{metric} 값이 없어 아무것도 입증되지 않았습니다: {why}",
    "smallest": (
        "항목 {items:,}개로는 {metric}의 실제 차이가 {smallest:.4f} 이상일 때 {power:.0%}의 경우에 드러납니다. "
        "그보다 작으면 대개 드러나지 않습니다"
    ),
    "more-items": (
        "차이가 정말 {value:+.4f}라면 항목이 {more:,}개쯤 더 있어야 {power:.0%}의 경우에 드러납니다"
    ),
    "more-seeds": (
        "항목을 늘리는 것만으로는 이 차이를 보일 수 없습니다. 시드 {seeds}개의 결과가 너무 들쭉날쭉하니 "
        "시드를 늘려 학습하세요"
    ),
    "other-better": (
        "학습하지 않은 {reference}가 {candidate}보다 {metric} {value:.4f}만큼 낫습니다. 이 바탕 모델을 "
        "학습하는 것이 잘못된 선택일 수 있습니다"
    ),
    "other-ahead": (
        "학습하지 않은 {reference}의 {metric} 점수가 {value:.4f} 높고, {candidate}가 낫다는 것은 입증되지 "
        "않았습니다"
    ),
    "other-beaten": "{candidate}는 학습하지 않은 {reference}보다도 {metric} {value:.4f}만큼 낫습니다",
    "other-not-beaten": (
        "{candidate}가 학습하지 않은 {reference}보다 {metric} {value:.4f} 앞서지만 차이로 입증되지는 않았습니다"
    ),
    "other-undefined": "{reference}와는 비교할 수 없습니다: {why}",
    "forgetting-fell": (
        "잊어버렸습니다: {source}에서 바탕 모델보다 {value:+.4f} 나빠졌습니다 ({low:+.4f} ~ {high:+.4f})"
    ),
    "forgetting-held": (
        "잊지 않았습니다: {source}에서 잃은 것이 {margin:g}를 넘지 않습니다 ({value:+.4f}, {low:+.4f} ~ "
        "{high:+.4f})"
    ),
    "forgetting-not-shown": (
        "{source}의 항목 {items:,}개로는 잊었는지 알 수 없습니다: {value:+.4f}, {low:+.4f} ~ {high:+.4f}"
    ),
    "leaks-unknown": "평가 항목이 학습 데이터에 들어 있는지 아무도 확인하지 않았습니다",
    "leaks-left-out": "평가 항목 {items:,}개 중 {count}개가 학습 데이터에 있어 뺐습니다",
    "leaks-left-out.one": "평가 항목 {items:,}개 중 {count}개가 학습 데이터에 있어 뺐습니다",
    "texts-shared": "평가 문장 {texts:,}개 중 {count}개가 어떤 학습 행에 들어 있습니다",
    "texts-shared.one": "평가 문장 {texts:,}개 중 {count}개가 어떤 학습 행에 들어 있습니다",
    "few-items": "항목이 {items}개뿐입니다. {least}개보다 적으면 판정이 무엇이든 큰 뜻이 없습니다",
    "one-seed": (
        "시드 하나입니다. 지금 나온 {candidate}에 대한 말이며, 다시 학습하면 어떻게 될지는 말하지 않습니다"
    ),
    "few-seeds": "시드가 {seeds}개뿐이라 퍼짐을 거의 알 수 없고, 그래서 구간이 넓어집니다",
}

KOREAN_PROOF_LABELS: dict[str, str] = {
    "title": "미세 조정의 증명",
    "better": "더 낫다",
    "worse": "더 나쁘다",
    "not shown": "입증되지 않음",
    "fell": "떨어짐",
    "held": "유지됨",
    "choice": "쓰기 전에: 학습하지 않은 {choice}가 뒤지지 않습니다",
    "baselines": "기준 모델",
    "baselines-note": "학습 없이 쓸 수 있는 것: 같은 항목 {items:,}개에서 잰 {metric}, 그리고 학습한 모델과의 차이.",
    "best-other": "학습하지 않은 다른 모델 중 최고",
    "no-other": "학습하지 않은 다른 모델은 판정하지 않았습니다.",
    "differences": "학습한 모델 − 학습하지 않은 모델, 평가 데이터에서",
    "differences-note": (
        "막대는 짝지어 {resamples:,}번 다시 뽑은 {level:.0%} 구간이며 시드까지 들어 있습니다. p는 한쪽 검정이고 "
        "지표마다 모델들에 대해 홀름 방법으로 보정했습니다. 판정은 바탕 모델에 대한 {primary}의 차이입니다."
    ),
    "scores": "점수",
    "scores-note": "구간은 점수 하나하나의 것입니다. 구간이 겹친다고 차이가 없다는 뜻은 아닙니다.",
    "seeds": "시드",
    "seeds-note": "평균 {mean:.4f}, 표준편차 {deviation}, 학습 {count}번",
    "detectable": "이 데이터로 보일 수 있는 것",
    "detectable-note": "{basis}: {metric}의 차이 {smallest:.4f}가 {power:.0%}의 경우에 드러납니다",
    "detectable-unknown": "{basis}: 둘 사이에 변동이 없어 다른 모델에 대해서는 말해 주지 않습니다",
    "forgetting": "일반 데이터",
    "movement": "움직인 것",
    "movement-note": (
        "비교한 문장 {texts:,}개에서 한 문장은 가까운 문장 {neighbours}개 가운데 평균 {kept:.0%}를 지켰습니다. "
        "두 모델의 벡터를 한 색인에 섞으면 안 됩니다."
    ),
    "improved": "가장 좋아진 항목",
    "worsened": "가장 나빠진 항목",
    "data": "데이터",
    "split": "나누기",
    "leak": "누출 확인",
    "leak-note": (
        "항목 {items:,}개 중 {left_out:,}개를 뺐고, 평가 문장 {texts:,}개 중 {shared:,}개가 학습 행 {rows:,}개 "
        "가운데 어딘가에 있습니다 ({how})"
    ),
    "leak-unknown": "하지 않음",
    "models": "모델",
    "conditions": "조건",
    "metric": "지표",
    "against": "상대",
    "difference": "차이",
    "interval": "구간",
    "p": "p",
    "model": "모델",
    "role": "구실",
    "seed": "시드",
    "identity": "신원",
    "score": "점수",
    "text": "문장",
    "kept": "지킨 몫",
    "nearest-before": "전에 가장 가까운 문장",
    "nearest-after": "후에 가장 가까운 문장",
    "before": "전",
    "after": "후",
    "gold": "정답",
    "items": "항목",
    "shape": "모양",
    "base": "바탕",
    "tuned": "학습함",
    "other": "다른 모델, 학습 안 함",
    "none": "없음",
    "undefined": "값 없음",
}
