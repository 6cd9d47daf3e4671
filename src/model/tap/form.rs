//! The fixed forms of ids and times, checked several bytes at a time.

use wide::u8x16;

/// The length of a UUID.
pub(super) const UUID_LENGTH: usize = 36;

/// The length of a time in evtap's own form, such as `2026-05-05T10:00:00.000Z`.
pub(super) const TIME_LENGTH: usize = 24;

/// The length of a call SID.
pub(super) const CALL_SID_LENGTH: usize = 34;

/// The number of bytes that are checked in one step.
const STRIDE: usize = 16;

/// Returns the 16 bytes of `text` from `at` on, which must exist.
#[inline]
fn chunk(text: &[u8], at: usize) -> u8x16 {
    let bytes = text.get(at..).and_then(<[u8]>::first_chunk::<STRIDE>);
    u8x16::new(bytes.copied().unwrap_or_default())
}

/// Returns a bit for each byte that is not below `first`, and not above it by more than `span`.
#[inline]
fn within(chunk: u8x16, first: u8, span: u8) -> u32 {
    let distance = chunk - u8x16::splat(first);
    distance.simd_eq(distance.min(u8x16::splat(span))).to_bitmask()
}

#[inline]
fn digits(chunk: u8x16) -> u32 {
    within(chunk, b'0', 9)
}

/// Returns whether a text is a UUID in hexadecimal with hyphens (RFC 9562, section 4).
#[inline]
pub(super) fn is_uuid(text: &[u8; UUID_LENGTH]) -> bool {
    let has_hyphens = |at: usize, hyphens: u32| {
        let chunk = chunk(text, at);
        let letters = within(chunk | u8x16::splat(0x20), b'a', 5);
        let is_hyphen = chunk.simd_eq(u8x16::splat(b'-')).to_bitmask();
        is_hyphen == hyphens && digits(chunk) | letters == !hyphens & 0xffff
    };
    // The last step overlaps the second one.
    has_hyphens(0, 0x2100)
        && has_hyphens(STRIDE, 0x0084)
        && has_hyphens(UUID_LENGTH - STRIDE, 0x0008)
}

/// Returns whether a text is a call SID: `CA` and 32 letters or digits.
#[inline]
pub(super) fn is_call_sid(text: &[u8; CALL_SID_LENGTH]) -> bool {
    let is_alphanumeric = |at| {
        let chunk = chunk(text, at);
        digits(chunk) | within(chunk | u8x16::splat(0x20), b'a', 25) == 0xffff
    };
    text.starts_with(b"CA") && is_alphanumeric(2) && is_alphanumeric(2 + STRIDE)
}

/// Returns whether a text is a time in evtap's own form. Whatever has this form can be parsed; of
/// other times, the parser decides.
#[inline]
pub(super) fn is_time(text: &[u8; TIME_LENGTH]) -> bool {
    const FORM: &[u8; TIME_LENGTH] = b"0000-00-00T00:00:00.000Z";
    let has_form = |at: usize| {
        let (form, chunk) = (chunk(FORM, at), chunk(text, at));
        let is_digit = form.simd_eq(u8x16::splat(b'0')).to_bitmask();
        let is_same = form.simd_eq(chunk).to_bitmask();
        digits(chunk) & is_digit == is_digit && is_same | is_digit == 0xffff
    };
    if !has_form(0) || !has_form(TIME_LENGTH - STRIDE) {
        return false;
    }
    let two = |at: usize| (text[at] - b'0') * 10 + text[at + 1] - b'0';
    let (month, day) = (two(5), two(8));
    let days = match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    // A timestamp must be before the last day of the year 9999 in every time zone.
    (1..=12).contains(&month)
        && (1..=days).contains(&day)
        && two(11) < 24
        && two(14) < 60
        && two(17) < 60
        && (two(0) < 99 || two(2) < 99)
}
