//! Lengths that transform fast.

use crate::scalar::Scalar;

/// The smallest length ≥ `least` whose prime factors are 2, 3 and 5.
pub(crate) fn good_size(least: usize) -> usize {
    let least = least.max(1);
    let mut best = least.next_power_of_two();
    let mut fives = 1;
    while fives < best {
        let mut threes = fives;
        while threes < best {
            // The smallest power of two that lifts 3^b·5^c to `least`.
            let size = threes * least.div_ceil(threes).next_power_of_two();
            best = best.min(size);
            threes = threes.saturating_mul(3);
        }
        fives = usize::saturating_mul(fives, 5);
    }
    best
}

/// The same for a line of `T`: even for real types, whose transform is a complex one of half the length.
pub(crate) fn good_line_size<T: Scalar>(least: usize) -> usize {
    if T::IS_COMPLEX { good_size(least) } else { 2 * good_size(least.div_ceil(2)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_sizes_are_the_next_products_of_two_three_and_five() {
        let smooth = |mut n: usize| {
            for p in [2, 3, 5] {
                while n.is_multiple_of(p) {
                    n /= p;
                }
            }
            n == 1
        };
        for least in 0..3000 {
            let expected = (least.max(1)..).find(|&n| smooth(n));
            assert_eq!(Some(good_size(least)), expected, "at least {least}");
            let even = (least.max(1)..).find(|&n| n % 2 == 0 && smooth(n));
            assert_eq!(Some(good_line_size::<f64>(least)), even, "even, at least {least}");
        }
    }
}
