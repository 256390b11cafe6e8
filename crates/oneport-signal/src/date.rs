//! The time as HTTP writes it.

use std::time::{SystemTime, UNIX_EPOCH};

/// An IMF-fixdate (RFC 9110 section 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`. A clock
/// before 1970 reads as 1970.
pub(crate) fn http_date(time: SystemTime) -> String {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (day, second) = (seconds / DAY_SECS, seconds % DAY_SECS);
    let (year, month, day_of_month) = civil(day);
    format!(
        "{}, {day_of_month:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        // 1 January 1970 was a Thursday.
        WEEKDAYS[(day as usize + 4) % 7],
        MONTHS[month - 1],
        second / 3600,
        second / 60 % 60,
        second % 60,
    )
}

/// Year, month from 1 and day from 1 of a day counted from 1 January 1970, in the Gregorian
/// calendar. Years are taken to begin in March, which puts the leap day at their end.
fn civil(day: u64) -> (u64, usize, u64) {
    let day = day + DAYS_FROM_0000_03_01_TO_1970;
    let era = day / DAYS_PER_400_YEARS;
    let day_of_era = day % DAYS_PER_400_YEARS;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Five months of 153 days repeat: 31, 30, 31, 30, 31 from March.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march as usize + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day_of_month)
}

const DAY_SECS: u64 = 24 * 60 * 60;
const DAYS_PER_400_YEARS: u64 = 146_097;
const DAYS_FROM_0000_03_01_TO_1970: u64 = 719_468;
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn known_dates() {
        for (seconds, date) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            // The example of RFC 9110.
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(http_date(time), date);
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut previous = civil(0);
        for day in 1..60_000 {
            let today @ (year, month, day_of_month) = civil(day);
            assert!(today > previous && (1..=12).contains(&month) && day_of_month <= 31);
            assert!(
                day_of_month == previous.2 + 1 || day_of_month == 1,
                "{year}"
            );
            previous = today;
        }
    }
}
