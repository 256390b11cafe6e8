//! Counts steps of loops whose length a peer decides, in tests. Elsewhere it is nothing.

#[cfg(test)]
std::thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Notes so many steps.
#[inline]
pub(crate) fn step(_count: u64) {
    #[cfg(test)]
    STEPS.with(|steps| steps.set(steps.get() + _count));
}

/// Returns the steps that `work` took.
#[cfg(test)]
pub(crate) fn count(work: impl FnOnce()) -> u64 {
    let before = STEPS.with(std::cell::Cell::get);
    work();
    STEPS.with(std::cell::Cell::get) - before
}
