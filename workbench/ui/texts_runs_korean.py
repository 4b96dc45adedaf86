"""The visible words of the Runs page in Korean."""

from __future__ import annotations

RUNS_KOREAN: dict[str, str] = {
    "nav.runs": "실행 기록",
    # What is wrong with the history
    "notice.history-rebuilt": "실행 기록 파일이 손상되어 따로 보관하고, 실행 폴더에서 목록을 다시 만들었습니다. ({message})",
    "notice.history-newer": "실행 기록이 더 새로운 버전으로 쓰였습니다. 볼 수는 있지만 새로 시작할 수 없습니다. 앱을 업데이트하세요. ({message})",
    "notice.history-off": "디스크에 쓸 수 없어 실행 기록이 이번 세션 뒤에는 남지 않습니다. ({message})",
    "notice.history-not-written": "방금 실행 기록을 디스크에 쓰지 못했습니다. ({message})",
    # Curves
    "curve.loss": "손실",
    "curve.learning_rate": "학습률",
    "curve.gradient_norm": "기울기 노름",
    "curve.score": "점수",
    "curve.step": "스텝",
    "curve.table": "표로 보기",
    "curve.none": "아직 곡선이 없습니다. 스텝마다 점이 하나씩 찍힙니다.",
    "curve.thinned": "곡선마다 최대 {points}개의 점만 그립니다. 뾰족한 값은 남깁니다.",
    "curve.gap": "정의되지 않음",
    "curve.described": "{name}: 스텝 {first}부터 {last}까지, 값은 {low}에서 {high}까지입니다. 점은 아래 표에 있습니다.",
    "curve.empty": "{name}: 정의된 점이 없습니다.",
}
