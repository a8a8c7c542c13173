//! Text in a picture: how wide it is, and what of it fits.
//!
//! Readers bring their own fonts, so widths are estimates, on the wide side,
//! and whole pixels: the same on every machine.

/// How wide a text may be drawn, in pixels, at a font size.
pub(super) fn width(text: &str, size: i32) -> i32 {
    let hundredths: i32 = text.chars().map(|c| advance(c) * size).sum();
    hundredths / 100 + 1
}

/// A text that fits a width, its end cut off where need be.
pub(super) fn fit(text: &str, size: i32, room: i32) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut left = room - width("…", size);
    for c in text.chars() {
        left -= width(c.encode_utf8(&mut [0; 4]), size);
        if left < 0 {
            break;
        }
        short.push(c);
    }
    short + "…"
}

/// The advance of a character in hundredths of the font size.
fn advance(c: char) -> i32 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ' ' | '·' | '|' | '\'' => 36,
        'f' | 'r' | 't' | '-' | '(' | ')' | '/' => 44,
        'm' | 'w' | 'M' | 'W' | '…' => 95,
        'A'..='Z' => 72,
        c if c.is_ascii() => 62,
        _ => 100,
    }
}
