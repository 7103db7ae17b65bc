"""How the files beside this script were made, with numpy from PyPI: python3 make.py

orders.npz holds arrays in both orders, of three dimensions too, and of the types that models have; orders.f32 is what
numpy says of each, row by row as `tobytes(order="C")` gives it, one array behind the other in the order of their names."""

import numpy

random = numpy.random.default_rng(3)
arrays = {
    "f.matrix": numpy.asfortranarray(random.normal(size=(5, 3)).astype(numpy.float32)),
    "f.cube": numpy.asfortranarray(random.normal(size=(4, 3, 2)).astype(numpy.float64)),
    "f.half": numpy.asfortranarray(random.normal(size=(2, 7)).astype(numpy.float16)),
    "f.whole": numpy.asfortranarray(random.integers(-9, 9, (3, 4)).astype(numpy.int16)),
    "c.matrix": random.normal(size=(3, 5)).astype(numpy.float32),
    "c.number": numpy.float32(2.5),
    "c.vector": random.integers(0, 255, 9).astype(numpy.uint8),
    "c.truth": numpy.array([[True, False], [False, True]]),
}
numpy.savez("orders.npz", **arrays)
with open("orders.f32", "wb") as file:
    for name in sorted(arrays):
        file.write(numpy.asarray(arrays[name]).astype(numpy.float32).tobytes(order="C"))
