//! Does several slow things at once and gives their results in order.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The results of `work` for every item, in the order of the items, at most `at_once` of them in progress.
///
/// Of several failures the first in order is given, whatever the number of threads: items are begun in order, and none
/// is begun behind a failure.
pub fn in_order<T, R, E>(items: &[T], at_once: usize, work: impl Fn(&T) -> Result<R, E> + Sync) -> Result<Vec<R>, E>
where
    T: Sync,
    R: Send,
    E: Send,
{
    let workers = at_once.min(items.len());
    if workers < 2 {
        return items.iter().map(work).collect();
    }
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let slots: Vec<Mutex<Option<Result<R, E>>>> = items.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(item), Some(slot)) = (items.get(index), slots.get(index)) else { return };
                    let result = work(item);
                    failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    *slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(result);
                }
            });
        }
    });
    slots.into_iter().filter_map(|it| it.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn results_keep_their_order_and_run_at_once() {
        let items: Vec<u64> = (0..64).collect();
        let most = AtomicUsize::new(0);
        let now = AtomicUsize::new(0);
        let work = |item: &u64| -> Result<u64, ()> {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(5 - item % 5));
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(item * 2)
        };
        let expected: Vec<u64> = items.iter().map(|it| it * 2).collect();
        assert_eq!(in_order(&items, 8, work), Ok(expected));
        let most = most.load(Ordering::SeqCst);
        assert!((2..=8).contains(&most), "{most} at once");
    }

    #[test]
    fn the_first_failure_in_order_is_told() {
        let items: Vec<u64> = (0..64).collect();
        for at_once in [1, 7, 64] {
            let work = |item: &u64| {
                std::thread::sleep(Duration::from_micros(500 * (64 - item)));
                if *item % 10 == 7 { Err(*item) } else { Ok(()) }
            };
            assert_eq!(in_order(&items, at_once, work), Err(7));
        }
        assert_eq!(in_order(&[] as &[u64], 8, |_| Ok::<_, ()>(())), Ok(vec![]));
    }
}
