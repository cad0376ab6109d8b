//! What a signal is beyond its ends: a linear map from the signal to its extension.
//!
//! Each extension says, for a place `j` outside `0..n`, which samples stand there and with which weight. Weights are
//! integers. The adjoint of the extension *folds*: it adds what was computed outside back to the samples it came
//! from. Flipping the kernel and padding again is not the adjoint unless the kernel is symmetric.

use crate::error::Error;
use std::fmt;
use std::str::FromStr;

/// What stands beyond the ends of the signal, along one axis. `a b c d` continues as:
///
/// | | | MATLAB | `np.pad` | `scipy.ndimage` | torch |
/// |---|---|---|---|---|---|
/// | `Zero` | `0 0 [a b c d] 0 0` | 0 | constant | constant | zeros |
/// | `Constant(c)` | `c c [a b c d] c c` | scalar | constant | constant | constant |
/// | `Periodic` | `c d [a b c d] a b` | circular | wrap | wrap | circular |
/// | `Symmetric` (half-sample) | `b a [a b c d] d c` | symmetric | symmetric | **reflect** | – |
/// | `Reflect` (whole-sample) | `c b [a b c d] c b` | – | **reflect** | mirror | reflect |
/// | `Replicate` | `a a [a b c d] d d` | replicate | edge | nearest | replicate |
/// | `Antireflective` | `2a−c 2a−b [a b c d] 2d−c 2d−b` | – | reflect, odd | – | – |
///
/// Mind the two different "reflect". Extensions repeat as often as the kernel reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Boundary<T> {
    /// Zeros.
    #[default]
    Zero,
    /// A constant. The map is then affine, A x + d: operators and matrices are A (the zero-boundary matrix), and
    /// `constant_term()` of the description is d.
    Constant(T),
    /// The signal again; period n.
    Periodic,
    /// Mirrored between samples; period 2n.
    Symmetric,
    /// Mirrored at the end samples; period 2n − 2.
    Reflect,
    /// The end sample.
    Replicate,
    /// Mirrored in value and place at the end samples, which keeps the slope (Serra-Capizzano 2003,
    /// DOI 10.1137/S1064827502410244). Has negative weights.
    Antireflective,
}

impl<T> Boundary<T> {
    /// The linear part.
    pub fn extension(&self) -> Extension {
        match self {
            Boundary::Zero | Boundary::Constant(_) => Extension::Zero,
            Boundary::Periodic => Extension::Periodic,
            Boundary::Symmetric => Extension::Symmetric,
            Boundary::Reflect => Extension::Reflect,
            Boundary::Replicate => Extension::Replicate,
            Boundary::Antireflective => Extension::Antireflective,
        }
    }
}

impl<T: fmt::Display> fmt::Display for Boundary<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Boundary::Zero => f.write_str("zero"),
            Boundary::Constant(c) => write!(f, "constant={c}"),
            Boundary::Periodic => f.write_str("periodic"),
            Boundary::Symmetric => f.write_str("symmetric"),
            Boundary::Reflect => f.write_str("reflect"),
            Boundary::Replicate => f.write_str("replicate"),
            Boundary::Antireflective => f.write_str("antireflective"),
        }
    }
}

impl<T: FromStr> FromStr for Boundary<T> {
    type Err = Error;

    /// The words of the command line: `zero`, `constant=2.5`, `periodic`, `symmetric`, `reflect`, `replicate`,
    /// `antireflective`.
    fn from_str(word: &str) -> Result<Self, Error> {
        let unknown = || {
            let valid = "zero, constant=NUMBER, periodic, symmetric, reflect, replicate or antireflective";
            Error::value("boundary", valid, word)
        };
        Ok(match word {
            "zero" => Boundary::Zero,
            "periodic" => Boundary::Periodic,
            "symmetric" => Boundary::Symmetric,
            "reflect" => Boundary::Reflect,
            "replicate" => Boundary::Replicate,
            "antireflective" => Boundary::Antireflective,
            _ => {
                let number = word.strip_prefix("constant=").ok_or_else(unknown)?;
                Boundary::Constant(number.parse().map_err(|_| unknown())?)
            }
        })
    }
}

/// The linear part of a [`Boundary`]: which samples stand at a place outside the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Extension {
    /// Nothing.
    #[default]
    Zero,
    /// [`Boundary::Periodic`]
    Periodic,
    /// [`Boundary::Symmetric`]
    Symmetric,
    /// [`Boundary::Reflect`]
    Reflect,
    /// [`Boundary::Replicate`]
    Replicate,
    /// [`Boundary::Antireflective`]
    Antireflective,
}

/// Up to three `(sample, weight)`, samples distinct, weights not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Terms {
    terms: [(usize, i64); 3],
    len: usize,
}

impl Terms {
    fn add(&mut self, sample: usize, weight: i64) {
        match self.terms[..self.len].iter_mut().find(|t| t.0 == sample) {
            Some(term) => term.1 += weight,
            None => {
                self.terms[self.len] = (sample, weight);
                self.len += 1;
            }
        }
    }
}

