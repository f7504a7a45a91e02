//! The course of one line through a window: what it paid at its ends, and whether it was gone in between.

use super::policy::{Policy, Reactivation};
use super::timeline::{Change, Step};
use super::window::Frame;

/// What a line paid at the ends of a window, and what happened in between; in its own currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Course {
    pub opening: i64,
    pub closing: i64,
    pub opening_currency: u16,
    pub closing_currency: u16,
    /// By how much its price rose, at the opening's and the closing's rates of the reporting currency.
    pub price: (i64, i64),
    /// It was gone and came back within the window, which is ignored.
    pub ignored: bool,
    /// The same, not ignored: what it is at the closing is none of what it was.
    pub returned: bool,
    /// It was gone at the opening already, and came back.
    pub back: bool,
}

/// A gap that began in the window and is over: whether it is ignored.
pub(super) fn is_ignored(policy: &Policy, ended: i32, returned: i32) -> bool {
    match policy.reactivation {
        Reactivation::Ignore(days) => returned - ended <= i32::from(days),
        Reactivation::ChurnNew | Reactivation::Bucket => false,
    }
}

#[inline]
pub(super) fn course(steps: &[Step], frame: &Frame) -> Course {
    let mut c = Course::default();
    let (mut now, mut currency, mut ended) = (0_i64, 0_u16, i32::MIN);
    let mut opened = false;
    for s in steps {
        if s.at > frame.closing {
            break;
        }
        if s.at > frame.opening {
            if !opened {
                opened = true;
                (c.opening, c.opening_currency) = (now, currency);
            }
            match s.change {
                Change::Price => {
                    let rise = |at: fn(&Frame, u16, i64) -> Option<i64>| {
                        let ends = at(frame, s.currency, s.minor).zip(at(frame, currency, now));
                        ends.map_or(0, |(then, now)| then.saturating_sub(now))
                    };
                    c.price.0 = c.price.0.saturating_add(rise(Frame::at_opening));
                    c.price.1 = c.price.1.saturating_add(rise(Frame::at_closing));
                }
                Change::Return if ended > frame.opening && c.opening != 0 => {
                    match is_ignored(&frame.policy, ended, s.at) {
                        true => c.ignored = true,
                        false => c.returned = true,
                    }
                }
                // One that began within the window is new, whatever became of it since.
                Change::Return if ended <= frame.opening => c.back = true,
                _ => {}
            }
        }
        if s.change == Change::End {
            ended = s.at;
        } else {
            currency = s.currency;
        }
        now = s.minor;
    }
    if !opened {
        (c.opening, c.opening_currency) = (now, currency);
    }
    (c.closing, c.closing_currency) = (now, currency);
    if c.closing == 0 {
        (c.returned, c.ignored, c.back) = (false, false, false);
    }
    // The price of what was not there, is gone, or was gone in between, is a part of other changes.
    if c.opening == 0 || c.closing == 0 || c.returned {
        c.price = (0, 0);
    }
    c
}
