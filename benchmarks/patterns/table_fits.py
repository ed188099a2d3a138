"""How often the label patterns of a batch fit in tables of a fixed length, as on JAX.

A table has room for `ROOM * reach / side` rows per pixel, at most one; if half of it is enough,
half is computed. The share of distinct windows is `reach / side` times a factor that hardly
depends on the size of the map; the table of this benchmark shows that factor.
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
    """Rows of a table as a fraction of the pixels."""
    return min(ROOM * reach / side, 1.0)


def fits_table(batches):
    """Returns the table for batches of `pick_batch`."""
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
