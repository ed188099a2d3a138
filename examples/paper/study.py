"""The human study: which of two pictures of the same label map looks more like a photograph?

    python examples/paper/study.py --first=painted/ours --second=painted/pix2pixhd \
        --labels=street/labels --out=study.html
    python examples/paper/study.py --results=study_3f2a.csv,study_91c0.csv

The first command writes one page that contains all pictures and opens from disk, so you can send it
to participants. It shows pairs with the same file name in random order, each picture on a random
side, and takes arrow keys or clicks. At the end it shows the counts and a test, and
offers a CSV file. The second command reads such files and reports both for all of them together.

The test is the two-sided exact binomial test of the hypothesis that both are chosen equally often.
It treats the answers as independent, which those of one person are not quite: ask several.

Park et al. 2019 (arXiv 1903.07291), section 4, "Human evaluation": 500 questions a data set, each
asked five people, without a time limit.
"""

import base64
import collections
import csv
import io
import json
import math
import sys
from pathlib import Path

from absl import app, flags
from PIL import Image

FLAGS = flags.FLAGS
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
# Pillow's names of the formats that browsers show, and those of browsers; others become PNG.
TYPES = {"PNG": "png", "JPEG": "jpeg", "MPO": "jpeg", "WEBP": "webp"}
COLUMNS = ["participant", "trial", "name", "left", "right", "chosen", "seconds"]


def main(argv):
    """Writes the page, or counts."""
    given = [name for name in ("first", "second") if FLAGS[name].value is not None]
    if FLAGS.results is not None and not given:
        for line in lines_of(count(FLAGS.results)):
            print(line)
    elif FLAGS.results is None and len(given) == 2:
        pairs, left_out = pairs_of(FLAGS.first, FLAGS.second, FLAGS.labels)
        write_page(FLAGS.out, pairs, FLAGS.first, FLAGS.second, FLAGS.question, FLAGS.pairs)
        print(f"{FLAGS.out} shows {len(pairs)} pairs.")
        if left_out:
            print(
                f"Omitted, because not in all folders: {len(left_out)}, {left_out[0]} for example."
            )
    else:
        raise ValueError("Pass --first and --second, two folders; or --results, to count.")


def pairs_of(first, second, labels=None):
    """The files of the same name in all folders, and the names that are not in all.

    Args:
        first: a folder.
        second: a folder.
        labels: a folder, or `None`.

    Returns:
        A dict name -> list of paths, and a list of names.

    Raises:
        ValueError: if there are no two folders, or no name is in all.
    """
    if Path(first).resolve() == Path(second).resolve():
        raise ValueError(f"--first={first} and --second={second} are the same folder.")
    folders = [files_in(folder) for folder in (first, second, labels) if folder is not None]
    everywhere = set.intersection(*map(set, folders))
    if not everywhere:
        raise ValueError(f"No file name of {first} is in all folders: {second}, {labels or ''}.")
    left_out = sorted(set.union(*map(set, folders)) - everywhere)
    return {name: [files[name] for files in folders] for name in sorted(everywhere)}, left_out


