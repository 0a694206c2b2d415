"""Reading: every article in, every failure on record, ids unique and stable."""

from __future__ import annotations

import codecs
import datetime
import json
import os
import tempfile
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.article import Article
from rag.errors import SourceError
from rag.readers import (
    MAX_LINE_BYTES,
    MAX_TEXT_BYTES,
    Skipped,
    decode,
    normalise,
    parse_date,
    read_sources,
)
from rag.readers.dates import stored_date
from tests.support import as_articles, as_skipped


def read(base: Path, *sources: str) -> list[Article | Skipped]:
    return list(read_sources(sources or ["."], base))


def articles(base: Path, *sources: str) -> dict[str, Article]:
    return {a.article_id: a for a in read(base, *sources) if isinstance(a, Article)}


def skipped(base: Path, *sources: str) -> list[tuple[str, int | None, str]]:
    return [(s.path, s.line, s.reason) for s in read(base, *sources) if isinstance(s, Skipped)]


def write_lines(path: Path, *records: object) -> None:
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_text_files_of_a_folder_in_sorted_order(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes(b"Second\r\narticle\r")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.TXT").write_text("Deep", encoding="utf-8")
    (tmp_path / "a.txt").write_text("Cafe\u0301", encoding="utf-8")
    (tmp_path / ".hidden.txt").write_text("Hidden", encoding="utf-8")
    found = as_articles(read(tmp_path))
    assert [(a.article_id, a.text, a.path) for a in found] == [
        ("a", "Café", "a.txt"),
        ("b", "Second\narticle\n", "b.txt"),
        ("sub/a", "Deep", "sub/a.TXT"),
    ]


def test_sources_are_files_folders_globs_and_absolute_paths(tmp_path: Path) -> None:
    for name in ("x1", "x2", "y"):
        (tmp_path / f"{name}.txt").write_text(name, encoding="utf-8")
    base = tmp_path / "indexes"
    base.mkdir()
    assert [a.path for a in read(base, "../x*.txt", str(tmp_path / "y.txt"))] == [
        "../x1.txt",
        "../x2.txt",
        "../y.txt",
    ]


def test_a_glob_works_below_a_folder_with_brackets_in_its_name(tmp_path: Path) -> None:
    base = tmp_path / "news [old]"
    base.mkdir()
    (base / "a.txt").write_text("A", encoding="utf-8")
    assert [a.path for a in read(base, "*.txt")] == ["a.txt"]


@pytest.mark.parametrize(
    ("source", "what"), [("absent", "does not exist"), ("*.jsonl", "matches no file")]
)
def test_a_source_that_is_not_there_is_an_error_at_once(
    tmp_path: Path, source: str, what: str
) -> None:
    (tmp_path / "a.txt").write_text("A", encoding="utf-8")
    with pytest.raises(SourceError, match=what) as error:
        read_sources(["a.txt", source], tmp_path)
    assert repr(source) in str(error.value)
    assert str(tmp_path / "index.toml") in str(error.value)


def test_an_empty_folder_is_no_error(tmp_path: Path) -> None:
    assert read(tmp_path) == []


def test_what_cannot_be_read_is_recorded_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "binary.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (tmp_path / "control.txt").write_bytes(b"\x01\x02\x03\x04abc")
    (tmp_path / "blank.txt").write_bytes(b" \n\t\n")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "half.txt").write_bytes(codecs.BOM_UTF16_LE + b"a")
    (tmp_path / "link.txt").symlink_to(tmp_path / "nowhere.txt")
    (tmp_path / "page.html").write_bytes(b"<p>")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    os.mkfifo(tmp_path / "pipe.txt")  # reading it would wait for ever
    (tmp_path / "good.txt").write_bytes(b"Good")
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(MAX_TEXT_BYTES + 1)
    assert list(articles(tmp_path)) == ["good"]
    assert skipped(tmp_path) == [
        ("binary.txt", None, "binary content"),
        ("blank.txt", None, "only white space"),
        ("control.txt", None, "binary content"),
        ("empty.txt", None, "empty file"),
        ("half.txt", None, "encoding not recognised"),
        ("huge.txt", None, "too big for one article: 67,108,865 bytes, at most 67,108,864"),
        ("link.txt", None, "a link to nothing"),
        ("page.html", None, "no article text in the page"),
        ("photo.png", None, "unknown kind of file '.png'"),
        ("pipe.txt", None, "not a regular file"),
    ]


