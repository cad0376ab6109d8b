//! Checked application of operators, to one vector or to a batch of them.

use super::{LinearOperator, Vector};
use crate::error::{Result, check_len};
use crate::memory;
use crate::scalar::Scalar;
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, ShapeBuilder};

/// Products with many vectors at once, one per **column**, in any memory layout.
///
/// The defaults treat one column after the other; operators that can do better (a matrix, a convolution) override
/// them. No implementation copies the batch to change its layout: the defaults move one column at a time, and only
/// where its elements are not adjacent.
pub trait BatchOperator<T: Scalar>: LinearOperator<[T]> {
    /// `Y ← A X`; `x` is (cols, S), `y` is (rows, S), `scratch` has at least
    /// [`batch_scratch_for`](Self::batch_scratch_for) these two, or [`batch_scratch_len`](Self::batch_scratch_len) elements.
    fn forward_batch(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        by_columns(x, y, scratch, self.scratch_len(), |x, y, s| self.forward(x, y, s))
    }

    /// `X ← Aᴴ Y`
    fn adjoint_batch(&self, y: ArrayView2<T>, x: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        by_columns(y, x, scratch, self.scratch_len(), |y, x, s| self.adjoint(y, x, s))
    }

    /// Elements of scratch that either batch product with `cols` columns needs.
    fn batch_scratch_len(&self, cols: usize) -> usize {
        let _ = cols;
        let (m, n) = self.shape();
        self.scratch_len() + m + n
    }

    /// The same for batches that lie in memory like these: less, where nothing has to be moved.
    fn batch_scratch_for(&self, input: &ArrayView2<T>, output: &ArrayView2<T>) -> usize {
        let _ = output;
        self.batch_scratch_len(input.ncols())
    }
}

/// An operator behind a pointer, for collections of different kinds: [`VStack`](super::VStack),
/// [`BlockDiagonal`](super::BlockDiagonal).
pub type BoxedOperator<'a, T> = Box<dyn BatchOperator<T> + 'a>;

/// Elements of scratch through which one of these columns moves: none, if its elements are adjacent.
pub(crate) fn staging<T>(columns: &ArrayView2<T>) -> usize {
    let adjacent = columns.nrows() < 2 || columns.strides()[0] == 1;
    if adjacent { 0 } else { columns.nrows() }
}

/// Applies `product` column by column, through scratch where a column is not contiguous: `inner` elements and the [`staging`] of
/// both batches.
pub(crate) fn by_columns<T: Scalar>(
    input: ArrayView2<T>,
    mut output: ArrayViewMut2<T>,
    scratch: &mut [T],
    inner: usize,
    product: impl Fn(&[T], &mut [T], &mut [T]) -> Result<()>,
) -> Result<()> {
    let (inner, rest) = scratch.split_at_mut(inner);
    let (staged_in, rest) = rest.split_at_mut(staging(&input));
    let staged_out = &mut rest[..staging(&output.view())];
    for (x, mut y) in input.columns().into_iter().zip(output.columns_mut()) {
        let x = contiguous(&x, staged_in);
        match y.as_slice_mut() {
            Some(y) => product(x, y, inner)?,
            None => {
                product(x, staged_out, inner)?;
                scatter(staged_out, y.view_mut());
            }
        }
    }
    Ok(())
}

/// The elements of a column as a slice, copied to `staging` if they are not adjacent.
pub(crate) fn contiguous<'a, T: Scalar>(column: &'a ArrayView1<T>, staging: &'a mut [T]) -> &'a [T] {
    match column.to_slice() {
        Some(slice) => slice,
        None => {
            staging.iter_mut().zip(column).for_each(|(s, &x)| *s = x);
            staging
        }
    }
}

/// Copies a slice into a column of any stride.
pub(crate) fn scatter<T: Scalar>(from: &[T], mut column: ArrayViewMut1<T>) {
    column.iter_mut().zip(from).for_each(|(y, &s)| *y = s);
}

/// The products as callers want them: sizes checked, buffers provided.
///
/// Implemented for every operator on host vectors. Integers, layouts and thread counts never change the kind of
/// result; a wrong length is [`Error::Length`](crate::Error::Length).
///
/// # Examples
/// ```
/// use convmtx::op::{Apply, Diagonal};
/// let d = Diagonal::new(vec![1.0, 2.0]);
/// assert_eq!(d.apply(&[3.0, 4.0])?, [3.0, 8.0]);
/// assert_eq!(d.apply(&[3.0]).unwrap_err().to_string(), "x has length 1, expected 2");
/// # Ok::<(), convmtx::Error>(())
/// ```
pub trait Apply<T: Scalar>: LinearOperator<[T]> {
    /// `A x`
    fn apply(&self, x: &[T]) -> Result<Vec<T>> {
        check_len("x", self.shape().1, x.len())?;
        let mut y = memory::zeroed("the result", self.shape().0)?;
        self.apply_into(x, &mut y)?;
        Ok(y)
    }

    /// `y ← A x`, into a vector of the caller's.
    fn apply_into(&self, x: &[T], y: &mut [T]) -> Result<()> {
        let (m, n) = self.shape();
        check_len("x", n, x.len())?;
        check_len("y", m, y.len())?;
        self.forward(x, y, &mut memory::zeroed("scratch", self.scratch_len())?)
    }