def files_in(folder):
    """The pictures of a folder by their path in it, without its ending."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder.")
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    files = {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}
    if len(files) < len(paths):
        raise ValueError(f"{folder} holds two pictures of the same name with different suffixes.")
    return files


def write_page(path, pairs, first, second, question, shown=0):
    """Writes the page.

    Args:
        path: of the page.
        pairs: as `pairs_of` finds them.
        first: the name of the first pictures in the results.
        second: the name of the second pictures.
        question: the question to ask.
        shown: how many pairs a person is shown; 0: all.

    Raises:
        ValueError: naming a file that cannot be read; there is no page then.
    """
    study = {
        "question": question,
        "first": str(first),
        "second": str(second),
        "shown": min(shown or len(pairs), len(pairs)),
        "columns": COLUMNS,
        "pairs": [
            {
                "name": name,
                "first": picture(paths[0]),
                "second": picture(paths[1]),
                "labels": label_map(paths[2]) if len(paths) > 2 else None,
            }
            for name, paths in pairs.items()
        ],
    }
    from keras_spade import files

    page = Path(__file__).with_name("study_page.html").read_text(encoding="utf-8")
    text = json.dumps(study).replace("<", "\\u003c")  # No end of the script, no comment in it.
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path) as partial:
        partial.write_text(page.replace("@STUDY@", text), encoding="utf-8")


def picture(path):
    """A picture as a data URL."""
    image = opened(path)
    if image.format in TYPES:
        return data_url(path.read_bytes(), TYPES[image.format])
    return as_png(image.convert("RGB"))


def label_map(path):
    """A label map as a data URL; ids in one channel get the colours of `ImageGrid`."""
    image = opened(path)
    if image.mode == "P" or len(image.getbands()) > 1:
        return as_png(image.convert("RGB"))
    import numpy as np

    from keras_spade import callbacks

    ids = np.asarray(image).astype(int)
    return as_png(Image.fromarray(callbacks.label_colors(ids.max() + 1)[ids]))


def opened(path):
    """The Pillow image in a file, of which all is read: browsers show no damaged PNG."""
    try:
        with Image.open(path) as image:
            image.verify()  # Checksums, but no pixels.
        with Image.open(path) as image:
            image.load()
    except Exception as error:  # Pillow's readers raise many types.
        raise ValueError(f"{path} cannot be read as a picture: {error}") from None
    return image


def as_png(image):
    """A Pillow image as a data URL."""
    file = io.BytesIO()
    image.save(file, format="PNG")
    return data_url(file.getvalue(), "png")


def data_url(content, kind):
    """The bytes of a picture as a data URL."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def count(files):
    """Counts how often each was chosen over the other.

    Args:
        files: CSV files of the page.

    Returns:
        A dict (first, second), two names in alphabetical order -> how often first was chosen, and
        how many answers there are.
    """
    chosen, answers, seen = collections.Counter(), collections.Counter(), set()
    for path in files:
        try:
            with open(path, newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"{path}: not a CSV file in UTF-8: {error}.") from None
        for number, row in enumerate(rows, 2):
            two = tuple(sorted((row.get("left") or "", row.get("right") or "")))
            if list(row) != COLUMNS or "" in two or row["chosen"] not in two:
                raise ValueError(f"{path}, line {number}: not a result of the study page.")
            answer = (row["participant"], row["trial"])
            if answer in seen:
                raise ValueError(f"{path}, line {number}: {answer} has been counted already.")
            seen.add(answer)
            answers[two] += 1
            chosen[two] += row["chosen"] == two[0]
    if not answers:
        raise ValueError(f"There is no answer in {', '.join(files)}.")
    return {two: (chosen[two], answers[two]) for two in sorted(answers)}


def binomial_test(successes, trials):
    """The p-value of the two-sided exact binomial test of a probability of one half.

    `min(1, 2 * sum over k >= max(successes, trials - successes) of C(trials, k) / 2^trials)`, in
    integers until the division.
    """
    most = max(successes, trials - successes)
    tail = sum(math.comb(trials, k) for k in range(most, trials + 1))
    return min(1.0, 2 * tail / 2**trials)


def lines_of(counts):
    """The counts as lines of text."""
    for (first, second), (chosen, answers) in counts.items():
        yield (
            f"{first} was chosen over {second} in {chosen} of {answers} answers, "
            f"{100 * chosen / answers:.1f} % (two-sided exact binomial test: "
            f"p = {binomial_test(chosen, answers):.3g})"
        )


def run(argv):
    """Runs the script; errors are reported in one line."""
    try:
        main(argv)
    except (ValueError, OSError) as error:
        sys.exit(f"{sys.argv[0]}: {error}")


def define_flags():
    """Defines the flags, but not on import."""
    flags.DEFINE_string("first", None, "A folder of pictures.")
    flags.DEFINE_string("second", None, "A folder of other pictures, of the same file names.")
    flags.DEFINE_string("labels", None, "A folder of their label maps, to be shown.")
    flags.DEFINE_string("out", "study.html", "The page.")
    flags.DEFINE_integer("pairs", 0, "How many a person is shown; 0: all.", lower_bound=0)
    flags.DEFINE_string("question", "Which picture looks more like a photograph?", "The question.")
    flags.DEFINE_list("results", None, "CSV files of the page, to be counted.")


if __name__ == "__main__":
    define_flags()
    app.run(run)
