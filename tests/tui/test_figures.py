"""Whiskers, plots and the Emax curve: drawn to scale, in the room there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepimagine_tui.tui.emax import Emax, fit
from deepimagine_tui.tui.plot import Plot, Point, draw
from deepimagine_tui.tui.whiskers import Scale, Spread, spread_of, whisker
from tests.tui.records import dose_trial

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def test_a_whisker_is_drawn_to_scale() -> None:
    assert whisker(0.0, Spread(-1.0, 1.0, ""), Scale(-2.0, 2.0), 9) == "  ├─●─┤  "


def test_an_open_end_is_an_arrow() -> None:
    assert whisker(0.0, Spread(None, 1.0, ""), Scale(-2.0, 2.0), 9) == "◂───●─┤  "


@given(NUMBERS, NUMBERS, NUMBERS, st.integers(1, 60))
def test_a_whisker_fills_exactly_its_room(value: float, first: float, second: float, width: int) -> None:
    low, high = sorted((first, second))
    drawn = whisker(value, Spread(low, high, ""), Scale(min(low, value), max(high, value)), width)
    assert len(drawn) == width
    assert "●" in drawn


def test_a_posted_standard_error_becomes_a_derived_interval_that_says_so() -> None:
    trial = dose_trial()
    outcome = trial.outcomes[0]
    cell = next(cell for cell in outcome.cells if cell.value is not None and cell.dispersion)
    spread = spread_of(trial.nct_id, outcome, cell)
    assert spread.label == "95% CI derived from SE"
    assert spread.lower is not None
    assert spread.upper is not None
    assert cell.value is not None
    assert cell.dispersion is not None
    assert spread.upper - cell.value == pytest.approx(1.96 * cell.dispersion, rel=0.01)


@pytest.mark.parametrize("curve", [Emax(-0.1, -2.0, 0.5), Emax(5.0, 30.0, 12.0)])
def test_the_emax_curve_finds_the_one_that_made_the_points(curve: Emax) -> None:
    doses = [0.0, 0.25 * curve.ed50, curve.ed50, 3 * curve.ed50, 8 * curve.ed50]
    found = fit([(dose, curve.at(dose)) for dose in doses])
    assert found is not None
    for dose in doses:
        assert found.at(dose) == pytest.approx(curve.at(dose), abs=0.02 * abs(curve.emax))


def test_two_doses_make_no_curve() -> None:
    assert fit([(0.0, 1.0), (10.0, 2.0), (10.0, 3.0)]) is None


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8), st.integers(16, 80), st.integers(5, 40))
def test_a_plot_keeps_to_its_room_and_shows_every_point(places: list[tuple[float, float]], width: int, height: int) -> None:
    points = tuple(Point(x, y, "●") for x, y in places)
    lines = draw(Plot(points, tuple((x, "tick") for x, _ in places)), width, height).plain.splitlines()
    assert len(lines) <= height
    assert all(len(line) <= width for line in lines)
    assert any("●" in line for line in lines)


def test_an_absurd_imagined_value_leaves_the_observed_ones_readable() -> None:
    observed = (Point(0.0, -0.1, "●"), Point(1.0, -1.8, "●"))
    lines = draw(Plot((*observed, Point(2.0, 1000.0, "○", label="1", firm=False)), ()), 40, 20).plain.splitlines()
    rows = [index for index, line in enumerate(lines) if "●" in line]
    assert rows[-1] - rows[0] >= 4
    assert "▲ 1000 1" in lines[0]


def test_both_ends_of_the_axis_are_labelled() -> None:
    points = tuple(Point(at, at, "●") for at in (0.0, 0.5, 1.0, 2.0))
    plot = Plot(points, ((0.0, "0"), (0.5, "0.5"), (1.0, "1"), (2.0, "2 mg")))
    axis = draw(plot, 26, 12).plain.splitlines()[-1]
    assert axis.split()[0] == "0"
    assert axis.endswith("2 mg")
