"""Do numbers survive the way into the browser?"""

import json

import numpy as np
import pytest

from clipxai.view.payload import Payload, pack, unpack


def round_trip(values: np.ndarray, coding: str) -> np.ndarray:
    return unpack(pack({}, {"x": (values, coding)}))["x"]


def test_exact_codings_return_what_they_got():
    rng = np.random.default_rng(0)
    floats = rng.standard_normal((3, 5)).astype(np.float32)
    floats[1, 2] = np.nan
    np.testing.assert_array_equal(round_trip(floats, "f32"), floats)
    table = rng.integers(0, 256, (256, 3), dtype=np.uint8)
    np.testing.assert_array_equal(round_trip(table, "u8"), table)


def test_u16_error_is_far_below_half_a_percent_of_the_range_even_for_a_narrow_one():
    maps = 0.2 + 0.001 * np.random.default_rng(1).standard_normal((4, 196)).astype(np.float32)
    error = np.abs(round_trip(maps, "u16") - maps).max(axis=1)
    assert (error <= np.ptp(maps, axis=1) * 1e-4).all()


def test_u16_keeps_nan_constant_rows_and_rows_without_any_number():
    maps = np.array([[1, np.nan, 3], [7, 7, 7], [np.nan] * 3, [np.inf, -1, -2]], np.float32)
    expected = np.array([[1, np.nan, 3], [7, 7, 7], [np.nan] * 3, [np.nan, -1, -2]], np.float32)
    np.testing.assert_allclose(round_trip(maps, "u16"), expected, rtol=1e-6)


def test_u8sqrt_keeps_small_attention_beside_a_sink():
    attention = np.full((1, 197), 2e-4, np.float32)
    attention[0, 0] = 1 - attention[0, 1:].sum()
    decoded = round_trip(attention, "u8sqrt")
    assert decoded[0, 1] > 0, "linear bytes would have made it 0"
    assert np.abs(decoded - attention).max() <= attention.max() * 2 / 255


def test_u8sqrt_marks_a_broken_row_and_refuses_negative_weights():
    rows = np.array([[0.5, np.nan], [0.5, 0.25]], np.float32)
    decoded = round_trip(rows, "u8sqrt")
    assert np.isnan(decoded[0]).all() and np.isfinite(decoded[1]).all()
    with pytest.raises(ValueError, match="signed values as u16"):
        round_trip(np.array([[-0.1, 0.2]]), "u8sqrt")


def test_arrays_start_at_multiples_of_four_bytes():
    payload = pack(
        {},
        {
            "a": (np.zeros(3, np.uint8), "u8"),
            "b": (np.ones((1, 3)), "u16"),
            "c": (np.ones(2), "f32"),
        },
    )
    assert all(
        entry[key] % 4 == 0
        for entry in payload.header["arrays"].values()
        for key in ("offset", "scales")
    )
    np.testing.assert_array_equal(unpack(payload)["c"], [1, 1])


def test_wrong_codings_are_explained():
    with pytest.raises(ValueError, match="sends bytes as they are"):
        round_trip(np.zeros(3), "u8")
    with pytest.raises(ValueError, match="unknown coding 'i4'"):
        round_trip(np.zeros(3), "i4")


def halve(header: dict, arrays: dict) -> tuple[dict, dict]:
    return header, {
        name: (values[: len(values) // 2], coding) for name, (values, coding) in arrays.items()
    }


def test_what_does_not_fit_is_given_up_in_order_and_declared():
    arrays = {"x": (np.zeros(1000), "f32")}
    whole = pack({}, arrays, steps=[("half is missing", halve)])
    assert whole.header["dropped"] == []
    lighter = pack(
        {},
        arrays,
        budget=3000,
        steps=[("half is missing", halve), ("three quarters are missing", halve)],
    )
    assert lighter.header["dropped"] == ["half is missing"]
    assert lighter.size <= 3000 and len(unpack(lighter)["x"]) == 500
    with pytest.raises(ValueError, match="budget is 100"):
        pack({}, arrays, budget=100, steps=[("half is missing", halve)])


def test_size_counts_header_and_base64():
    payload = Payload({"a": 1}, b"12345")
    assert payload.size == len(json.dumps({"a": 1})) + len(payload.base64())
