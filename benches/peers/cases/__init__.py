"""The groups of cases; each is a generator of `Case`s for a size: quick, default or full."""

from cases import build, images, layer, rowwise, solvers, spmm

GROUPS = {
    "A": ("building the CSR matrix, 1-D and 2-D", build.cases),
    "B": ("Y = K X: one kernel, many signals; any matrix", spmm.cases),
    "C": ("row i of A with row i of B", rowwise.cases),
    "D": ("2-D 'same' convolution: dense, separable, batch", images.cases),
    "E": ("gradients of a convolution layer: for the input, for the kernel", layer.cases),
    "F": ("solvers: Tikhonov in 1-D; deblurring by CGLS, LSQR, Richardson-Lucy", solvers.cases),
}
