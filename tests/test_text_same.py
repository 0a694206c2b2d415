"""The one definition of the same text: runs of words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.text.same import RUN_WORDS, Runs, figures, repeats, share_held, word_runs

TEXT = "The harbour bridge closes on Monday for nine weeks, the mayor of Osterby said."


def test_case_punctuation_and_space_tell_no_texts_apart() -> None:
    assert word_runs(TEXT) == word_runs(" the HARBOUR  bridge—closes “on” Monday\nfor nine weeks"
                                        " the mayor of Osterby said")  # fmt: skip


def test_runs_are_numbers_that_stay_the_same() -> None:
    assert Runs("a b c d").numbers.tolist() == [770261418031984697, 11531381526745989217]


def test_short_texts_are_one_run() -> None:
    assert word_runs("") == word_runs(" … ") == frozenset()
    assert len(word_runs("Monday")) == len(word_runs("on Monday")) == 1


def test_figures_are_kept_as_written() -> None:
    assert figures("It cost 4.2 million in 2024, or 1,300 a day.") == {"4.2", "2024", "1,300"}


def test_what_repeats_another_holds_most_of_its_runs() -> None:
    longer = word_runs(f"{TEXT} Shop owners fear that fewer customers will come.")
    assert repeats(word_runs(TEXT), longer)
    assert not repeats(longer, word_runs(TEXT))
    assert share_held(frozenset(), longer) == 1


@given(st.text())
def test_runs_are_those_of_the_words(text: str) -> None:
    folded = "".join(c if len(c.casefold()) > 1 else c.casefold() for c in text)
    words = "".join(c if c.isalnum() or ord(c) >= 0xFFFF else " " for c in folded).split()
    assert len(Runs(text).numbers) == (max(len(words) - RUN_WORDS + 1, 1) if words else 0)
    assert word_runs(text) == word_runs(" ".join(words))


def test_a_long_text_has_the_runs_of_its_parts() -> None:
    parts = [f"{n} birds fly over the {n % 97} hills of Osterby" for n in range(6_000)]
    long = " ".join(parts)
    assert len(long) > 200_000
    runs = word_runs(long)
    assert all(word_runs(part) <= runs for part in parts)
    assert word_runs("x" * 200_000 + " and one word more") != word_runs("x and one word more")


@given(st.lists(st.sampled_from("abcdefgh"), min_size=3, max_size=40))
def test_equal_runs_have_equal_numbers_and_others_other_ones(words: list[str]) -> None:
    runs = list(zip(words, words[1:], words[2:], strict=False))
    assert len(word_runs(" ".join(words))) == len(set(runs))


@given(st.text(alphabet="ab ß.İ", max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_runs_between_offsets_are_those_of_that_piece(text: str, start: int, end: int) -> None:
    while start > 0 and text[start - 1 : start].isalnum():
        start -= 1  # to where a word begins
    while end < len(text) and text[end].isalnum():
        end += 1
    runs = Runs(text)
    found = runs.numbers[runs.places(start, end)].tolist()
    n_words = len("".join(c if c.isalnum() else " " for c in text[start:end]).split())
    assert found == (Runs(text[start:end]).numbers.tolist() if n_words >= RUN_WORDS else [])
    assert runs.held_by(set(found)).tolist() == [number in found for number in runs.numbers]
