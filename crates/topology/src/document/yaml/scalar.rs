//! The YAML 1.2 core schema: which scalars are numbers, booleans or null.

use granit_parser::Tag;

use crate::document::reader;
use crate::document::value::Kind;

/// Why a scalar is none.
pub(super) struct Problem {
    pub(super) message: &'static str,
    pub(super) help: &'static str,
}

/// What a scalar stands for. Quoted ones are strings unless a tag says more.
pub(super) fn resolve(text: &str, plain: bool, tag: Option<&Tag>) -> Result<Kind, Problem> {
    let Some(tag) = tag else {
        return if plain { resolve_plain(text) } else { Ok(Kind::String(text.to_owned())) };
    };
    // `!` alone makes a scalar a string.
    if tag.handle().is_empty() && tag.suffix() == "!" {
        return Ok(Kind::String(text.to_owned()));
    }
    let kind = match tag.core_suffix() {
        Some("str") => Some(Kind::String(text.to_owned())),
        Some("null") => is_null(text).then_some(Kind::Null),
        Some("bool") => truth(text).map(Kind::Bool),
        Some("int") => match resolve_plain(text)? {
            kind @ Kind::Integer(_) => Some(kind),
            _ => None,
        },
        Some("float") => match resolve_plain(text)? {
            #[expect(clippy::cast_precision_loss, reason = "the tag asks for a float")]
            Kind::Integer(number) => Some(Kind::Float(number as f64)),
            kind @ Kind::Float(_) => Some(kind),
            _ => None,
        },
        _ => {
            return Err(Problem { message: UNKNOWN_TAG, help: UNKNOWN_TAG_HELP });
        }
    };
    kind.ok_or(Problem {
        message: "the value is not what its YAML tag says",
        help: "take the tag away, or write a value that fits it",
    })
}

fn resolve_plain(text: &str) -> Result<Kind, Problem> {
    if is_null(text) {
        return Ok(Kind::Null);
    }
    if let Some(truth) = truth(text) {
        return Ok(Kind::Bool(truth));
    }
    // Most scalars are words, and no number begins with a letter.
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Ok(Kind::String(text.to_owned()));
    }
    if let Some((digits, radix)) = radix_digits(text) {
        return integer(i64::from_str_radix(digits, radix).ok());
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if is_digits(unsigned) {
        if unsigned.len() > 1 && unsigned.starts_with('0') {
            return Err(Problem {
                message: "a number with a leading zero is octal to some YAML readers and decimal \
                          to others",
                help: "write 0o for octal (0o600), take the zero away, or put text in quotes",
            });
        }
        return integer(text.parse().ok());
    }
    if is_float(unsigned) {
        let number: Option<f64> = text.parse().ok();
        return match number.filter(|number| number.is_finite()) {
            Some(number) => Ok(Kind::Float(number)),
            None => Err(TOO_LARGE),
        };
    }
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
            return Ok(Kind::Float(f64::INFINITY * sign));
        }
        ".nan" | ".NaN" | ".NAN" if unsigned == text => return Ok(Kind::Float(f64::NAN)),
        _ => {}
    }
    Ok(Kind::String(text.to_owned()))
}

fn integer(number: Option<i64>) -> Result<Kind, Problem> {
    number.map(Kind::Integer).ok_or(TOO_LARGE)
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// The digits of `0o17` or `0x1f` and their base.
fn radix_digits(text: &str) -> Option<(&str, u32)> {
    let (digits, radix) = match text.get(..2)? {
        "0o" => (&text[2..], 8),
        "0x" => (&text[2..], 16),
        _ => return None,
    };
    (!digits.is_empty() && digits.chars().all(|c| c.is_digit(radix))).then_some((digits, radix))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `1.`, `.5`, `1.5`, each with or without an exponent, or `1e3`.
fn is_float(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => is_digits(fraction),
        Some((whole, fraction)) => is_digits(whole) && (fraction.is_empty() || is_digits(fraction)),
        None => is_digits(mantissa),
    };
    mantissa_fits && exponent.is_none_or(|e| is_digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

pub(super) const UNKNOWN_TAG: &str = "a YAML tag that a plot does not know";
pub(super) const UNKNOWN_TAG_HELP: &str = "take the tag (the word that begins with !) away";

const TOO_LARGE: Problem = Problem { message: reader::TOO_LARGE_NUMBER, help: reader::TOO_LARGE_NUMBER_HELP };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        let string = |text: &str| Some(Kind::String(text.to_owned()));
        for (text, kind) in [
            ("~", Some(Kind::Null)),
            ("nULL", string("nULL")),
            ("True", Some(Kind::Bool(true))),
            ("yes", string("yes")),
            ("on", string("on")),
            ("-12", Some(Kind::Integer(-12))),
            ("+12", Some(Kind::Integer(12))),
            ("0", Some(Kind::Integer(0))),
            ("0o17", Some(Kind::Integer(15))),
            ("0xfF", Some(Kind::Integer(255))),
            ("0x", string("0x")),
            ("1e3", Some(Kind::Float(1e3))),
            ("1.", Some(Kind::Float(1.0))),
            (".5", Some(Kind::Float(0.5))),
            ("-.inf", Some(Kind::Float(f64::NEG_INFINITY))),
            (".", string(".")),
            ("1_000", string("1_000")),
            ("22:22", string("22:22")),
            ("1.13.5", string("1.13.5")),
            ("0777", None),
            ("99999999999999999999", None),
            ("1e999", None),
        ] {
            assert_eq!(resolve_plain(text).ok(), kind, "{text}");
        }
    }
}