def test_files_and_folders_without_permission_are_recorded() -> None:
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.txt").write_text("A", encoding="utf-8")
        (folder / "b.jsonl").write_text("B", encoding="utf-8")
        (folder / "c").mkdir()
        for child in folder.iterdir():
            child.chmod(0)
        folder.chmod(0o755)
        if user == 0:  # root may read everything
            os.seteuid(65534)
        try:
            found = skipped(folder)
        finally:
            os.seteuid(user)
    assert found == [(name, None, "permission denied") for name in ("a.txt", "b.jsonl", "c")]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    (tmp_path / "sub" / "a.txt").write_text("A", encoding="utf-8")
    assert list(articles(tmp_path)) == ["a"]
    assert skipped(tmp_path) == [("sub/up", None, "a link back to a folder above it")]


def test_a_file_named_by_two_sources_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A", encoding="utf-8")
    assert list(articles(tmp_path, "a.txt", ".")) == ["a"]
    assert skipped(tmp_path, "a.txt", ".") == [("a.txt", None, "already read from another source")]


def test_fields_of_a_json_line(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "news.jsonl",
        {
            "id": 7,
            "title": " A  title\n",
            "text": "Text\r\nof it",
            "published": "Fri, 02 Aug 2024 10:15:00 +0300",
            "source": {"id": None, "name": "The Post"},
            "author": ["Ann Lee", {"name": "Bo Ek"}],
            "url": "https://example.org/7",
            "section": "world",
            "score": 0.5,
        },
    )
    assert read(tmp_path) == [
        Article(
            article_id="7",
            title="A title",
            text="Text\nof it",
            published=datetime.date(2024, 8, 2),
            source="The Post",
            author="Ann Lee, Bo Ek",
            url="https://example.org/7",
            path="news.jsonl",
            metadata={
                "section": "world",
                "score": 0.5,
                "published": "Fri, 02 Aug 2024 10:15:00 +0300",
            },
        )
    ]


@pytest.mark.parametrize(
    ("published", "day", "kept"),
    [
        ("2024-08-02", datetime.date(2024, 8, 2), False),
        ("2 Aug 2024", datetime.date(2024, 8, 2), True),
        ("2024-08-02T23:30:00-05:00", datetime.date(2024, 8, 2), True),
        ("last week", None, True),
        (1722556800, datetime.date(2024, 8, 2), True),
        (None, None, False),
    ],
)
def test_published_keeps_what_a_day_cannot_hold(
    tmp_path: Path, published: object, day: datetime.date | None, kept: bool
) -> None:
    write_lines(tmp_path / "a.jsonl", {"id": "1", "text": "T", "published": published})
    (article,) = as_articles(read(tmp_path))
    assert article.published == day
    assert article.metadata == ({"published": published} if kept else {})


def test_bad_lines_are_recorded_with_their_numbers(tmp_path: Path) -> None:
    long = json.dumps({"id": "long", "text": "x" * MAX_LINE_BYTES})
    write_lines(
        tmp_path / "a.jsonl",
        '{"id": "1", "text": ',
        "",
        [1],
        {"id": "3"},
        {"id": "4", "text": 4},
        {"id": "5", "text": " "},
        {"id": [6], "text": "Six"},
        long,
        "[" * 100_000,
        {"id": "8", "text": "Eight"},
    )
    assert list(articles(tmp_path)) == ["8"]
    (_, first, not_json), *others = skipped(tmp_path)
    assert (first, not_json[:9]) == (1, "not JSON:")
    assert others == [
        ("a.jsonl", 3, "not a JSON object but list"),
        ("a.jsonl", 4, "no field `text`"),
        ("a.jsonl", 5, "`text` is not a string"),
        ("a.jsonl", 6, "`text` is empty"),
        ("a.jsonl", 7, "`id` is neither a string nor a whole number"),
        ("a.jsonl", 8, "line longer than 16,777,216 bytes"),
        ("a.jsonl", 9, "nested too deeply"),
    ]


def test_fields_nested_too_deeply_are_a_recorded_skip(tmp_path: Path) -> None:
    deep = '{"id": "1", "text": "T", "x": ' + "[" * 500 + "]" * 500 + "}"
    write_lines(tmp_path / "a.jsonl", deep)
    assert skipped(tmp_path) == [("a.jsonl", 1, "nested too deeply")]


