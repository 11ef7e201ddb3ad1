"""Old Vietnamese encodings come out as proper Unicode; proper Unicode is never touched."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.declare.syllables import is_syllable
from pipeline.errors import InputRefused
from pipeline.read.grids import open_file
from pipeline.read.legacy import from_tcvn3, from_vni, mend_frame
from tests.read.writers import iconv
from tests.unit.office import write_csv, write_xlsx

# Unicode, VNI, TCVN3: typed by hand from the keyboard tables, every vowel with every tone in one of them.
WORDS = [
    "à|aø|µ",
    "á|aù|¸",
    "ả|aû|¶",
    "ã|aõ|·",
    "ạ|aï|¹",
    "ằ|aè|»",
    "ắ|aé|¾",
    "ẳ|aú|¼",
    "ẵ|aü|½",
    "ặ|aë|Æ",
    "ầ|aà|Ç",
    "ấ|aá|Ê",
    "ẩ|aå|È",
    "ẫ|aã|É",
    "ậ|aä|Ë",
    "è|eø|Ì",
    "é|eù|Ð",
    "ẻ|eû|Î",
    "ẽ|eõ|Ï",
    "ẹ|eï|Ñ",
    "ề|eà|Ò",
    "ế|eá|Õ",
    "ể|eå|Ó",
    "ễ|eã|Ô",
    "ệ|eä|Ö",
    "ì|ì|×",
    "í|í|Ý",
    "ỉ|æ|Ø",
    "ĩ|ó|Ü",
    "ị|ò|Þ",
    "ò|oø|ß",
    "ó|où|ã",
    "ỏ|oû|á",
    "õ|oõ|â",
    "ọ|oï|ä",
    "ồ|oà|å",
    "ố|oá|è",
    "ổ|oå|æ",
    "ỗ|oã|ç",
    "ộ|oä|é",
    "ờ|ôø|ê",
    "ớ|ôù|í",
    "ở|ôû|ë",
    "ỡ|ôõ|ì",
    "ợ|ôï|î",
    "ù|uø|ï",
    "ú|uù|ó",
    "ủ|uû|ñ",
    "ũ|uõ|ò",
    "ụ|uï|ô",
    "ừ|öø|õ",
    "ứ|öù|ø",
    "ử|öû|ö",
    "ữ|öõ|÷",
    "ự|öï|ù",
    "ỳ|yø|ú",
    "ý|yù|ý",
    "ỷ|yû|û",
    "ỹ|yõ|ü",
    "ỵ|î|þ",
    "ă|aê|¨",
    "â|aâ|©",
    "ê|eâ|ª",
    "ô|oâ|«",
    "ơ|ô|¬",
    "ư|ö|\xad",
    "đ|ñ|®",
    "Ă|AÊ|¡",
    "Â|AÂ|¢",
    "Ê|EÂ|£",
    "Ô|OÂ|¤",
    "Ơ|Ô|¥",
    "Ư|Ö|¦",
    "Đ|Ñ|§",
    "hồ|hoà|hå",
    "sơ|sô|s¬",
    "đường|ñöôøng|®\xadêng",
    "nghĩa|nghóa|nghÜa",
    "quyết|quyeát|quyÕt",
    "thuỷ|thuyû|thuû",
    "tiếp|tieáp|tiÕp",
    "nhận|nhaän|nhËn",
    "chuyển|chuyeån|chuyÓn",
    "người|ngöôøi|ng\xadêi",
    "Điền|Ñieàn|§iÒn",
    "Ủy|UÛy|",
    "ĐƯỜNG|ÑÖÔØNG|",
    "HỘ|HOÄ|",
    "TỊCH|TÒCH|",
    "ấp|aáp|Êp",
]


@pytest.mark.parametrize("words", WORDS)
def test_each_letter(words: str) -> None:
    right, vni, tcvn3 = words.split("|")
    assert from_vni(vni) == right
    assert not tcvn3 or from_tcvn3(tcvn3) == right


def test_every_vietnamese_letter_is_in_the_list_above() -> None:
    letters = {
        unicodedata.normalize("NFC", base + tone)
        for base in "aăâeêioôơuưy"
        for tone in ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
    } | {"đ"}
    assert letters - {w.split("|")[0] for w in WORDS} <= set("aeiouy")


def test_tcvn3_agrees_with_another_converter() -> None:
    codes = [c for c in range(0xA1, 0xFF) if from_tcvn3(chr(c)) != chr(c) or chr(c) == "ý"]
    assert len(codes) == 74
    for code in codes:
        assert iconv(from_tcvn3(chr(code)), "TCVN") == bytes([code])


REGISTER = [
    ["Mã hồ sơ", "Đơn vị tiếp nhận", "Ngày tiếp nhận", "Trạng thái"],
    ["0012", "Xã Gio Hải", "15/06/2023", "Đã xử lý xong"],
    ["0013", "Thị trấn Cửa Việt", "16/06/2023", "Đang giải quyết"],
    ["0014", "Xã Gio An", "17/06/2023", "Đã trả kết quả"],
]
VNI = [
    ["Maõ hoà sô", "Ñôn vò tieáp nhaän", "Ngaøy tieáp nhaän", "Traïng thaùi"],
    ["0012", "Xaõ Gio Haûi", "15/06/2023", "Ñaõ xöû lyù xong"],
    ["0013", "Thò traán Cöûa Vieät", "16/06/2023", "Ñang giaûi quyeát"],
    ["0014", "Xaõ Gio An", "17/06/2023", "Ñaõ traû keát quaû"],
]


def bytes_in(encoding: str) -> bytes:
    if encoding == "vni":
        return "\n".join(",".join(row) for row in VNI).encode("latin-1")
    text = "\n".join(",".join(row) for row in REGISTER)
    return iconv(
        text,
        {"cp1258": "CP1258", "tcvn3": "TCVN", "utf-16-le": "UTF-16LE", "utf-16-be": "UTF-16BE"}.get(encoding, encoding),
    )


def cells(path: Path) -> tuple[str | None, list[list[str]]]:
    read = open_file(path, path.name)
    frame = pl.concat(read.grids[0].batches(1))
    return read.encoding, [[c or "" for c in row] for row in frame.select("c0", "c1", "c2", "c3").iter_rows()]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1258", "tcvn3", "vni", "utf-16-le", "utf-16-be"])
def test_text_files(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "so.csv"
    path.write_bytes(bytes_in(encoding))
    assert cells(path) == (encoding, REGISTER)


@pytest.mark.parametrize("encoding", ["cp1258", "tcvn3", "vni"])
def test_the_first_accent_may_stand_far_below(tmp_path: Path, encoding: str) -> None:
    plain = b"Ma ho so,Don vi,Ngay nhan,Trang thai\n" + b"0001,Gio An,1/1/2023,x\n" * 30_000
    path = tmp_path / "so.csv"
    path.write_bytes(plain + bytes_in(encoding))
    found, read = cells(path)
    assert found == encoding and read[-4:] == REGISTER


@pytest.mark.parametrize(
    "content",
    [
        "Größe,Straße\nMüller,Zürich\n".encode("latin-1"),
        "Имя,Город\nИван,Москва\n".encode("cp1251"),
        b"\x80\x81,\xfe\xff\n",
    ],
    ids=["German", "Russian", "noise"],
)
def test_another_language_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "so.csv"
    path.write_bytes(content)
    with pytest.raises(InputRefused) as caught:
        open_file(path, "so.csv")
    assert "Windows-1258" in caught.value.what.vi


@pytest.mark.parametrize("encoding", ["tcvn3", "vni"])
def test_old_fonts_in_a_unicode_file(tmp_path: Path, encoding: str) -> None:
    """Typed in .VnTime or VNI-Times: the file is Unicode, its letters are not."""
    typed = [line.split(",") for line in bytes_in(encoding).decode("latin-1").split("\n")]
    assert cells(write_xlsx(tmp_path / "so.xlsx", So=typed)) == (encoding, REGISTER)
    assert cells(write_csv(tmp_path / "so.csv", typed, encoding="utf-8")) == (encoding, REGISTER)


def test_a_workbook_of_both(tmp_path: Path) -> None:
    """Columns in .VnTime beside proper ones, and proper cells in a column of old ones."""
    old = [
        [iconv(cell, "TCVN").decode("latin-1") if n != 1 else cell for n, cell in enumerate(row)] for row in REGISTER
    ]
    old[3][3] = REGISTER[3][3]
    assert cells(write_xlsx(tmp_path / "so.xlsx", So=old))[1] == REGISTER


# ---- what is right stays as it is

TONED = [
    "à",
    "ả",
    "ã",
    "á",
    "ạ",
    "ă",
    "â",
    "đ",
    "è",
    "é",
    "ê",
    "ì",
    "í",
    "ò",
    "ó",
    "ô",
    "õ",
    "ơ",
    "ù",
    "ú",
    "ư",
    "ỳ",
    "ý",
]
syllables = st.sampled_from(
    [
        "là",
        "và",
        "có",
        "Hồ",
        "sơ",
        "thì",
        "Lê",
        "Võ",
        "Hà",
        "hoà",
        "hòa",
        "xã",
        "Đất",
        "đai",
        "không",
        "công",
        "chứng",
        "Ông",
        "Bá",
        "Thông",
        "mì",
        "gì",
        "Cà",
        "phê",
        "tôi",
        "nói",
        "về",
        "bà",
        "Hoà",
        "Soá",
        "sô",
        "Trần",
        "Thị",
        "Thu",
        "Hằng",
        "Gio",
        "Hải",
        "Linh",
        "Quảng",
        "Trị",
        "quý",
        "thuế",
        "kế",
        "toán",
    ]
)
texts = st.lists(syllables, min_size=1, max_size=5).map(" ".join)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=8), st.sampled_from(["NFC", "NFD"]))
def test_vietnamese_in_unicode_is_never_changed(rows: list[tuple[str, str]], form: str) -> None:
    frame = pl.DataFrame(
        [[unicodedata.normalize(form, cell) for cell in row] for row in rows], schema=["c0", "c1"], orient="row"
    )
    assert mend_frame(frame)[0].equals(frame) and mend_frame(frame)[1] is None


@pytest.mark.parametrize(
    "cell", ["3 × 4 m²", "± 5 °C", "§ 12", "Ø 20", "½", "µ", "Müller & Söhne", "café", "Ñ", "«trích»"]
)
def test_other_characters_are_never_changed(cell: str) -> None:
    for beside in ("Xã Gio Hải", "x", cell):
        frame = pl.DataFrame({"c0": [cell, beside], "c1": ["thường trú", None]})
        assert mend_frame(frame)[0].equals(frame)


@pytest.mark.parametrize(
    ("word", "is_one"),
    [("nghiêng", True), ("Hoà", True), ("hòa", True), ("quý", True), ("gì", True), ("giếng", True), ("khuỷu", True),
     ("nghành", False), ("ká", False), ("nèt", False), ("Néi", False), ("hå", False), ("ấấ", False), ("thuyềnn", False)],
)  # fmt: skip
def test_syllables(word: str, is_one: bool) -> None:
    assert is_syllable(word) is is_one
    assert is_syllable(unicodedata.normalize("NFD", word)) is is_one
