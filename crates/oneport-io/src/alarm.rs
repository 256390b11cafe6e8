//! Waking up in time where milliseconds are too coarse.

use std::io;
use std::time::Duration;

use mio::Registry;

/// What is further away is left to the poll alone, which counts whole milliseconds and rounds up: of ten
/// or more that is little, and an alarm is a system call.
const NEAR: Duration = Duration::from_millis(10);

/// A timer of the kernel that ends the poll's waiting to the microsecond. Where there is none, the poll's
/// own time must do.
#[derive(Debug)]
pub(crate) struct Alarm(platform::Timer);

impl Alarm {
    pub(crate) fn new(registry: &Registry) -> io::Result<Self> {
        platform::Timer::new(registry).map(Self)
    }

    /// Before the poll waits for so long. An alarm that was set before is forgotten, unless it has
    /// rung: being woken early is harmless.
    pub(crate) fn set(&self, wait: Option<Duration>) {
        if let Some(wait) = wait
            && !wait.is_zero()
            && wait < NEAR
        {
            self.0.set(wait);
        }
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use std::io;
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::time::Duration;

    use mio::unix::SourceFd;
    use mio::{Interest, Registry};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    use crate::token::Source;

    /// timerfd_create(2). It is never read: the poll is edge-triggered, and setting it again makes it
    /// silent.
    #[derive(Debug)]
    pub(super) struct Timer(OwnedFd);

    impl Timer {
        pub(super) fn new(registry: &Registry) -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            let token = Source::Wake.into();
            registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
            Ok(Self(timer))
        }

        pub(super) fn set(&self, wait: Duration) {
            let once = Itimerspec {
                it_interval: Timespec::default(),
                it_value: Timespec {
                    tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
                    tv_nsec: i64::from(wait.subsec_nanos()),
                },
            };
            if let Err(error) = timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once) {
                log::debug!("the alarm was not set: {error}");
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::io;
    use std::time::Duration;

    use mio::Registry;

    /// None.
    #[derive(Debug)]
    pub(super) struct Timer;

    impl Timer {
        pub(super) fn new(_: &Registry) -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) fn set(&self, _: Duration) {}
    }
}
