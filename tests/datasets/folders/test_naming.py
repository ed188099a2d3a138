import pytest

from keras_spade.datasets.folders.naming import how_names_differ

KINDS = ("image", "label")


@pytest.mark.parametrize(
    ("names", "others", "difference"),
    [
        (["1", "2", "10"], ["1_mask", "2_mask", "10_mask"], "names of labels end with '_mask'"),
        (["a/1", "a/2"], ["1", "2"], "names of images begin with 'a/'"),
        (["1.jpg", "2.jpg"], ["1", "2"], "names of images end with '.jpg'"),
        (["000", "001", "199"], ["m000", "m001"], "names of labels begin with 'm'"),
        (
            ["x_1_rgb", "x_2_rgb"],
            ["x_1_ids", "x_2_ids"],
            "names of images end with '_rgb' and names of labels end with '_ids'",
        ),
        (["Haus"], ["haus"], "names differ in upper and lower case"),
        (["a1", "a2"], ["a001", "a002"], "numbers differ in leading zeros"),
    ],
)
def test_differences_of_names(names, others, difference):
    wanted = f"; {difference}: rename the files, so that pairs have the same name"
    assert how_names_differ(names, others, KINDS) == wanted


@pytest.mark.parametrize(
    ("names", "others"),
    [([], []), (["1"], ["2_mask"]), (["1", "2"], ["3", "4"]), (["cat", "dog"], ["1_m", "2_m"])],
)
def test_where_names_tell_nothing(names, others):
    assert how_names_differ(names, others, KINDS) == ""
