"""Languages: foreign texts are told, and whatever neighbours write in Spanish is not."""

import json
from pathlib import Path

import pytest

from nlp.language import HOME, identify

TOWN = Path(__file__).parents[3] / "crawlers" / "sandbox" / "texts"

FOREIGN = {
    "en": [
        "Does anyone know when the water will be back in Huaycan? We are waiting since Monday.",
        "why is nobody picking up the trash in my street??",
        "CONGRATULATIONS MAYOR, KEEP UP THE GOOD WORK FOR OUR CHILDREN",
    ],
    "pt": [
        "Alguém sabe quando a água volta em Huaycán? Estamos esperando desde segunda-feira.",
        "Não aguento mais o lixo acumulado na esquina da minha rua, ninguém faz nada",
    ],
    "qu": [
        "Ñuqanchikqa yakuta munanchik, manam kunankama yaku chayamunchu llaqtanchikman",
        "Llaqtanchikpi llapa wawakuna yachay wasiman rinanku tiyan",
        "Suwakunaqa tutapi purichkanku, serenazgo mana hamunchu",
    ],
    "fr": ["Bonjour, est-ce que quelqu'un sait à quelle heure ouvre la mairie demain matin ?"],
    "it": ["Qualcuno sa quando torna l'acqua? Stiamo aspettando da lunedì mattina."],
    "de": ["Weiß jemand, wann das Wasser wieder da ist? Wir warten seit Montag."],
    "ru": ["Кто-нибудь знает, когда снова будет вода? Ждём с понедельника."],
    "zh": ["有人知道什么时候恢复供水吗?我们从星期一就在等了。"],
    "ja": ["水がいつ戻るか知っている人はいますか？月曜日から待っています。"],
    "ko": ["언제 물이 다시 나오는지 아시는 분 계신가요? 월요일부터 기다리고 있어요."],
}
HOME_MADE = [
    "ALCALDE POR FAVOR PISTAS Y VEREDAS YA",
    "xq no asen nd con la basura d mi kuadra??",
    "ke paso con las luces causa",
    "Jr Los Alamos Mz B Lt 4 Huaycan",
    "Huaycán, Horacio Zevallos, Manchay, Puruchuco, Ceres",
    "Tupac Amaru, Inti Raymi y Pachamama en Ate",
    "mi hermano chambea en el mall y dice q es full estres",
    "El wifi de la plaza full lento bro",
    "marketing puro",
    "like si tmb te robaron",
    "PNP SUTRAN ATU MML",
    "delivery gratis hoy 👉 https://example.pe/the-best-offer-of-the-week",
    "#StopAbusoPolicial #JusticeForAll @the_best_of_lima",
    "jajajaja",
    "👏👏👏",
    "😡😡😡 basta ya",
    "asuuu yaaa bacán",
    "ok",
    "x2",
    "",
    "   ",
    "\x00\ud800",
    "920 123 456",
]


@pytest.mark.parametrize(
    ("language", "text"), [(code, text) for code, texts in FOREIGN.items() for text in texts]
)
def test_a_foreign_text_is_told(language, text):
    assert identify([text]) == [language]


@pytest.mark.parametrize("text", HOME_MADE)
def test_slang_capitals_names_and_emojis_stay_at_home(text):
    assert identify([text])[0] in HOME


@pytest.mark.parametrize("text", ["Thank you", "Obrigado!", "gracias", "Sulpayki", "谢谢"])
def test_a_very_short_text_is_undetermined(text):
    assert identify([text]) == ["und"]


def test_plain_spanish_is_named():
    text = "Hace dos semanas que no pasa el camión de la basura por nuestra cuadra."
    assert identify([text, text.upper()]) == ["es", "es"]


def test_a_long_text_is_read_in_part():
    assert identify(["Los vecinos piden que arreglen la pista. " * 50_000]) == ["es"]


def spanish_posts() -> list[str]:
    """The town's posts, without those that are written as foreign ones."""
    rows = [json.loads(line) for file in TOWN.glob("posts_*.jsonl") for line in file.open()]
    return [row["text"] for row in rows if row.get("language", "es") == "es"]


def test_fewer_than_one_in_a_hundred_of_the_towns_posts_is_called_foreign():
    posts = spanish_posts()
    foreign = [text for text, code in zip(posts, identify(posts), strict=True) if code not in HOME]
    assert len(posts) > 600
    assert len(foreign) < 0.01 * len(posts), foreign
