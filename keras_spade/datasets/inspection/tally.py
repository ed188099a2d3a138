"""Adds up the contents of a dataset's samples."""

from collections import Counter
from collections.abc import Mapping

from keras_spade.datasets.inspection.dataset_report import DatasetReport
from keras_spade.datasets.inspection.sample_facts import MOST_COLORS, SampleFacts

TOO_MANY_IDS = 200
# Largest number of different ids or colours whose pixels are counted.
MOST_KINDS = 10_000


class Tally:
    """Adds up the facts of samples; `good` holds the numbers of usable ones."""

    def __init__(self):
        self.samples = self.total = self.colored = self.numbered = self.rough = 0
        self.cut = False
        self.first_rough = None
        self.good = []
        self.bad_files = {}
        self.sizes, self.pixels, self.images = Counter(), Counter(), Counter()
        self.kinds, self.ranges = Counter(), []
        self.palette, self.other_palette = {}, None

    def add(self, number: int, fact: SampleFacts) -> None:
        """Adds the `SampleFacts` of a sample."""
        self.samples += 1
        if fact.problem is None:
            self.good.append(number)
        else:
            self.bad_files[fact.name] = fact.problem
        if fact.image_size:
            self.sizes[fact.image_size] += 1
            self.kinds[fact.image_kind] += 1
            self.ranges += [fact.image_range] if fact.image_range else []
        self.total += sum(fact.counts.values())
        self.colored += fact.colored
        self.numbered += bool(fact.counts) and not fact.colored
        self.cut |= fact.cut
        if fact.rough:
            self.rough += 1
            self.first_rough = self.first_rough or fact.name
        for value, color in fact.palette.items():
            first = self.palette.setdefault(value, (color, fact.name))
            if color != first[0] and self.other_palette is None:
                self.other_palette = (
                    f"the label maps are indexed, but their palettes differ: {value} is {color} "
                    f"for {fact.name}, {first[0]} for {first[1]}. Indices are read; if the colours "
                    "are correct instead, map them with LabelMapping(palette=...)"
                )
        for value, count in fact.counts.items():
            if value not in self.pixels and len(self.pixels) >= MOST_KINDS:
                self.cut = True
                continue
            self.pixels[value] += count
            self.images[value] += 1

    @property
    def grey(self) -> bool:
        """Whether there are colours, all of them grey: ids that were saved as colours."""
        colors = (value for value in self.pixels if isinstance(value, tuple))
        return bool(self.colored) and all(len(set(color)) == 1 for color in colors)

    def take_grey_for_ids(self) -> None:
        """Counts colours as ids; only allowed if all are `grey`."""
        for counts in (self.pixels, self.images):
            for color in [value for value in counts if isinstance(value, tuple)]:
                counts[color[0]] += counts.pop(color)
        self.colored = 0

    def report(self, unmatched: Mapping[str, str]) -> DatasetReport:
        """The `DatasetReport` of everything counted."""
        # Ids in order, colours by the area they cover.
        by_share = [value for value, _ in self.pixels.most_common()]
        ordered = by_share if self.colored else sorted(by_share)
        report = DatasetReport(
            samples=self.samples,
            unmatched=dict(unmatched),
            bad_files=self.bad_files,
            image_sizes=dict(self.sizes.most_common()),
            image_kinds=dict(self.kinds.most_common()),
            image_range=(min(low for low, _ in self.ranges), max(high for _, high in self.ranges))
            if self.ranges
            else None,
            pixels={value: self.pixels[value] / self.total for value in ordered},
            images=dict(self.images),
        )
        if self.colored and self.numbered:
            report.suspicious.append("some label files contain colours, others ids")
        if len(self.pixels) > (MOST_COLORS if self.colored else TOO_MANY_IDS):
            report.suspicious.append(
                f"{len(self.pixels)}{' and more' if self.cut else ''} "
                f"{'colours' if self.colored else 'ids'}: are these label maps?"
            )
        if self.other_palette:
            report.suspicious.append(self.other_palette)
        if self.rough:
            report.suspicious.append(
                f"in {self.rough} label maps, few borders are sharp, as with lines drawn around "
                f"everything, or after smoothing or JPEG; the first is that of {self.first_rough}"
            )
        return report
