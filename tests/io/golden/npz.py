# SPDX-License-Identifier: MIT
# Writes npz/: statistics of two sets by NumPy, deflated and stored, and arrays of several types. Prints SciPy's Fréchet distance.
import numpy as np
import scipy.linalg

rng = np.random.default_rng(1)
x = rng.normal(size=(300, 24)) @ rng.normal(size=(24, 24)) + 0.3
y = rng.normal(size=(250, 24)) @ rng.normal(size=(24, 24)) * 0.9
images = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
for name, a in (("x", x), ("y", y)):
    np.savez_compressed(f"npz/{name}.npz", mu=a.mean(0), sigma=np.cov(a, rowvar=False), arr_0=images)
np.savez(
    "npz/stored.npz",
    mu=x.mean(0).astype(np.float32),
    sigma=np.cov(x, rowvar=False),
    n=np.array([3, 4], dtype=np.int64),
    bad=np.array([1 + 2j]),
    f=np.asfortranarray(np.ones((2, 3))),
)
apart, s, t = x.mean(0) - y.mean(0), np.cov(x, rowvar=False), np.cov(y, rowvar=False)
print((apart**2).sum() + np.trace(s + t - 2 * scipy.linalg.sqrtm(s @ t).real))
