"""What is refused as no record, and that everything else becomes a Trial with Problems."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepimagine_tui.errors import BadInputError
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.reading import parse_record
from tests.trials.conftest import SMALL

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
RELAXED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def parse(record: dict[str, Any]) -> Trial:
    return parse_record(json.dumps(record).encode(), "small.json")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"hello", "neither a JSON object nor XML"),
        (b"[1, 2]", "neither a JSON object nor XML"),
        (b'{"protocolSection": {', "no complete JSON"),
        (b'{"a": "\xff\xfe"}', "no complete JSON"),
        (b"{}", "no NCT id"),
        (b'{"protocolSection": []}', "no NCT id"),
        (b'{"protocolSection": {"identificationModule": {"nctId": 12345678}}}', "no NCT id"),
        (b'{"protocolSection": {"identificationModule": {"nctId": "NCT123"}}}', "no NCT id"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "nested too deep"),
        (b"<clinical_study><id_info>", "no complete XML"),
        (b"<html></html>", "root is <html>"),
        (b"<clinical_study/>", "no NCT id"),
        (b"<a>" * 100000 + b"</a>" * 100000, "no complete XML"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><clinical_study>&a;</clinical_study>', "document type"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><clinical_study/>', "document type"),
        ("\ufeff<clinical_study/>".encode("utf-16"), "neither"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused_with_a_hint(raw: bytes, words: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_record(raw, "somewhere.txt")
    assert words in caught.value.message
    assert caught.value.hint


def test_a_record_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepimagine_tui.trials.registry.decoding.SIZE_LIMIT", 10)
    with pytest.raises(BadInputError, match="larger than"):
        parse_record(b"{" + b" " * 20)


def test_the_small_record(small: dict[str, Any]) -> None:
    trial = parse(small)
    assert trial.problems == ()
    assert trial.title == "Mindazol 10 mg vs placebo"
    outcome = trial.outcomes[0]
    assert (outcome.kind, outcome.change_basis, outcome.benefit, outcome.class_axis) == ("signed", "change", "lower", "none")
    assert outcome.time is not None
    assert outcome.time.weeks == 12
    contrast = outcome.contrasts[0]
    assert (contrast.orientation, contrast.favours, contrast.significant, contrast.reference) == ("a-b", "OG000", True, "OG001")


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        (("type",), "SIDEWAYS", "unknown-outcome-type"),
        (("title",), ["a", "list"], "not-text"),
        (("groups",), "none", "not-a-list"),
        (("groups", 0), 5, "not-an-object"),
        (("classes", 0, "categories", 0, "measurements", 0, "value"), "about nine", "not-a-number"),
        (("classes", 0, "categories", 0, "measurements", 0, "spread"), "wide", "not-a-number"),
        (("classes", 0, "categories", 0, "measurements", 0, "colour"), "red", "unknown-field"),
        (("classes", 0, "categories", 0, "measurements", 0, "groupId"), "OG007", "unknown-group"),
        (("denoms", 0, "counts", 0, "value"), "4.5", "not-a-count"),
        (("analyses", 0, "pValue"), "tiny", "not-a-p-value"),
        (("analyses", 0, "pValue"), "1.7", "not-a-p-value"),
        (("analyses", 0, "ciPctValue"), "195", "not-a-level"),
        (("analyses", 0, "groupIds"), ["OG000", "OG009"], "unknown-group"),
        (("analyses", 0, "paramType"), "Some Score", "unknown-parameter"),
        (("shoeSize",), 44, "unknown-field"),
    ],
)
def test_what_is_not_understood_is_a_problem_with_its_path(
    small: dict[str, Any], outcome: dict[str, Any], place: tuple[str | int, ...], value: object, code: str
) -> None:
    node: Any = outcome
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value
    problems = {problem.code: problem for problem in parse(small).problems}
    assert code in problems
    assert problems[code].path.startswith("resultsSection.outcomeMeasuresModule.outcomeMeasures[0]")


def test_the_enrolment_sentinel_is_no_number(small: dict[str, Any]) -> None:
    small["protocolSection"]["designModule"]["enrollmentInfo"]["count"] = 99999999
    trial = parse(small)
    assert trial.enrolment is None
    assert [problem.code for problem in trial.problems] == ["enrolment-sentinel"]


def test_text_is_cleaned_of_entities_escapes_and_breaks(small: dict[str, Any], outcome: dict[str, Any]) -> None:
    outcome["title"] = " HbA1c &lt; 7\\% \n at  week\\_12 "
    assert parse(small).outcomes[0].title == "HbA1c < 7\\% at week_12"


def test_group_ids_keep_cells_apart_when_titles_collide(small: dict[str, Any], outcome: dict[str, Any]) -> None:
    outcome["groups"][1]["title"] = outcome["groups"][0]["title"]
    cells = parse(small).outcomes[0].cells
    assert [(cell.group_id, cell.value) for cell in cells] == [("OG000", -9.0), ("OG001", -2.0)]


def test_equal_outcomes_get_different_ids(small: dict[str, Any], outcome: dict[str, Any]) -> None:
    small["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"].append(json.loads(json.dumps(outcome)))
    first, second = parse(small).outcomes
    assert first.id.endswith(":1")
    assert second.id == first.id[:-1] + "2"


def test_a_p_value_and_its_estimate_in_two_analyses(small: dict[str, Any], outcome: dict[str, Any]) -> None:
    """NCT00045032 posts so: the test takes its direction from the estimate beside it."""
    whole = outcome["analyses"][0]
    test = {key: whole[key] for key in ("groupIds", "nonInferiorityType", "pValue", "statisticalMethod")}
    estimate = {key: value for key, value in whole.items() if key not in ("pValue", "statisticalMethod")}
    outcome["analyses"] = [test, estimate]
    outcome["classes"].append(json.loads(json.dumps(outcome["classes"][0])))
    outcome["classes"][0]["title"], outcome["classes"][1]["title"] = "Seated", "Standing"
    first, second = parse(small).outcomes[0].contrasts
    assert (first.kind, first.favours, first.significant) == ("test only", "OG000", True)
    assert second.orientation == "a-b"


@RELAXED
@given(st.binary(max_size=300))
def test_any_bytes_are_a_trial_or_refused(raw: bytes) -> None:
    with contextlib.suppress(BadInputError):
        parse_record(raw)


@RELAXED
@given(JSON_VALUES)
def test_any_json_is_a_trial_or_refused(value: object) -> None:
    with contextlib.suppress(BadInputError):
        parse_record(
            json.dumps(
                {"protocolSection": {"identificationModule": {"nctId": "NCT00000001"}}, "resultsSection": value}
            ).encode()
        )


def _places(node: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found: list[tuple[str | int, ...]] = [path] if path else []
    if isinstance(node, dict):
        for key, value in node.items():
            found += _places(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            found += _places(value, (*path, index))
    return found


PLACES = [place for place in _places(SMALL) if place[-1] != "nctId"]


@RELAXED
@given(st.sampled_from(PLACES), JSON_VALUES)
def test_a_bent_record_never_raises(place: tuple[str | int, ...], value: object) -> None:
    record = json.loads(json.dumps(SMALL))
    node: Any = record
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value
    try:
        trial = parse(record)
    except BadInputError:
        assert place[:2] in {("protocolSection",), ("protocolSection", "identificationModule")}
    else:
        assert trial.nct_id == "NCT99999901"


@RELAXED
@given(st.data())
def test_a_real_record_cut_anywhere_never_raises(shared_data: Any, data: st.DataObject) -> None:
    raw = (shared_data / "ctgov" / "NCT00000125.xml").read_bytes()
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 400)))
    with contextlib.suppress(BadInputError):
        assert parse_record(raw[:start] + raw[end:]).nct_id.startswith("NCT")