impl IntoIterator for Terms {
    type Item = (usize, i64);
    type IntoIter =
        std::iter::Filter<std::iter::Take<std::array::IntoIter<(usize, i64), 3>>, fn(&(usize, i64)) -> bool>;

    /// The terms whose weight is not zero.
    fn into_iter(self) -> Self::IntoIter {
        self.terms.into_iter().take(self.len).filter(|t| t.1 != 0)
    }
}

impl Extension {
    /// What stands at place `j` of the extension of a signal of `n ≥ 1` samples.
    pub(crate) fn terms(self, j: i64, n: usize) -> Terms {
        let mut terms = Terms::default();
        let len = n as i64; // lengths stay below 2^61, see `Band`
        if (0..len).contains(&j) {
            terms.add(j as usize, 1); // 0 ≤ j < n
            return terms;
        }
        // A place modulo a period, mirrored: all results lie in 0..n.
        let mirrored = |period: i64, last: i64| {
            let r = j.rem_euclid(period);
            (if r < len { r } else { last - r }) as usize
        };
        match self {
            Extension::Zero => {}
            Extension::Periodic => terms.add(j.rem_euclid(len) as usize, 1),
            Extension::Symmetric => terms.add(mirrored(2 * len, 2 * len - 1), 1),
            Extension::Reflect if n > 1 => terms.add(mirrored(2 * len - 2, 2 * len - 2), 1),
            Extension::Antireflective if n > 1 => {
                // j = p + 2(n−1)q with −(n−1) < p ≤ n−1, and x[j] = x̃[p] + 2q(x[n−1] − x[0]).
                let period = 2 * (len - 1);
                let p = (j + len - 2).rem_euclid(period) - (len - 2);
                let q = (j - p) / period;
                if p >= 0 {
                    terms.add(p as usize, 1);
                } else {
                    terms.add(0, 2);
                    terms.add(p.unsigned_abs() as usize, -1);
                }
                terms.add(n - 1, 2 * q);
                terms.add(0, -2 * q);
            }
            // A single sample has nothing to mirror; it is repeated.
            Extension::Replicate | Extension::Reflect | Extension::Antireflective => {
                terms.add(j.clamp(0, len - 1) as usize, 1);
            }
        }
        terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extended(e: Extension, x: &[i64], range: std::ops::Range<i64>) -> Vec<i64> {
        range.map(|j| e.terms(j, x.len()).into_iter().map(|(p, w)| w * x[p]).sum()).collect()
    }

    #[test]
    fn extensions_match_the_table() {
        let x = [1, 20, 300, 4000];
        let row = |e| extended(e, &x, -3..7);
        assert_eq!(row(Extension::Zero), [0, 0, 0, 1, 20, 300, 4000, 0, 0, 0]);
        assert_eq!(row(Extension::Periodic), [20, 300, 4000, 1, 20, 300, 4000, 1, 20, 300]);
        assert_eq!(row(Extension::Symmetric), [300, 20, 1, 1, 20, 300, 4000, 4000, 300, 20]);
        assert_eq!(row(Extension::Reflect), [4000, 300, 20, 1, 20, 300, 4000, 300, 20, 1]);
        assert_eq!(row(Extension::Replicate), [1, 1, 1, 1, 20, 300, 4000, 4000, 4000, 4000]);
        assert_eq!(
            row(Extension::Antireflective),
            [2 - 4000, 2 - 300, 2 - 20, 1, 20, 300, 4000, 7700, 7980, 7999]
        );
    }

    #[test]
    fn antireflection_is_repeated_antireflection() {
        // Applying the rule at each end again and again, one sample at a time.
        let x = [3, -1, 7];
        let (n, reach) = (3_i64, 20);
        let mut wide = std::collections::HashMap::from([(0, 3), (1, -1), (2, 7)]);
        for r in 1..=reach {
            wide.insert(-r, 2 * wide[&0] - wide[&r]);
            wide.insert(n - 1 + r, 2 * wide[&(n - 1)] - wide[&(n - 1 - r)]);
        }
        let range = -reach..n + reach;
        let expected: Vec<i64> = range.clone().map(|j| wide[&j]).collect();
        assert_eq!(extended(Extension::Antireflective, &x, range), expected);
    }

    #[test]
    fn one_sample_is_repeated_by_every_extension_but_zero() {
        use Extension::*;
        for e in [Periodic, Symmetric, Reflect, Replicate, Antireflective] {
            assert_eq!(extended(e, &[5], -4..5), [5; 9], "{e:?}");
        }
    }

    #[test]
    fn words_round_trip_and_errors_list_them() {
        for word in
            ["zero", "constant=2.5", "periodic", "symmetric", "reflect", "replicate", "antireflective"]
        {
            assert_eq!(word.parse::<Boundary<f64>>().unwrap().to_string(), word);
        }
        let err = "mirror".parse::<Boundary<f64>>().unwrap_err().to_string();
        assert!(err.contains("boundary is mirror, expected zero, constant=NUMBER"), "{err}");
        assert!("constant=abc".parse::<Boundary<f64>>().is_err());
    }
}
