"""Sizes against counting: every window position enumerated, every column of the picture ticked
off."""
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from minialex import shapes

numbers = {
    "size": st.integers(1, 300),
    "kernel_size": st.integers(1, 15),
    "stride": st.integers(1, 9),
    "padding": st.integers(0, 8),
}


def windows(size, kernel_size, stride, padding):
    """The columns of each window, by looking at every column of the padded picture."""
    padded = list(range(-padding, size + padding))
    lefts = [left for left in range(len(padded)) if left % stride == 0
             and left + kernel_size <= len(padded)]
    return [padded[left : left + kernel_size] for left in lefts]


def fits(size, kernel_size, stride, padding):
    return kernel_size <= size + 2 * padding


@given(**numbers)
def test_the_size_is_the_number_of_windows(**layer):
    assume(fits(**layer))
    assert shapes.conv_output_size(**layer) == len(windows(**layer))
    assert list(shapes.window_starts(**layer)) == [window[0] for window in windows(**layer)]


@given(**numbers)
def test_columns_never_read_are_those_in_no_window(**layer):
    assume(fits(**layer))
    seen = {column for window in windows(**layer) for column in window}
    size, padding = layer["size"], layer["padding"]
    assert shapes.columns_never_read(**layer) == sorted(set(range(-padding, size + padding)) - seen)


@given(**numbers)
def test_explain_tells_the_size_and_the_loss_as_enumeration_finds_them(**layer):
    assume(fits(**layer))
    size, kernel, stride, padding = layer.values()
    text = shapes.explain(**layer)
    found = windows(**layer)
    after_the_last = range(found[-1][-1] + 1, size + padding)
    if not after_the_last:
        span = size - kernel + 2 * padding
        assert (text == f"({size} - {kernel} + 2·{padding})/{stride} + 1 = {span}/{stride} + 1 = "
                f"{len(found)}")
        return
    assert f" → {len(found)}, the last " in text
    assert ("the last column " if len(after_the_last) == 1
            else f"the last {len(after_the_last)} columns ") in text
    pixels = sum(column < size for column in after_the_last)
    if pixels == 0:
        assert "padding only" in text
    elif padding:
        assert f"{padding} of padding and {pixels} of pixels" in text
    else:
        assert "of pixels" in text
    larger = 1
    while windows(size + larger, kernel, stride, padding)[-1][-1] != size + larger + padding - 1:
        larger += 1
    assert (f"; {size + larger} or {larger} more "
            f"pixel{'s make' if larger > 1 else ' makes'} it whole" in text)


def test_explain_is_worded_as_in_the_contract():
    assert shapes.explain(227, kernel_size=11, stride=4,
                          padding=0) == "(227 - 11 + 2·0)/4 + 1 = 216/4 + 1 = 55"
    assert shapes.explain(224, kernel_size=11, stride=4, padding=0) == (
        "(224 - 11 + 2·0)/4 + 1 = 54.25 → 54, the last column of pixels is never read; "
        "227 or 3 more pixels make it whole"
    )
    assert shapes.explain(224, kernel_size=11, stride=4, padding=3) == (
        "(224 - 11 + 2·3)/4 + 1 = 55.75 → 55, the last 3 columns are never read, padding only; "
        "225 or 1 more pixel makes it whole"
    )
    text = shapes.explain(16, kernel_size=5, stride=3)
    assert text.startswith("(16 - 5 + 2·0)/3 + 1 = 4.66… → 4, "
                           "the last 2 columns of pixels are never read; 17")


@given(numerator=st.integers(1, 500), denominator=st.integers(1, 30))
def test_quotients_are_printed_in_full_or_marked_as_cut(numerator, denominator):
    text = shapes._decimal(numerator, denominator)
    exact = Fraction(numerator, denominator)
    if text.endswith("…"):
        assert 0 < exact - Fraction(text[:-1]) < Fraction(1, 100)
    else:
        assert Fraction(text) == exact


def test_pairs_are_height_and_width():
    assert shapes.conv_output_size((227, 224), kernel_size=11, stride=4) == (55, 54)
    assert shapes.conv_output_size(10, kernel_size=(3, 5), stride=(1, 2), padding=(0, 2)) == (8, 5)
    assert shapes.conv_output_size((227, 227), 11, 4) == (55, 55)
    assert shapes.conv_output_size(227, 11, 4) == 55
    text = shapes.explain((224, 227), kernel_size=11, stride=4)
    assert ("height (224 - 11 + 2·0)/4 + 1 = 54.25 → 54, "
            "the last row of pixels is never read" in text)
    assert text.endswith("width (227 - 11 + 2·0)/4 + 1 = 216/4 + 1 = 55")


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ((8, 11, 4, 0), "a kernel of 11 does not fit into 8 + 2·0 = 8 pixels: "
         "use an input of at least 11"),
        ((8, 11, 4, 1), "does not fit into 8 + 2·1 = 10 pixels: use an input of at least 9"),
        (((227, 8), 11, 4, 0), "a kernel of 11 does not fit into 8"),
        ((227, 11, 0, 0), "stride must be a whole number of at least 1"),
        ((227, 11, -4, 0), "got -4"),
        ((227, 11, 4, -1), "padding must be a whole number of at least 0"),
        ((227, 0, 4, 0), "kernel_size must be a whole number of at least 1"),
        ((0, 1, 1, 0), "size must be a whole number of at least 1"),
        ((227, (11, 11, 11), 4, 0), "or two of them (vertical, horizontal), got (11, 11, 11)"),
        ((227.0, 11, 4, 0), "size must be a whole number of at least 1, or two of them"),
        ((227, 11, "4", 0), "got '4'"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(arguments, sentence):
    for function in (shapes.conv_output_size, shapes.explain):
        with pytest.raises(ValueError) as caught:
            function(*arguments)
        assert sentence in str(caught.value)


def test_receptive_field_of_alexnet_is_what_marking_pixels_finds():
    layers = [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)]

    def sees(value):
        """Columns of the picture (unpadded, so that they may be negative) behind one value of the
        last layer."""
        columns = {value}
        for kernel, stride in reversed(layers):
            columns = {column * stride + offset for column in columns for offset in range(kernel)}
        return columns

    assert shapes.receptive_field(layers) == (len(sees(0)), min(sees(1)) - min(sees(0))) == (195,
                                                                                             32)
    assert shapes.receptive_field([(3, 1), (3, 1)]) == (5, 1)
    assert shapes.receptive_field([]) == (1, 1)
