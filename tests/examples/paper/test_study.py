"""The page of the human study, and the evaluation of its answers."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest
from support.browser import check_pictures, opened

from examples.paper import study

SCRIPT = "<!--<script></script>"  # Would hide the rest of the page.
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folders(tmp_path):
    """Five pairs, as PNG and as BMP, label maps of ids, and a picture without a partner."""
    for folder, name in (("ours", "{}.png"), ("theirs", "{}.bmp"), ("labels", "{}.png")):
        (tmp_path / folder / "part").mkdir(parents=True)
        for number in range(5):
            ids = np.full((8, 16), number, "uint8")
            rgb = ids[..., None] * np.array([40, 0, 10], "uint8") + (folder == "ours") * 5
            image = Image.fromarray(ids if folder == "labels" else rgb.astype("uint8"))
            image.save(tmp_path / folder / "part" / name.format(number))
    Image.fromarray(rgb).save(tmp_path / "ours" / "alone.png")
    return tmp_path


def study_of(page):
    text = re.search(r'<script type="application/json" id="study">(.*?)</script>', page, re.DOTALL)
    return json.loads(text[1])


def pixels(address):
    kind, _, data = address.partition(";base64,")
    assert kind == "data:image/png"
    return np.asarray(Image.open(io.BytesIO(study.base64.b64decode(data))))


def test_the_page_holds_all_pictures(folders):
    pairs, left_out = study.pairs_of(folders / "ours", folders / "theirs", folders / "labels")
    assert left_out == ["alone"] and list(pairs) == [f"part/{i}" for i in range(5)]
    study.write_page(folders / "new" / "study.html", pairs, "ours", SCRIPT, "Which?", 3)
    page = (folders / "new" / "study.html").read_text()
    facts = study_of(page)
    assert "<!--" not in page and page.count("<script") == page.count("</script>") == 2
    assert (facts["first"], facts["second"], facts["shown"]) == ("ours", SCRIPT, 3)
    pair = facts["pairs"][4]
    assert pixels(pair["first"])[0, 0].tolist() == [165, 5, 45]
    assert pixels(pair["second"])[0, 0].tolist() == [160, 0, 40]
    # The colour of id 4: four golden steps around the circle, 190 degrees.
    assert pixels(pair["labels"])[0, 0].tolist() == [69, 203, 230]


def damaged(content):
    """The bytes of a file with one in the middle changed."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "folder, name, change",
    [
        ("ours", "3.png", lambda content: b"not a picture"),
        ("ours", "3.png", damaged),
        ("theirs", "2.bmp", lambda content: content[:-9]),
        ("labels", "1.png", lambda content: b""),
    ],
)
def test_a_file_that_no_browser_shows_is_refused(folders, folder, name, change):
    path = folders / folder / "part" / name
    path.write_bytes(change(path.read_bytes()))
    pairs, _ = study.pairs_of(folders / "ours", folders / "theirs", folders / "labels")
    with pytest.raises(ValueError, match=f"{folder}/part/{name} cannot be read as a picture: ."):
        study.write_page(folders / "study.html", pairs, "ours", "theirs", "Which?")
    assert not (folders / "study.html").exists()


def test_a_truncated_jpeg_is_refused_and_another_keeps_its_bytes(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype("uint8")
    Image.fromarray(noise).save(tmp_path / "photo.jpg")
    content = (tmp_path / "photo.jpg").read_bytes()
    (tmp_path / "photo.png").write_bytes(content)  # The browser is told what it is.
    kind, _, data = study.picture(tmp_path / "photo.png").partition(";base64,")
    assert kind == "data:image/jpeg" and study.base64.b64decode(data) == content
    (tmp_path / "photo.jpg").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="photo.jpg cannot be read as a picture: .*truncated"):
        study.picture(tmp_path / "photo.jpg")


def test_a_grey_label_map_with_alpha_is_shown_as_it_is(tmp_path):
    Image.new("LA", (2, 2), (70, 255)).save(tmp_path / "map.png")
    assert (pixels(study.label_map(tmp_path / "map.png")) == 70).all()


@pytest.mark.parametrize("successes, trials", [(0, 1), (3, 6), (6, 6), (37, 100), (612, 1000)])
def test_the_test_is_that_of_scipy(successes, trials):
    want = binomtest(successes, trials).pvalue
    assert study.binomial_test(successes, trials) == pytest.approx(want, rel=1e-9)


