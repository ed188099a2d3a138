"""Opens the painter, a page to draw label maps on: the command `keras_spade_paint`.

python examples/paint.py
python examples/paint.py --model=runs/street/gan.keras --maps=street/labels
python examples/paint.py --site=painter
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from keras_spade import painting

if __name__ == "__main__":
    painting.main()
