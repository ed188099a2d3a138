import json

import pytest

from examples.paper.results import Results


def make(path, **settings):
    return Results(path / "results.jsonl", {"minutes": 1.0, **settings})


def test_records_are_found_by_another_process(tmp_path):
    make(tmp_path).add(row="ours", definition={"a": 1}, seed=0, scores={"mean_iou": 0.5})
    make(tmp_path).add(row="ours", definition={"a": 1}, seed=1, scores={"mean_iou": 0.25})
    again = make(tmp_path)
    assert again.find("ours", {"a": 1}, 1)["scores"] == {"mean_iou": 0.25}
    assert again.find("ours", {"a": 1}, 2) is None
    assert again.find("CRN", {"a": 1}, 1) is None
    lines = (tmp_path / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["seed"] for line in lines] == [0, 1]


def test_a_torn_last_line_is_written_over(tmp_path):
    make(tmp_path).add(row="ours", definition={}, seed=0)
    path = tmp_path / "results.jsonl"
    whole = path.read_text()
    path.write_text(whole + whole[:20])
    assert make(tmp_path).find("ours", {}, 0)["row"] == "ours"
    make(tmp_path).add(row="CRN", definition={}, seed=0)
    assert [record["row"] for record in make(tmp_path).all()] == ["ours", "CRN"]
    path.write_text(whole[:20] + "\n" + whole)
    with pytest.raises(ValueError, match="line 1: not JSON"):
        make(tmp_path)


def test_other_settings_and_definitions_are_refused(tmp_path):
    make(tmp_path).add(row="ours", definition={"a": 1}, seed=0)
    with pytest.raises(ValueError, match="--batch_size=None before, 4 now, --minutes=1.0 before"):
        make(tmp_path, minutes=2.0, batch_size=4)
    with pytest.raises(ValueError, match="'ours' was {'a': 1} there, and is {'a': 2} now"):
        make(tmp_path).find("ours", {"a": 2}, 0)
