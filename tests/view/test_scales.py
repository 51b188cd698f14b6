"""Do colours mean what the caption says?"""

import numpy as np
import pytest
from matplotlib import colormaps
from view_examples import example

from clipxai.view import MethodComparison
from clipxai.view.number import number, signed, two_digits
from clipxai.view.scales import (
    DIVERGING,
    SEQUENTIAL,
    Scale,
    around_zero,
    colour_table,
    scales_of,
    varies,
)
from clipxai.view.sentences import caption

LOW, HIGH, SIGNED = np.array([0.1, 0.3]), np.array([0.5, 0.9]), np.array([-2.0, 1.0])


@pytest.mark.parametrize("name", [SEQUENTIAL, DIVERGING])
def test_tables_are_matplotlibs(name: str):
    expected = [colormaps[name](n, bytes=True)[:3] for n in range(256)]
    # bytes=True truncates, the table rounds
    assert np.abs(colour_table(name).astype(int) - np.array(expected, int)).max() <= 1


def test_sequential_map_gets_lighter_and_diverging_one_is_neutral_in_the_middle():
    light = colour_table(SEQUENTIAL).astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) > -0.8).all() and light[-1] - light[0] > 150
    assert np.ptp(colour_table(DIVERGING)[127:129].astype(int)) <= 12


def test_own_scales_reach_from_lowest_to_highest_patch():
    assert scales_of([LOW, SIGNED], ["cosine"] * 2, "minmax") == [
        Scale(0.1, 0.3, SEQUENTIAL),
        Scale(-2, 1, SEQUENTIAL),
    ]


def test_shared_scale_is_one_per_unit_and_diverges_only_for_what_adds_and_subtracts():
    assert scales_of([LOW, HIGH], ["a", "a"], "shared") == [Scale(0.1, 0.9, SEQUENTIAL)] * 2
    assert scales_of([LOW, SIGNED], ["a", "b"], "shared") == [
        Scale(0.1, 0.3, SEQUENTIAL),
        Scale(-2, 1, SEQUENTIAL),
    ]
    assert scales_of([LOW, SIGNED], ["a", "b"], "shared", differences=True) == [
        Scale(-0.3, 0.3, DIVERGING),
        Scale(-2, 2, DIVERGING),
    ]


def test_signed_scale_puts_zero_in_the_middle():
    (scale,) = scales_of([SIGNED], ["a"], "signed")
    assert scale.place(np.array([0.0])) == 0.5


def test_constant_and_empty_maps_have_a_scale_without_extent():
    constant, nothing = scales_of([np.full(4, 0.25), np.full(4, np.nan)], ["a", "a"], "minmax")
    assert (constant.low, constant.high) == (0.25, 0.25) and (nothing.low, nothing.high) == (0, 0)
    np.testing.assert_array_equal(constant.place(np.array([0.25, np.nan])), [0.5, np.nan])


def test_captions_name_unit_and_normalisation():
    scales = scales_of([LOW, HIGH], ["cosine", "cosine"], "shared")
    assert caption(["cosine"] * 2, "shared", scales) == (
        "Colour: cosine; one scale for all maps, from 0.1 to 0.9, so colours compare across maps."
    )
    assert "do not compare" in caption(["cosine"] * 2, "minmax", scales)
    assert "compare" not in caption(["cosine"], "minmax", scales[:1])
    units = ["cosine", "logit"]
    assert caption(units, "shared", scales) == (
        "Colour: cosine or logit; one scale per unit, so colours compare across maps of one unit "
        "only."
    )


def test_a_choice_of_one_scale_says_where_it_is_one_per_unit():
    """In the page, and only of maps whose units differ."""
    clip, other = example("clip"), example("grad_cam", seed=1, unit="relevance")
    for given, named in (
        ([clip, other], "one scale per unit"),
        ([clip, clip], "one scale for all"),
    ):
        header = MethodComparison(given).payload().header
        labels = [one["label"] for one in header["scalings"]]
        assert labels == ["each map on its own scale", named, "own scale, zero in the middle"]
        scales = header["scalings"][1]["scales"]
        assert (scales[0] == scales[1]) == ("all" in named)


def test_a_signed_scale_reaches_to_the_strongest_of_its_maps():
    assert around_zero(LOW, SIGNED) == Scale(-2.0, 2.0, DIVERGING)
    assert around_zero(np.array([0.5, np.nan, -np.inf])) == Scale(-0.5, 0.5, DIVERGING)
    assert around_zero(np.full(3, np.nan)).high == 0


def test_what_is_not_finite_is_no_variation():
    assert varies(LOW) and varies(np.array([np.nan, 1, 2]))
    assert not varies(np.array([1, 1, np.inf])) and not varies(np.full(3, np.nan))


def test_unknown_normalisation_lists_the_known():
    with pytest.raises(ValueError, match="'minmax', 'shared', 'signed'"):
        scales_of([LOW], ["a"], "jet")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.03124, "0.0312"), (-0.5, "−0.5"), (0.0, "0"), (1e-7, "1e−07"), (np.nan, "not a number")],
)
def test_numbers_are_short(value: float, text: str):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.3764, "+0.376"), (-0.01, "−0.010"), (np.nan, "not a number")]
)
def test_shares_have_a_sign_and_three_decimals(value: float, text: str):
    assert signed(value) == text


def test_cosines_have_two_digits():
    assert (two_digits(-0.125), two_digits(1.0)) == ("−0.13", "1.00")