def test_lone_surrogates_and_nan_become_storable(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", r'{"id": "1", "text": "a\ud800b", "x": NaN, "y": "\udfff"}')
    (article,) = as_articles(read(tmp_path))
    assert article.text == "a\ufffdb"
    assert article.metadata == {"x": None, "y": "\ufffd"}
    assert Article.model_validate_json(article.model_dump_json()) == article


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_json_lines_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    lines = '{"id": "1", "text": "Zürich: £5m"}\r\n{"id": "2", "text": "Ok"}\r\n'
    (tmp_path / "a.ndjson").write_bytes(lines.encode(encoding))
    assert {a.article_id: a.text for a in as_articles(read(tmp_path))} == {
        "1": "Zürich: £5m",
        "2": "Ok",
    }


def test_an_article_without_id_keeps_its_id_when_lines_move(tmp_path: Path) -> None:
    record = {"title": "T", "text": "Text"}
    write_lines(tmp_path / "a.jsonl", record)
    ((first, _),) = articles(tmp_path).items()
    write_lines(tmp_path / "a.jsonl", {"text": "Another"}, "", record)
    assert first.startswith("a-")
    assert first in articles(tmp_path)


def test_equal_articles_are_taken_once_and_others_get_ids_of_their_own(tmp_path: Path) -> None:
    for folder, text in (("a", "One"), ("b", "Two"), ("c", "One")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.txt").write_text(text, encoding="utf-8")
    write_lines(
        tmp_path / "d.jsonl",
        {"id": "x", "text": "Three"},
        {"id": "x", "text": "Three"},
        {"id": "x", "text": "One"},
    )
    found = articles(tmp_path)
    third = next(name for name in found if name.startswith("x-"))
    assert {name: article.text for name, article in found.items()} == {
        "x": "One",
        "b/x": "Two",
        third: "Three",
    }
    assert len(third) == len("x-") + 8
    assert skipped(tmp_path) == [
        ("c/x.txt", None, "same article as 'x'"),
        ("d.jsonl", 2, f"same article as {third!r}"),
        ("d.jsonl", 3, "same article as 'x'"),
    ]
    assert articles(tmp_path) == found


WESTERN = [
    "The café in Zürich was closed on Friday, the minister said.",
    "Shares rose by £5m (£3m a year before).",
    "“Stop,” he said – and left.",
    "Le gouvernement français a annoncé des réformes à l'été, après une année très difficile.",
]
OTHERS = [
    ("cp1251", "Президент заявил в пятницу, что переговоры будут продолжены на следующей неделе."),
    ("cp1253", "Ο πρωθυπουργός ανακοίνωσε την Παρασκευή ότι η κυβέρνηση θα καταθέσει νόμο."),
    ("shift_jis", "首相は金曜日、来週国会を召集すると発表した。政府は予算案を提出する。"),
    ("gb18030", "国务院总理星期五宣布，下周将召开全国人民代表大会。政府将提交预算草案。"),
    ("euc_kr", "대통령은 금요일 다음 주에 국회를 소집하겠다고 발표했다."),
    ("cp1256", "أعلن رئيس الوزراء يوم الجمعة أن الحكومة ستقدم مشروع الميزانية الأسبوع المقبل."),
]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [*(("cp1252", text) for text in WESTERN), *OTHERS]
    + [
        (encoding, WESTERN[0]) for encoding in ("latin-1", "utf-8", "utf-8-sig", "utf-16", "utf-32")
    ],
)
def test_encodings(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == text


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_a_recorded_skip(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "a.txt").write_bytes(data)
    (folder / "b.jsonl").write_bytes(data)
    for found in read(folder):
        if isinstance(found, Article):
            assert found.text.strip()
            assert found.text.encode("utf-8")
            assert unicodedata.is_normalized("NFC", found.text)
        else:
            assert found.reason


@given(st.text(st.characters(), max_size=200) | st.text("\r\n\v\f\u2028a", max_size=20))
def test_normalised_text_is_stable(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert not set(once) & set("\r\v\f\x85\u2028\u2029")
    assert once.encode("utf-8").decode("utf-8") == once


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-08-02", (2024, 8, 2)),
        ("20240802", (2024, 8, 2)),
        ("2024/08/02", (2024, 8, 2)),
        ("2024.8.2 10:15", (2024, 8, 2)),
        ("2024-08-02T10:15:00Z", (2024, 8, 2)),
        ("Aug 2, 2024, 10:15 AM", (2024, 8, 2)),
        ("Friday 2 August 2024 at 10:15 BST", (2024, 8, 2)),
        ("13/02/2024", (2024, 2, 13)),
        ("04/04/2024", (2024, 4, 4)),
    ],
)
def test_dates(text: str, day: tuple[int, int, int]) -> None:
    assert parse_date(text) == datetime.date(*day)


@pytest.mark.parametrize(
    "text",
    ["", "02/03/2024", "August 2024", "2024", "2 Aug", "1722556800", "Friday", "31 June 2024"],
)
def test_what_is_no_day_or_not_one_day_is_no_date(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2 Aug 2024", (2024, 8, 2)),
        (20240802, (2024, 8, 2)),
        (1722592800, (2024, 8, 2)),
        ("1722592800", (2024, 8, 2)),
        (1722592800.25, (2024, 8, 2)),
        (1722592800123, (2024, 8, 2)),
        (1722592800123456, (2024, 8, 2)),
        (1722592800123456789, (2024, 8, 2)),
        (623_000_000, (1989, 9, 28)),
        (623_000_000_000, (1989, 9, 28)),
        ({"$date": "2024-08-02T23:59:59Z"}, (2024, 8, 2)),
        ({"$date": 1722643199000}, (2024, 8, 2)),
        ({"$date": {"$numberLong": "1722643199000"}}, (2024, 8, 2)),
        ({"$date": {"$numberLong": "-86400000"}}, (1969, 12, 31)),
    ],
)
def test_dates_as_programs_store_them(value: object, day: tuple[int, int, int]) -> None:
    assert stored_date(value) == datetime.date(*day)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 2024, 12345678, 99_999_999, 1e30, [], {}, "Friday"),
        *(2024080210, "1999123123", 202408021030, "202408021030.5", 20240802103059, 17225928001),
        *({"$date": None}, {"$date": True}, {"$date": [1]}, {"$date": 1e300}, {"$date": "soon"}),
        *({"$date": 1722643199000, "zone": "UTC"}, {"$oid": "66acc7a0"}),
    ],
)
def test_values_that_are_no_day_or_may_be_another(value: object) -> None:
    assert stored_date(value) is None


