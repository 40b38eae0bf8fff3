//! [`Zone`]: the time zone in which people read times. It is found out once, by the caller, before the console opens;
//! drawing only converts.

use eyas_event::WallTime;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time zone.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// The machine's zone (`TZ`, else `/etc/localtime`, else UTC).
    pub fn local() -> Self {
        Self(TimeZone::system())
    }

    /// UTC.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// `HH:MM:SS`.
    pub(super) fn time_of_day(&self, at: WallTime) -> String {
        self.format(at, "%H:%M:%S")
    }

    /// `YYYY-MM-DD`.
    pub(super) fn date(&self, at: WallTime) -> String {
        self.format(at, "%Y-%m-%d")
    }

    /// `HH:MM`.
    pub(super) fn hour_minute(&self, at: WallTime) -> String {
        self.format(at, "%H:%M")
    }

    /// `YYYY-MM-DD HH:MM:SS.mmm ZONE`.
    pub(super) fn full(&self, at: WallTime) -> String {
        self.format(at, "%Y-%m-%d %H:%M:%S%.3f %Z")
    }

    fn format(&self, at: WallTime, how: &str) -> String {
        let Ok(stamp) = Timestamp::from_nanosecond(i128::from(at.0)) else {
            return "beyond time".to_owned();
        };
        stamp.to_zoned(self.0.clone()).strftime(how).to_string()
    }
}