    /// `Aᴴ y`
    fn apply_adjoint(&self, y: &[T]) -> Result<Vec<T>> {
        check_len("y", self.shape().0, y.len())?;
        let mut x = memory::zeroed("the result", self.shape().1)?;
        self.apply_adjoint_into(y, &mut x)?;
        Ok(x)
    }

    /// `x ← Aᴴ y`, into a vector of the caller's.
    fn apply_adjoint_into(&self, y: &[T], x: &mut [T]) -> Result<()> {
        let (m, n) = self.shape();
        check_len("y", m, y.len())?;
        check_len("x", n, x.len())?;
        self.adjoint(y, x, &mut memory::zeroed("scratch", self.scratch_len())?)
    }

    /// `A X` for a batch, one signal per column; the result is row-contiguous.
    fn apply_batch(&self, x: ArrayView2<T>) -> Result<Array2<T>>
    where
        Self: BatchOperator<T>,
    {
        let mut y = zeros2(self.shape().0, x.ncols())?;
        self.apply_batch_into(x, y.view_mut())?;
        Ok(y)
    }

    /// `Y ← A X`, any strides.
    fn apply_batch_into(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>) -> Result<()>
    where
        Self: BatchOperator<T>,
    {
        let (m, n) = self.shape();
        check_batch(("X", n, x.dim()), ("Y", m, y.dim()))?;
        let scratch = self.batch_scratch_for(&x, &y.view());
        self.forward_batch(x, y, &mut memory::zeroed("scratch", scratch)?)
    }

    /// `Aᴴ Y` for a batch, one signal per column; the result is row-contiguous.
    fn apply_adjoint_batch(&self, y: ArrayView2<T>) -> Result<Array2<T>>
    where
        Self: BatchOperator<T>,
    {
        let mut x = zeros2(self.shape().1, y.ncols())?;
        self.apply_adjoint_batch_into(y, x.view_mut())?;
        Ok(x)
    }

    /// `X ← Aᴴ Y`, any strides.
    fn apply_adjoint_batch_into(&self, y: ArrayView2<T>, x: ArrayViewMut2<T>) -> Result<()>
    where
        Self: BatchOperator<T>,
    {
        let (m, n) = self.shape();
        check_batch(("Y", m, y.dim()), ("X", n, x.dim()))?;
        let scratch = self.batch_scratch_for(&y, &x.view());
        self.adjoint_batch(y, x, &mut memory::zeroed("scratch", scratch)?)
    }
}

impl<T: Scalar, A: LinearOperator<[T]> + ?Sized> Apply<T> for A {}

/// A row-contiguous matrix of zeros.
fn zeros2<T: Scalar>(rows: usize, cols: usize) -> Result<Array2<T>> {
    let len = rows.checked_mul(cols).ok_or_else(|| crate::Error::Overflow {
        what: "the result",
        detail: format!("{rows} rows times {cols} columns"),
        hint: "split the batch",
    })?;
    let data = memory::zeroed("the result", len)?;
    Ok(Array2::from_shape_vec((rows, cols), data).expect("length is the product of the shape"))
}

/// Row counts against the operator, column counts against each other.
fn check_batch(
    (input, n, got_in): (&'static str, usize, (usize, usize)),
    (output, m, got_out): (&'static str, usize, (usize, usize)),
) -> Result<()> {
    let shape = |what, expected: [usize; 2], got: (usize, usize)| {
        if expected == [got.0, got.1] {
            return Ok(());
        }
        Err(crate::Error::Shape { what, expected: expected.to_vec(), got: vec![got.0, got.1] })
    };
    shape(input, [n, got_in.1], got_in)?;
    shape(output, [m, got_in.1], got_out)
}

/// Splits scratch for an operator with intermediate vectors: the first `len` elements, and the rest.
pub(crate) fn split_scratch<V: Vector + ?Sized>(scratch: &mut V, len: usize) -> (&mut V, &mut V) {
    scratch.split_at_mut(len)
}

/// A matrix in scratch, laid out like `like` (row-contiguous, or else by columns), and the rest.
pub(crate) fn scratch_matrix<'a, T: Scalar>(
    scratch: &'a mut [T],
    (rows, cols): (usize, usize),
    like: &ArrayView2<T>,
) -> (ArrayViewMut2<'a, T>, &'a mut [T]) {
    let (matrix, rest) = scratch.split_at_mut(rows * cols);
    let by_rows = like.strides()[1].abs() <= like.strides()[0].abs();
    let shape = (rows, cols).set_f(!by_rows);
    (ArrayViewMut2::from_shape(shape, matrix).expect("length is the product of the shape"), rest)
}

/// `Y ← Y + X`
pub(crate) fn add_columns<T: Scalar>(mut y: ArrayViewMut2<T>, x: ArrayView2<T>) {
    y.zip_mut_with(&x, |y, &x| *y += T::one() * x); // the arithmetic of `axpy`, so that batch and loop agree
}

/// A vector as a batch of one column.
pub(crate) fn as_column<T>(x: &[T]) -> ArrayView2<'_, T> {
    ArrayView1::from(x).insert_axis(Axis(1))
}

/// A vector as a batch of one column, writable.
pub(crate) fn as_column_mut<T>(x: &mut [T]) -> ArrayViewMut2<'_, T> {
    ArrayViewMut1::from(x).insert_axis(Axis(1))
}