@given(st.integers() | st.floats() | st.dictionaries(st.just("$date"), st.floats() | st.integers()))
def test_no_value_breaks_the_reading_of_stored_dates(value: object) -> None:
    assert isinstance(stored_date(value), datetime.date | None)


@pytest.mark.parametrize(
    ("given_id", "article_id"),
    [
        ({"$oid": "66acc7a0f1d2e3b4c5d6e7f8"}, "66acc7a0f1d2e3b4c5d6e7f8"),
        ({"$numberLong": "12345678901"}, "12345678901"),
        ({"$uuid": "c0ffee00-0000-4000-8000-000000000000"}, "c0ffee00-0000-4000-8000-000000000000"),
    ],
)
def test_what_mongodb_exports(tmp_path: Path, given_id: dict[str, str], article_id: str) -> None:
    fields = {"_id": given_id, "text": "Rain fell.", "published": {"$date": "2024-08-02T10:00:00Z"}}
    (tmp_path / "a.jsonl").write_text(json.dumps(fields))
    (article,) = as_articles(read(tmp_path))
    assert (article.article_id, article.published) == (article_id, datetime.date(2024, 8, 2))
    assert article.metadata == {"published": fields["published"]}


def test_an_id_that_is_none_is_told(tmp_path: Path) -> None:
    lines = [{"id": {"$oid": 7.5}, "text": "a"}, {"id": {"a": "b"}, "text": "b"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    reasons = [item.reason for item in as_skipped(read(tmp_path))]
    assert reasons == ["`id` is neither a string nor a whole number"] * 2


@given(st.text() | st.text("0123456789/-: ,.apm", max_size=30))
def test_no_text_breaks_the_reading_of_dates(text: str) -> None:
    assert isinstance(parse_date(text), datetime.date | None)


def test_a_large_file_of_lines_is_streamed(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", *({"id": i, "text": "x" * 1000} for i in range(5000)))
    start = time.perf_counter()
    first = next(iter(read_sources(["a.jsonl"], tmp_path)))
    to_first = time.perf_counter() - start
    assert isinstance(first, Article)
    assert first.article_id == "0"
    assert len(articles(tmp_path)) == 5000
    assert to_first < (time.perf_counter() - start) / 10
