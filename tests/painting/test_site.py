import base64
import hashlib
import json
import warnings

import numpy as np
import pytest
from support.painting import SIZE, onnxruntime_web, painting_model

from keras_spade.painting import write_site
from keras_spade.painting.site import CDN, INTEGRITY, VERSION, _export_encoder

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def model():
    return painting_model(encoder=False)


def test_a_folder_with_other_things_stays(model, tmp_path):
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(ValueError, match="not part of the painter's site .*: thesis.tex"):
        write_site(tmp_path, model)
    with pytest.raises(ValueError, match="thesis.tex is a file"):
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


def test_an_export_does_not_repeat_the_warning_of_keras(tmp_path):
    class Encoder:
        image_shape = (4, 4, 3)

        def fold_spectral_norm(self, dtype):
            return self

        def __call__(self, images):
            assert images.shape == (1, 4, 4, 3)

        def export(self, path, **options):
            warnings.warn(
                "In the future `np.object` will be defined as the corresponding NumPy scalar.",
                FutureWarning,
                stacklevel=1,
            )
            path.write_text("written")

    _export_encoder(Encoder(), tmp_path / "encoder.onnx")  # In tests, warnings are errors.
    assert (tmp_path / "encoder.onnx").read_text() == "written"


def test_a_site_is_replaced_by_the_next(model, tmp_path, monkeypatch):
    folder, exports = tmp_path / "site", []

    def export(path, **options):
        exports.append(options)
        path.write_text(f"{len(exports)}")

    monkeypatch.setattr(model.generator, "export", export)
    ids = np.zeros(SIZE, int)
    write_site(folder, model, [ids, ids])
    assert (folder / "maps" / "02.png").exists() and (folder / "worker.js").exists()
    write_site(folder, model, [ids])
    assert not (folder / "maps" / "02.png").exists()
    (folder / ".git").mkdir()  # As in a folder that publishes a site.
    with pytest.raises(ValueError, match="would be deleted: .git"):
        write_site(folder, model, [ids])
    assert (folder / ".git").exists()
    assert (folder / "generator.onnx").read_text() == "2" and exports[1]["format"] == "onnx"
    facts = json.loads((folder / "model.json").read_text())
    assert facts["onnxruntime"]["base"] == CDN and facts["onnxruntime"]["integrity"] == INTEGRITY
    assert facts["photograph"] is None and f"@{VERSION}/" in CDN
    assert "onnxruntime" not in {path.name for path in folder.iterdir()}
