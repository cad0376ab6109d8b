"""A photo deblurred in five lines, and the same problem beside it in PyLops where that is installed.

`python examples/deblur_photo.py` needs the package convmtx only.
"""

import time
from pathlib import Path

import numpy as np

import convmtx
from convmtx import io, metrics, noise, psf


def deblurred(recorded, kernel):
    """The five lines: a mirrored boundary, the exact adjoint, a penalty on differences of neighbours."""
    A = convmtx.Conv2d(kernel, recorded.shape, "same", boundary="symmetric")
    D = convmtx.Gradient2d(recorded.shape)
    return convmtx.tikhonov(A, recorded, 1e-3, D, maxiter=100, tol=1e-6)


def deblurred_by_pylops(recorded, kernel):
    """The same minimisation; PyLops knows zeros beyond the edge only, so the edge has to be cut off afterwards."""
    import pylops

    A = pylops.signalprocessing.Convolve2D(recorded.shape, kernel, offset=(4, 4))
    D = pylops.Gradient(recorded.shape, edge=False, kind="forward")
    x = pylops.optimization.leastsquares.regularized_inversion(
        A, recorded.ravel(), [D], epsRs=[1e-3**0.5], engine="pylops", niter=100, tol=0
    )[0]
    return x.reshape(recorded.shape)


def main():
    camera = Path(__file__).parent.parent / "src/cli/assets/camera_512.png"
    scene = io.read_image(camera)[100:400, 100:400]
    kernel = psf.gaussian((9, 9), 2.0)
    # What a camera records: only pixels whose blur lies inside the scene are known, and there is noise.
    recorded = noise.gaussian(convmtx.Conv2d(kernel, scene.shape, "valid") @ scene, 0.005, 1)
    truth = scene[4:-4, 4:-4]

    print(f"recorded   {metrics.psnr(recorded, truth, 1.0):6.2f} dB")
    start = time.perf_counter()
    ours = deblurred(recorded, kernel)
    print(f"convmtx    {metrics.psnr(ours, truth, 1.0):6.2f} dB in {time.perf_counter() - start:.2f} s")
    assert metrics.psnr(ours, truth, 1.0) > metrics.psnr(recorded, truth, 1.0) + 2
    try:
        start = time.perf_counter()
        theirs = deblurred_by_pylops(recorded, kernel)
    except ImportError:
        print("pylops     not installed")
        return
    inside = np.s_[20:-20, 20:-20]
    print(
        f"pylops     {metrics.psnr(theirs, truth, 1.0):6.2f} dB in {time.perf_counter() - start:.2f} s; without a border of 20 "
        f"pixels {metrics.psnr(theirs[inside], truth[inside], 1.0):.2f} dB, convmtx "
        f"{metrics.psnr(ours[inside], truth[inside], 1.0):.2f} dB"
    )


if __name__ == "__main__":
    main()
