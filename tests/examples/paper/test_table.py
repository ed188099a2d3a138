from examples.paper.table import markdown, mean_and_deviation


def test_cells():
    assert mean_and_deviation([0.12345]) == "0.1235"
    # The deviation of n - 1: sqrt(((1 - 2)^2 + 0 + (3 - 2)^2) / 2) = 1.
    assert mean_and_deviation([1, 2, 3]) == "2 ± 1"
    assert mean_and_deviation([1000, 1001], ".0f") == "1000 ± 1"
    assert mean_and_deviation([]) == mean_and_deviation([1, float("nan")]) == "-"


def test_a_table():
    text = markdown("Table 1", ["", "mIoU"], [["ours", "0.5"]], ["a note"])
    assert text.splitlines() == [
        "**Table 1**",
        "",
        "|  | mIoU |",
        "|---|---|",
        "| ours | 0.5 |",
        "",
        "- a note",
    ]
