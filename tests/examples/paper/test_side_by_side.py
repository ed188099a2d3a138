import numpy as np

from examples.paper.side_by_side import side_by_side


def test_columns_lie_beside_the_same_maps():
    labels = np.zeros((5, 16, 32), int)
    pictures = np.arange(5, dtype="uint8")[:, None, None, None] * np.ones((5, 16, 32, 3), "uint8")
    columns = {"real": pictures, "a rather long name": 100 + pictures}
    found = np.asarray(side_by_side(labels, columns, np.full((1, 3), 7), rows=3))
    header = found.shape[0] - (3 * 16 + 2 * 2)
    assert found.shape[1] == 3 * 32 + 2 * 2 and header > 30
    # Rows are the maps 0, 2 and 4.
    for row, number in enumerate((0, 2, 4)):
        line = found[header + row * 18 + 5]
        assert [int(line[x, 0]) for x in (5, 34 + 5, 68 + 5)] == [7, number, 100 + number]
    assert found[:header].min() < 128 and found[0].min() == 255
