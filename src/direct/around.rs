//! Products by another engine for vectors that hold NaN or infinity: only the results that see such an element are this
//! engine's.

use super::DirectConv;
use crate::error::Result;
use crate::memory;
use crate::scalar::Scalar;
use crate::stencil::Side;

/// A product with one vector: `f(x, y, scratch)`.
type Product<'f, T> = dyn Fn(&[T], &mut [T], &mut [T]) -> Result<()> + 'f;

impl<T: Scalar, const D: usize> DirectConv<T, D> {
    /// `product`, of a vector with zeros in place of what is not finite; then anew, from the vector itself, all results at
    /// those places of the first axis that see what was replaced.
    ///
    /// `scratch` is long enough for either engine. Costs one copy of `x`.
    pub(crate) fn around(
        &self,
        side: Side,
        x: &[T],
        y: &mut [T],
        scratch: &mut [T],
        product: &Product<T>,
    ) -> Result<()> {
        let touched = self.touched(side, x, y.len());
        if 2 * touched.iter().filter(|&&t| t).count() > touched.len() {
            return self.product(side, x, y, scratch);
        }
        let mut replaced: Vec<T> = memory::zeroed("a vector", x.len())?;
        replaced.iter_mut().zip(x).filter(|(_, v)| v.finite()).for_each(|(to, &v)| *to = v);
        product(&replaced, y, scratch)?;
        let size = y.len() / touched.len().max(1);
        let mut first = 0;
        for run in touched.chunk_by(|a, b| a == b) {
            if run[0] {
                self.results(side, x, first * size, &mut y[first * size..][..run.len() * size], scratch)?;
            }
            first += run.len();
        }
        Ok(())
    }

    /// For every place of the results along the first axis whether one of the `len` results sees an element that is not
    /// finite. With several channels, or none, one place stands for everything.
    fn touched(&self, side: Side, x: &[T], len: usize) -> Vec<bool> {
        let axis = &self.traversal.stencils()[0];
        let (sources, results) = (axis.len(side.other()), axis.len(side));
        let inner = |side| self.traversal.stencils()[1..].iter().map(|s| s.len(side)).product::<usize>();
        let size = inner(side.other());
        if x.len() != sources * size || len != results * inner(side) || x.is_empty() {
            return vec![true];
        }
        let mut touched = vec![false; results];
        for (place, x) in x.chunks(size).enumerate() {
            if !x.iter().all(|v| v.finite()) {
                axis.visit(side.other(), place, |result, _| touched[result] = true);
            }
        }
        touched
    }
}
