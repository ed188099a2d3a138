import pytest

from benchmarks.input.pipelines import PipelineSettings


def test_a_missing_folder_is_reported_before_anything_starts(tmp_path):
    (tmp_path / "images").mkdir()
    with pytest.raises(ValueError, match="must be a folder with images/ and labels/; got /"):
        PipelineSettings(str(tmp_path), 3, 1, str(tmp_path))
    (tmp_path / "labels").mkdir()
    PipelineSettings(str(tmp_path), 3, 1, str(tmp_path))
