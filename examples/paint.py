"""Opens the painter, a page on which one draws label maps: the command `keras_spade_paint`.

python examples/paint.py
python examples/paint.py --model=runs/street/gan.keras --maps=street/labels
python examples/paint.py --site=painter
"""

from keras_spade import painting

if __name__ == "__main__":
    painting.main()
