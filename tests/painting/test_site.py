import base64
import hashlib
import json

import pytest
from support.painting import onnxruntime_web, painting_model

from keras_spade.painting import write_site
from keras_spade.painting.site import INTEGRITY, VERSION


@pytest.fixture(scope="module")
def model():
    return painting_model(encoder=False)


def test_a_folder_with_other_things_stays(model, tmp_path):
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(ValueError, match="no site of the painter; .*: thesis.tex"):
        write_site(tmp_path, model)
    with pytest.raises(ValueError, match="thesis.tex is there and no site"):
        write_site(tmp_path / "thesis.tex", model)
    assert (tmp_path / "thesis.tex").read_text() == "years"


def test_a_folder_that_is_no_onnxruntime_web(model, tmp_path):
    with pytest.raises(ValueError, match="has no ort.wasm.bundle.min.mjs; .* onnxruntime-web@1"):
        write_site(tmp_path / "site", model, onnxruntime_web=tmp_path)
    assert not (tmp_path / "site").exists()


def test_integrity_is_that_of_the_package():
    folder = onnxruntime_web()
    if json.loads((folder.parent / "package.json").read_text())["version"] != VERSION:
        pytest.skip(f"onnxruntime-web is not {VERSION}")
    for name, known in INTEGRITY.items():
        digest = hashlib.sha384((folder / name).read_bytes()).digest()
        assert known == f"sha384-{base64.b64encode(digest).decode()}"
