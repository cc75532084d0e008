"""Search: every word a prefix, filters, ranking, pages by key, and text that tries to be syntax."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepimagine_tui.corpus import search as searching
from deepimagine_tui.corpus.query import SearchOrder, SearchQuery, TrialRow
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import CancelledError, UsageError
from tests.corpus.conftest import MakeCorpus, outcome_module, record


def found(corpus: Corpus, **query: object) -> list[str]:
    return [row.nct_id for row in corpus.search(SearchQuery(**query)).rows]  # type: ignore[arg-type]


def test_each_keystroke_narrows(small_corpus: Corpus) -> None:
    typed = "asthma trialum"
    totals = [small_corpus.search(SearchQuery(words=typed[:end])).total for end in range(1, len(typed) + 1)]
    assert totals == sorted(totals, reverse=True)
    assert 0 < totals[-1] < totals[0]


def test_every_row_matches_every_filter(small_corpus: Corpus) -> None:
    page = small_corpus.search(SearchQuery(condition="diabetes", phase="3", country="France", has_results=True))
    assert page.rows
    for row in page.rows:
        trial = small_corpus.get(row.nct_id)
        assert "Type 2 Diabetes" in row.conditions
        assert "3" in row.phases
        assert "France" in [place.country for place in trial.countries]


def test_dose_ranging_is_a_filter(small_corpus: Corpus) -> None:
    wanted = found(small_corpus, dose_ranging=True)
    others = found(small_corpus, dose_ranging=False)
    assert set(wanted) == {"NCT00000004", "NCT00000008", "NCT00000012"}
    assert not set(wanted) & set(others)
    assert len(wanted) + len(others) == 12


@pytest.mark.parametrize(
    ("first", "last", "years"),
    [
        ("2014", "2016", {2014, 2015, 2016}),
        ("2014-05-15", None, set(range(2014, 2023))),
        ("2014-05-16", None, set(range(2015, 2023))),
        (None, "2012-03", {2011, 2012}),
        (None, "2012-03-14", {2011}),
        ("2020", "2019", set()),
    ],
)
def test_dates_are_inclusive_prefixes(small_corpus: Corpus, first: str | None, last: str | None, years: set[int]) -> None:
    rows = small_corpus.search(SearchQuery(posted_from=first, posted_to=last)).rows
    assert {int(row.posted[:4]) for row in rows} == years


def test_a_date_that_is_none(small_corpus: Corpus) -> None:
    with pytest.raises(UsageError):
        small_corpus.search(SearchQuery(posted_from="last spring"))


@pytest.mark.parametrize("order", ["relevance", "posted"])
@pytest.mark.parametrize("words", ["", "p", "examplozin", "asthma"])
@pytest.mark.parametrize("limit", [1, 2, 5, 200])
def test_pages_join_to_the_whole(small_corpus: Corpus, words: str, order: SearchOrder, limit: int) -> None:
    query = SearchQuery(words=words, order=order)
    whole = small_corpus.search(query, limit=1000)
    rows: list[TrialRow] = []
    after = None
    while True:
        page = small_corpus.search(query, limit, after)
        rows += page.rows
        after = page.next_key
        assert page.total == whole.total
        if after is None:
            break
    assert tuple(rows) == whole.rows
    assert len(rows) == whole.total


@pytest.mark.parametrize(("rank_cap", "count_cap"), [(0, 100), (0, 3), (4, 4)])
@pytest.mark.parametrize("order", ["relevance", "posted"])
def test_pages_of_a_broad_search_join_to_the_whole(
    small_corpus: Corpus, monkeypatch: pytest.MonkeyPatch, order: SearchOrder, rank_cap: int, count_cap: int
) -> None:
    query = SearchQuery(words="trialumab", has_results=True, order=order)
    whole = {row.nct_id for row in small_corpus.search(query).rows}
    monkeypatch.setattr(searching, "RANK_CAP", rank_cap)
    monkeypatch.setattr(searching, "COUNT_CAP", count_cap)
    for limit in (1, 3, 50):
        rows: list[TrialRow] = []
        after = None
        while True:
            page = small_corpus.search(query, limit, after)
            rows += page.rows
            after = page.next_key
            assert page.capped == (len(whole) > count_cap)
            if after is None:
                break
        assert len(rows) == len(whole)
        assert {row.nct_id for row in rows} == whole


def test_in_a_broad_search_trials_that_name_the_word_come_first(
    make_corpus: MakeCorpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "RANK_CAP", 1)
    aside = outcome_module("Zebraxin level", "mg", [("Placebo", 1), ("Other", 2)])
    records = {f"{at}.json": record(f"NCT0000000{at}", drug="Zebraxin") for at in (1, 3)}
    records |= {f"{at}.json": record(f"NCT0000000{at}", drug="Other", outcomes=[aside]) for at in (2, 4)}
    with Corpus.open(make_corpus(records)) as corpus:
        assert found(corpus, words="zebraxin") == ["NCT00000003", "NCT00000001", "NCT00000004", "NCT00000002"]


def test_posted_order_is_latest_first(small_corpus: Corpus) -> None:
    dates = [row.posted for row in small_corpus.search(SearchQuery(words="p", order="posted")).rows]
    assert dates == sorted(dates, reverse=True)


def test_a_hit_in_the_title_comes_before_one_in_an_arm(make_corpus: MakeCorpus) -> None:
    about = record("NCT00000001", drug="Zebraxin")
    aside = record("NCT00000002", drug="Other", conditions=("Asthma", "Zebraxin allergy reaction of another kind"))
    with Corpus.open(make_corpus({"a.json": about, "b.json": aside})) as corpus:
        assert found(corpus, words="zebraxin") == ["NCT00000001", "NCT00000002"]


def test_an_id_finds_its_trial_alone(small_corpus: Corpus) -> None:
    assert found(small_corpus, words="NCT00000005") == ["NCT00000005"]
    assert set(found(small_corpus, words="nct0000001")) == {"NCT00000012", "NCT00000011", "NCT00000010"}


def test_hyphens_and_accents_do_not_matter(make_corpus: MakeCorpus) -> None:
    with Corpus.open(make_corpus({"a.json": record(conditions=("COVID-19", "Ménière Disease"))})) as corpus:
        for words in ("covid-19", "covid19", "COVID 19", "meniere", "MÉNIÈRE"):
            assert found(corpus, words=words) == ["NCT00000001"], words


@pytest.mark.parametrize(
    "text",
    [
        '"',
        '""',
        "*",
        "(",
        ")",
        ":",
        "^",
        "-",
        "+",
        "NEAR",
        "NEAR(",
        "AND",
        "OR NOT",
        "a AND",
        "nct:",
        "{",
        "';--",
        "\x00",
        "=has",
        "%",
        "_",
    ],
)
def test_syntax_is_only_text(small_corpus: Corpus, text: str) -> None:
    small_corpus.search(SearchQuery(words=text, condition=text, intervention=text, phase=text, status=text, country=text))
    small_corpus.search(SearchQuery(words=f"exam {text}"))
    small_corpus.facets("condition", text)
    small_corpus.suggest_removal(SearchQuery(words=text, country=text))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30), st.text(max_size=15))
def test_any_text_can_be_typed(small_corpus: Corpus, words: str, country: str) -> None:
    page = small_corpus.search(SearchQuery(words=words, country=country))
    assert len(page.rows) == page.total


def test_filter_tokens_cannot_be_typed(small_corpus: Corpus) -> None:
    assert found(small_corpus, words="=hasresults=yes") == []
    assert found(small_corpus, words="hasresults") == []


def test_the_removal_that_helps_most_is_named(small_corpus: Corpus) -> None:
    query = SearchQuery(words="asthma", phase="3", country="Greenland")
    assert small_corpus.search(query).total == 0
    suggestion = small_corpus.suggest_removal(query)
    assert suggestion is not None
    number = small_corpus.search(SearchQuery(words="asthma", phase="3")).total
    assert suggestion == f"country Greenland: {number} trials without it"
    assert small_corpus.suggest_removal(SearchQuery(words="asthma qqqq")) == "“qqqq”: 6 trials without it"
    assert small_corpus.suggest_removal(SearchQuery(words="zzzz qqqq")) is None


def test_facets_count_trials(small_corpus: Corpus) -> None:
    assert dict(small_corpus.facets("country")) == {"Norway": 6, "Japan": 6, "France": 6}
    assert small_corpus.facets("condition", "rhin") == [("Allergic Rhinitis", 6)]
    assert small_corpus.facets("phase", query=SearchQuery(condition="asthma")) == [("3", 4), ("2", 2)]


def test_doses_say_who_gave_them(small_corpus: Corpus) -> None:
    seen = small_corpus.doses_of("examplozin")
    assert [(dose.amount, dose.unit, dose.trials) for dose in seen] == [(10.0, "mg", 4), (25.0, "mg", 1)]
    assert seen[1].nct_ids == ("NCT00000012",)
    assert small_corpus.doses_of("nothing like it") == []


def test_a_key_that_is_none(small_corpus: Corpus) -> None:
    with pytest.raises(UsageError):
        small_corpus.search(SearchQuery(), after="page 2")


def test_an_interrupted_search_is_cancelled(small_corpus: Corpus) -> None:
    small_corpus.connection.set_progress_handler(lambda: small_corpus.interrupt(), 1)
    with pytest.raises(CancelledError):
        small_corpus.search(SearchQuery(words="a"))
    small_corpus.connection.set_progress_handler(None, 0)
    assert small_corpus.search(SearchQuery(words="a")).total >= 0
