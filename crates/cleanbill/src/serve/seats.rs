//! Seats for so many at a time: whoever finds none is sent away at once.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// All seats.
pub(super) struct Seats {
    taken: AtomicUsize,
    most: usize,
}

/// One seat; it is free again when this is dropped.
pub(super) struct Seat<'s>(&'s Seats);

impl Seats {
    /// So many.
    pub(super) fn new(most: usize) -> Self {
        Self { taken: AtomicUsize::new(0), most }
    }

    /// A seat, if one is free.
    pub(super) fn take(&self) -> Option<Seat<'_>> {
        let more = |taken: usize| (taken < self.most).then_some(taken + 1);
        self.taken.fetch_update(Relaxed, Relaxed, more).ok().map(|_| Seat(self))
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Seats;

    #[test]
    fn no_more_than_there_are() {
        let seats = Seats::new(2);
        for _ in 0..3 {
            let (one, two) = (seats.take(), seats.take());
            assert!(one.is_some() && two.is_some());
            assert!(seats.take().is_none() && seats.take().is_none());
            drop(one);
            assert!(seats.take().is_some());
        }
        assert!(Seats::new(0).take().is_none());
        // Whoever was sent away, or left, has no seat.
        assert_eq!(seats.taken.into_inner(), 0);
    }

    #[test]
    fn many_at_once_never_have_more() {
        let (seats, sat) = (Seats::new(3), std::sync::atomic::AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let Some(_seat) = seats.take() else { continue };
                        let now = sat.fetch_add(1, super::Relaxed);
                        assert!(now < 3, "{now}");
                        sat.fetch_sub(1, super::Relaxed);
                    }
                });
            }
        });
    }
}
