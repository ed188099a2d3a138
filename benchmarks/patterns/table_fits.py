"""How often the label patterns of a batch fit in tables of a fixed length, as on JAX.

A table has room for `ROOM * reach / side` rows a pixel, at most one; where half of it is enough,
half is computed. `reach / side` is near the share of distinct windows but for a number that hardly
depends on the size of the map, which the table of this benchmark shows.
"""

from statistics import mean

from benchmarks.harness.label_maps import distinct_shares
from benchmarks.harness.table import markdown

ROOM = 12
# Window, stride and padding in pixels of the label map, halvings of the map before it.
CHAINS = {
    "generator": (5, 1, 2, 3),
    "discriminator": (4, 2, 2, 0),
    "discriminator, second scale": (9, 4, 5, 0),
}
HEAD = ["windows", "map", "rows a pixel", "share [least..most]", "share x side / reach"]
HEAD += ["fit in half", "in the whole", "in none"]


def table_share(side, reach):
    """Rows of a table, as a share of the pixels."""
    return min(ROOM * reach / side, 1.0)


def fits_table(batches):
    """The table, of batches as `pick_batch` gives them."""
    rows = []
    for name, (window, stride, pad, halvings) in CHAINS.items():
        found = [distinct_shares(batch, halvings, window, stride, pad) for batch in batches]
        for size in found[0]:
            shares = [shares[size] for shares in found]
            room = table_share(min(size), window)
            half = sum(share <= room / 2 for share in shares)
            whole = sum(share <= room for share in shares) - half
            counts = [len(shares), 0, 0] if room == 1 else [half, whole, len(shares) - half - whole]
            numbers = [share * min(size) / window for share in shares]
            spread = f"{mean(shares):.3f} [{min(shares):.3f}..{max(shares):.3f}]"
            number = f"{mean(numbers):.1f} [{min(numbers):.1f}..{max(numbers):.1f}]"
            cells = [name, "{} x {}".format(*size), f"{room:.2f}", spread, number]
            rows.append([*cells, *map(str, counts)])
    return markdown(HEAD, rows)
