"""Sentences to start from: eight of mixed domains in English and in Korean, each with one long text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """A named list of texts.

    Attributes:
        title: Name for a menu, in the language of the texts.
        texts: In an order that puts related texts side by side.
        language: ISO 639-1 code.
    """

    title: str
    texts: tuple[str, ...]
    language: str


# Longer than 256 word pieces on purpose: pipelines that stop at 128, 256 or 512 tokens part here.
_LONG_ENGLISH = (
    "Minutes of the harbour committee, third meeting of the year. The chair opened with the state of the "
    "eastern breakwater, which lost eleven armour blocks in the January storm. The engineer reported that "
    "divers found the toe scoured over a length of forty metres, and that a repair before the autumn gales "
    "would need two barges, a crane of at least eighty tonnes and about nine weeks of calm weather. Members "
    "asked whether the blocks could be cast on the quay; the engineer answered that they could, provided the "
    "fish market gave up its northern car park until August. The harbour master then spoke about the ferry. "
    "Since the new timetable came into force, the evening crossing meets the trawlers at the narrow bend, and "
    "twice in March a trawler had to go astern to let her pass. He proposed to move the last departure by "
    "twenty minutes and to paint the leading marks again, since one of them can hardly be seen at dusk. The "
    "ferry company had agreed in writing. Under finance, the treasurer noted that berth fees had risen by four "
    "per cent while electricity for the shore supply had risen by nineteen, so that every yacht that plugs in "
    "now costs the harbour money. A meter at each berth was moved, seconded and carried with one vote against. "
    "Finally the committee turned to the seals. A letter from the school asked for a sign that tells visitors "
    "to keep their distance; the artist has offered to paint it without a fee. The committee accepted with "
    "thanks, and closed the meeting at ten minutes past nine. The next meeting will hear the insurer, who "
    "doubts that a storm of this kind can be called an act of nature when the forecast gave four days of warning."
)

_LONG_KOREAN = (
    "올해 세 번째 항만 위원회 회의록이다. 위원장은 동쪽 방파제의 상태를 먼저 보고했다. 일월의 폭풍으로 소파 블록 열한 "
    "개가 유실되었고, 잠수부들은 기초가 사십 미터에 걸쳐 세굴된 것을 확인했다. 기술자는 가을 강풍이 오기 전에 수리하려면 "
    "바지선 두 척과 팔십 톤급 이상의 기중기, 그리고 약 아홉 주의 잔잔한 날씨가 필요하다고 말했다. 위원들은 블록을 부두에서 "
    "직접 만들 수 있는지 물었고, 기술자는 어시장이 팔월까지 북쪽 주차장을 내어 준다면 가능하다고 답했다. 이어서 항만장이 "
    "여객선에 대해 이야기했다. 새 시간표가 시행된 뒤로 저녁 배가 좁은 굽이에서 어선들과 마주치고, 삼월에는 두 번이나 어선이 "
    "후진해서 길을 비켜야 했다. 그는 마지막 출항을 이십 분 늦추고 도표를 다시 칠하자고 제안했다. 재무 담당은 정박료가 사 퍼센트 "
    "오르는 동안 육상 전기 요금은 십구 퍼센트 올랐다고 지적했다. 자리마다 계량기를 다는 안이 반대 한 표로 통과되었다. 끝으로 "
    "위원회는 물범을 보호하는 안내판을 세워 달라는 학교의 편지를 받아들이고 아홉 시 십 분에 회의를 마쳤다."
)

PRESETS: dict[str, Preset] = {
    "english": Preset(
        "English, eight mixed",
        (
            "The doctor prescribed antibiotics for the chest infection.",
            "A physician gave the patient medicine against pneumonia.",
            "How do I reset the password of my online banking account?",
            "I can't log in to my bank any more, I forgot my PIN.",
            "The referee showed a red card in the last minute of the final.",
            "Simmer the onions in butter until they turn golden, then add the rice.",
            "NASA launched the Webb telescope on an Ariane 5 from Kourou in December 2021.",
            _LONG_ENGLISH,
        ),
        "en",
    ),
    "korean": Preset(
        "한국어, 여덟 문장",
        (
            "의사가 폐렴 환자에게 항생제를 처방했다.",
            "병원에서 폐 감염 때문에 약을 받았다.",
            "인터넷 뱅킹 비밀번호를 어떻게 다시 설정하나요?",
            "은행 앱에 로그인이 안 돼요. 비밀번호를 잊어버렸어요.",
            "심판이 결승전 마지막 순간에 퇴장을 명령했다.",
            "버터에 양파를 노릇해질 때까지 볶은 다음 쌀을 넣으세요.",
            "누리호가 나로우주센터에서 위성을 싣고 발사되었다.",
            _LONG_KOREAN,
        ),
        "ko",
    ),
}
