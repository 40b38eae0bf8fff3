//! The kinds of time, kept apart by type: [`BootTime`] is what the kernel stamps on a record (`CLOCK_BOOTTIME`),
//! [`WallTime`] is what people read (nanoseconds since the epoch, UTC). A recording carries the offset between the two,
//! so that a replay elsewhere shows the same wall times. Nothing here reads a clock.

use std::fmt;

/// Nanoseconds since the machine booted, suspend included (`CLOCK_BOOTTIME`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootTime(pub u64);

/// Nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(pub u64);

impl BootTime {
    /// The wall time of this instant, given the offset that the host stated.
    pub fn to_wall(self, wall_offset_ns: i64) -> WallTime {
        WallTime(self.0.saturating_add_signed(wall_offset_ns))
    }
}

/// A calendar date and a time of day in UTC, split out of a [`WallTime`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Year of the Gregorian calendar.
    pub year: i64,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59.
    pub second: u8,
    /// Nanoseconds below the second.
    pub nano: u32,
}

impl WallTime {
    /// Splits the instant into date and time of day, UTC. The date arithmetic is the usual count of days in
    /// 400-year eras that start on the first of March.
    pub fn civil(self) -> Civil {
        let secs = self.0 / 1_000_000_000;
        let (days, sod) = ((secs / 86_400) as i64, secs % 86_400);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let doe = shifted.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        Civil {
            year: yoe + era * 400 + i64::from(month <= 2),
            month: month as u8,
            day: (doy - (153 * mp + 2) / 5 + 1) as u8,
            hour: (sod / 3_600) as u8,
            minute: (sod / 60 % 60) as u8,
            second: (sod % 60) as u8,
            nano: (self.0 % 1_000_000_000) as u32,
        }
    }
}

/// `YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ`, the form of an alert's `time` key.
impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.civil();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z",
            c.year, c.month, c.day, c.hour, c.minute, c.second, c.nano
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_prints_as_rfc_3339() {
        assert_eq!(WallTime(1_566_230_400_010_000_000).to_string(), "2019-08-19T16:00:00.010000000Z");
        assert_eq!(WallTime(0).to_string(), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(WallTime(951_782_400_000_000_000).to_string(), "2000-02-29T00:00:00.000000000Z");
    }
}
