//! Numbers that were finite and no longer are: where the true value is large, `inf` is wrong, not rounded.
//!
//! NaN and infinity in the data or the kernel themselves pass, as in NumPy.

use crate::cli::failure::{Failure, Result};
use crate::ndarray::{ArrayD, Dimension};
use crate::{Real, Scalar};
use std::fmt::Display;

/// Whether nothing is NaN or infinite.
pub fn all_finite<'a, T: Scalar>(values: impl IntoIterator<Item = &'a T>) -> bool {
    values.into_iter().all(|v| v.finite())
}

/// Refuses an array, computed from finite numbers, that is not finite; names the first such element.
pub fn check_array<T: Scalar>(what: &str, array: &ArrayD<T>) -> Result<()> {
    match array.indexed_iter().find(|(_, v)| !v.finite()) {
        None => Ok(()),
        Some((index, value)) => {
            let index: Vec<String> = index.as_array_view().iter().map(usize::to_string).collect();
            Err(refusal::<T::Real>(what, value, &format!("index {}", index.join(", "))))
        }
    }
}

/// The words: what is infinite, where, and what can be done.
pub fn refusal<R: Real>(what: &str, value: impl Display, place: &str) -> Failure {
    let advice = if size_of::<R>() < size_of::<f64>() { " or double precision" } else { "" };
    let dtype = R::NAME;
    Failure::failed(format!(
        "{what} is {value} at {place}, expected a finite number: too large for {dtype}; use smaller numbers{advice}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ndarray::array;

    #[test]
    fn the_first_infinite_element_is_named() {
        assert_eq!(check_array("y", &array![1.0_f32, f32::MAX].into_dyn()), Ok(()));
        let told = check_array("y", &array![[1.0, 2.0], [3.0, f64::NEG_INFINITY]].into_dyn()).unwrap_err();
        let words =
            "y is -inf at index 1, 1, expected a finite number: too large for float64; use smaller numbers";
        assert_eq!(told, Failure::failed(words));
    }
}