def write_results(path, *rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([study.COLUMNS, *rows])
    return str(path)


def test_answers_of_several_people_are_counted_together(tmp_path):
    one = write_results(
        tmp_path / "1.csv",
        ["a", 1, "x", "ours", "theirs", "ours", 1.0],
        ["a", 2, "y", "theirs", "ours", "ours", 1.0],
    )
    two = write_results(tmp_path / "2.csv", ["b", 1, "x", "theirs", "ours", "theirs", 1.0])
    assert study.count([one, two]) == {("ours", "theirs"): (2, 3)}
    (line,) = study.lines_of(study.count([one, two]))
    assert "ours was chosen over theirs in 2 of 3 answers, 66.7 %" in line and "p = 1" in line
    with pytest.raises(ValueError, match="line 2: .'a', '1'. has been counted already"):
        study.count([one, one])
    bad = write_results(tmp_path / "3.csv", ["c", 1, "x", "ours", "theirs", "neither", 1.0])
    with pytest.raises(ValueError, match="3.csv, line 2: not a result of the study page"):
        study.count([bad])


@pytest.mark.parametrize(
    "content", ["a,1,Straße,ours,theirs,ours,1\n".encode("latin-1"), b"a" * 200_000]
)
def test_a_file_that_is_not_csv_in_utf_8_is_named(tmp_path, content):
    path = tmp_path / "answers.csv"
    path.write_bytes(",".join(study.COLUMNS).encode() + b"\n" + content)
    with pytest.raises(ValueError, match="answers.csv: not a CSV file in UTF-8: "):
        study.count([str(path)])


def test_what_is_wrong_is_reported(folders):
    with pytest.raises(ValueError, match="No file name of .*ours is in all folders"):
        study.pairs_of(folders / "ours", folders / "theirs" / "part")
    with pytest.raises(ValueError, match="nothing is not a folder"):
        study.pairs_of(folders / "nothing", folders / "ours")
    ours = folders / "ours"
    (folders / "link").symlink_to(ours)
    for same in (f"{ours}/", ours / ".." / "ours", folders / "link"):
        with pytest.raises(ValueError, match="--first=.*ours and --second=.* are the same folder"):
            study.pairs_of(ours, same)
    Image.new("RGB", (2, 2)).save(folders / "ours" / "alone.jpg")
    with pytest.raises(ValueError, match="two pictures of the same name"):
        study.pairs_of(folders / "ours", folders / "theirs")
    command = [sys.executable, "examples/paper/study.py", "--first=x"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert result.returncode == 1
    assert result.stderr == (
        "examples/paper/study.py: Pass --first and --second, two folders; or --results, to count.\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("labels", [True, False])
def test_a_person_answers_in_chromium(folders, labels):
    parts = [folders / "ours", folders / "theirs", folders / "labels" if labels else None]
    pairs, _ = study.pairs_of(*parts)
    study.write_page(folders / "study.html", pairs, "ours, new", 'the "others"', "Which?")
    with opened(folders / "study.html") as page:
        page.locator("#begin").click()
        for number in range(5):
            page.wait_for_function("ready")
            assert len(check_pictures(page)) == 2 + labels
            left = page.evaluate("trials[answers.length].left") == "first"
            wanted = left if number < 4 else not left  # Ours four times, then theirs.
            if number == 1:
                page.locator("#left" if wanted else "#right").click()
            else:
                page.keyboard.press("ArrowLeft" if wanted else "ArrowRight")
        page.wait_for_selector("#end:not([hidden])")
        assert page.locator("tr").nth(0).inner_text().split("\t") == [
            "ours, new",
            "4 of 5",
            "80.0 %",
        ]
        assert page.locator("#test").inner_text().endswith("p = 0.375")
        with page.expect_download() as download:
            page.locator("#save").click()
        download.value.save_as(folders / "answers.csv")
        p = page.evaluate("binomialTest(612, 1000)")
    assert p == pytest.approx(binomtest(612, 1000).pvalue, rel=1e-9)
    assert study.count([str(folders / "answers.csv")]) == {("ours, new", 'the "others"'): (4, 5)}
    rows = list(csv.DictReader((folders / "answers.csv").read_text().splitlines()))
    assert sorted(row["name"] for row in rows) == sorted(pairs)
