//! Plans that were made before: making one takes up to a hundred times as long as using it.

use std::any::{Any, TypeId};
use std::sync::{Arc, Mutex};

/// At most this many plans are kept.
const PLANS: usize = 64;

/// At most this many points all kept plans together: some 100 MB of factors.
const POINTS: usize = 1 << 22;

/// A plan of any kind.
type Plan = Arc<dyn Any + Send + Sync>;

/// Kind and length of each plan, the one that was used last at the end.
static CACHE: Mutex<Vec<(TypeId, usize, Plan)>> = Mutex::new(Vec::new());

/// The plan of this kind and length, a new one if none is kept.
///
/// The lock is tried and never waited for: a process that was forked while it was held would wait for ever.
pub(super) fn cached<P: Any + Send + Sync>(len: usize, make: fn(usize) -> P) -> Arc<P> {
    let is = |entry: &(TypeId, usize, Plan)| (entry.0, entry.1) == (TypeId::of::<P>(), len);
    if let Ok(mut cache) = CACHE.try_lock()
        && let Some(at) = cache.iter().position(is)
    {
        let entry = cache.remove(at);
        let plan = Arc::clone(&entry.2);
        cache.push(entry);
        drop(cache);
        if let Ok(plan) = plan.downcast() {
            return plan;
        }
    }
    let plan = Arc::new(make(len)); // without the lock, since it takes long
    if len <= POINTS
        && let Ok(mut cache) = CACHE.try_lock()
        && !cache.iter().any(is)
    {
        cache.push((TypeId::of::<P>(), len, Arc::clone(&plan) as Plan));
        while cache.len() > PLANS || cache.iter().map(|entry| entry.1).sum::<usize>() > POINTS {
            cache.remove(0);
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Length(usize);

    #[test]
    fn plans_are_shared_while_they_are_kept_and_their_number_is_bounded() {
        let first = cached(7, Length);
        // Other tests may hold the lock at the moment, or fill the cache.
        let again = (0..100).any(|_| Arc::ptr_eq(&cached(7, Length), &cached(7, Length)));
        assert!(again && first.0 == 7);
        for len in 0..3 * PLANS {
            assert_eq!(cached(len, Length).0, len);
        }
        for len in [POINTS / 2, POINTS - 5, POINTS, POINTS + 1] {
            assert_eq!(cached(len, Length).0, len);
        }
        let cache = CACHE.lock().unwrap();
        assert!(cache.len() <= PLANS && cache.iter().map(|entry| entry.1).sum::<usize>() <= POINTS);
    }
}
