//! The text formats that templates write, and how each holds a value.

use std::fmt;

use super::marks::{Form, Piece, Pieces};

mod caddyfile;
mod env;
mod markdown;
mod mermaid;
mod nftables;
mod nginx;
mod pg_hba;
mod postgres;
mod redis;
mod shell;
mod sql;
mod sysctl;
mod systemd;
#[cfg(test)]
mod tests;
mod xml;

/// A text format, with rules of its own for writing a value down.
///
/// A value is written so that the program that reads the file gets back exactly its bytes, at the
/// place where it stands: quoted where the format quotes, escaped where it escapes, bare where it
/// is made of harmless characters. The dialect follows the template's own text to know that place,
/// so a value inside a comment or inside quotes is judged by the rules that hold there. Where
/// the format cannot hold a value, rendering fails; no dialect ever writes a different value.
///
/// No dialect holds a NUL.
///
/// ```
/// use stageplot_render::template::{Dialect, Template, Templates};
///
/// for (dialect, written) in [
///     (Dialect::Env, "NAME='a b'\n"),
///     (Dialect::Shell, "NAME='a b'\n"),
///     (Dialect::Sysctl, "NAME=a b\n"),
/// ] {
///     let templates = Templates::new([Template::new("file", dialect, "NAME={{ name }}\n")]).expect("well-formed");
///     assert_eq!(templates.render("file", &serde_json::json!({ "name": "a b" }))?, written, "{dialect}");
/// }
/// # Ok::<(), stageplot_render::template::TemplateError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// A Caddyfile. Tokens are quoted with backticks or double quotes. `{$NAME}` in a value never
    /// reaches the environment. A value that Caddy could take for a placeholder (`{env.X}`) is
    /// refused unless the template says, with the filter `literal`, that the setting expands
    /// placeholders: then its braces are escaped for Caddy's replacer.
    Caddyfile,
    /// `redis.conf`: double quotes with `\n`, `\xHH`, as `sdssplitargs` reads them.
    RedisConf,
    /// `postgresql.conf`: single quotes with escapes, as `guc-file.l` reads them.
    PostgresConf,
    /// `pg_hba.conf`: addresses are bare, all else is in double quotes, in which `all` and
    /// other words mean nothing.
    PgHba,
    /// SQL for Postgres: a value is a string, or between the template's double quotes a name.
    /// It stays on one line.
    Sql,
    /// `nginx.conf`: double quotes with escapes. A value that holds `$`, which begins a
    /// variable, is refused.
    Nginx,
    /// An nftables script. Numbers, addresses and ranges are bare, all else is quoted; a string
    /// cannot hold a double quote nor end in the wildcard `*`. Names of tables and chains take the
    /// filter `bare`.
    Nftables,
    /// A systemd unit. `%` is doubled, `$` too in `Exec…=`; what is quoted, and how, depends on
    /// the setting: command lines and `Environment=` are, `Description=` is not, and settings that
    /// this table does not know take harmless characters alone.
    Systemd,
    /// An `env_file` of Docker Compose. Single quotes, so that nothing is interpolated; double
    /// quotes with escapes for what single ones cannot hold.
    Env,
    /// A POSIX shell script.
    Shell,
    /// CommonMark, code spans and fences included.
    Markdown,
    /// XML, and so SVG: text and quoted attributes.
    Xml,
    /// `sysctl.d`: a value is the rest of its line, without quotes.
    Sysctl,
    /// A Mermaid diagram: quoted strings with `#NN;` entities.
    Mermaid,
}

impl Dialect {
    /// All dialects, in the order of their names.
    pub const ALL: [Dialect; 14] = [
        Dialect::Caddyfile,
        Dialect::RedisConf,
        Dialect::PostgresConf,
        Dialect::PgHba,
        Dialect::Sql,
        Dialect::Nginx,
        Dialect::Nftables,
        Dialect::Systemd,
        Dialect::Env,
        Dialect::Shell,
        Dialect::Markdown,
        Dialect::Xml,
        Dialect::Sysctl,
        Dialect::Mermaid,
    ];

    /// Writes marked template output as the final file.
    pub(super) fn assemble(self, marked: &str) -> Result<String, Fault> {
        match self {
            Dialect::Caddyfile => assemble(caddyfile::Caddyfile::default(), marked),
            Dialect::RedisConf => assemble(redis::RedisConf::default(), marked),
            Dialect::PostgresConf => assemble(postgres::PostgresConf::default(), marked),
            Dialect::PgHba => assemble(pg_hba::PgHba::default(), marked),
            Dialect::Sql => assemble(sql::Sql::default(), marked),
            Dialect::Nginx => assemble(nginx::Nginx::default(), marked),
            Dialect::Nftables => assemble(nftables::Nftables::default(), marked),
            Dialect::Systemd => assemble(systemd::Systemd::default(), marked),
            Dialect::Env => assemble(env::Env::default(), marked),
            Dialect::Shell => assemble(shell::Shell::default(), marked),
            Dialect::Markdown => assemble(markdown::Markdown::default(), marked),
            Dialect::Xml => assemble(xml::Xml::default(), marked),
            Dialect::Sysctl => assemble(sysctl::Sysctl::default(), marked),
            Dialect::Mermaid => assemble(mermaid::Mermaid::default(), marked),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dialect::Caddyfile => "Caddyfile",
            Dialect::RedisConf => "redis.conf",
            Dialect::PostgresConf => "postgresql.conf",
            Dialect::PgHba => "pg_hba.conf",
            Dialect::Sql => "SQL script",
            Dialect::Nginx => "nginx.conf",
            Dialect::Nftables => "nftables script",
            Dialect::Systemd => "systemd unit",
            Dialect::Env => "compose env_file",
            Dialect::Shell => "shell script",
            Dialect::Markdown => "Markdown",
            Dialect::Xml => "XML",
            Dialect::Sysctl => "sysctl file",
            Dialect::Mermaid => "Mermaid diagram",
        })
    }
}

/// Why a format cannot hold a value where it stands.
pub(super) type Refusal = &'static str;

/// A refusal, and where it happened in the output.
pub(super) struct Fault {
    /// The refused value: to find its name, never to be shown.
    pub(super) value: String,
    /// The line of the output, from 1.
    pub(super) line: usize,
    /// The template's own text on that line, each value replaced by `…`.
    pub(super) near: String,
    pub(super) why: Refusal,
}

/// One format: a state machine over the template's text that is asked to write each value.
trait Scan {
    /// Takes note of one character of the template's own text, or of a bare value.
    fn text(&mut self, c: char);

    /// How many bytes at the beginning of this text come to the same as the last of their characters
    /// alone. Most of a text is read over by this, and not one by one.
    fn idle(&self, text: &str) -> usize {
        let _ = text;
        0
    }

    /// Writes a value at the place that the text before it led to.
    fn value(&mut self, value: &str, form: Form, out: &mut String) -> Result<(), Refusal>;

    /// Whether this character may follow a value that was just written in quotes; `None` stands
    /// for the end of the file.
    fn may_follow(&self, next: Option<char>) -> bool {
        let _ = next;
        true
    }
}

/// Takes note of the template's own text.
fn read(scan: &mut impl Scan, text: &str) {
    let mut rest = text;
    while !rest.is_empty() {
        let (idle, next) = rest.split_at(scan.idle(rest));
        let mut next = next.chars();
        idle.chars().next_back().into_iter().chain(next.next()).for_each(|c| scan.text(c));
        rest = next.as_str();
    }
}

/// How many bytes of a text come before the first that means something.
fn until(text: &str, means: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(means).unwrap_or(text.len())
}

fn assemble(mut scan: impl Scan, marked: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(marked.len() + marked.len() / 16);
    // The value that was written last, and where, while nothing has come after it yet.
    let mut last: Option<(&str, Place)> = None;

    let mut pieces = Pieces::new(marked);
    loop {
        let at = Place { marked: pieces.offset(), out: out.len() };
        let fault = |at: Place, out: &str, value: &str, why| Err(at.fault(marked, out, value, why));
        match pieces.next() {
            None => break,
            Some(Piece::Text(text)) => {
                if let Some(next) = text.chars().next()
                    && let Some((value, at)) = last.take()
                    && !scan.may_follow(Some(next))
                {
                    return fault(at, &out, value, TOUCHES);
                }
                read(&mut scan, text);
                out.push_str(text);
            }
            Some(Piece::Value { value, form }) => {
                if value.contains('\0') {
                    return fault(at, &out, value, "no text file of this kind can hold a NUL byte");
                }
                if form == Form::Bare {
                    if !is_name(value) {
                        let why = "the filter `bare` takes letters, digits, `_`, `-` and `.` alone";
                        return fault(at, &out, value, why);
                    }
                    value.chars().for_each(|c| scan.text(c));
                    out.push_str(value);
                } else if let Err(why) = scan.value(value, form, &mut out) {
                    return fault(at, &out, value, why);
                }
                if let Some((earlier, before)) = last.take()
                    && !scan_follows(&out, at.out, &scan)
                {
                    return fault(before, &out, earlier, TOUCHES);
                }
                last = Some((value, at));
            }
            Some(Piece::Broken) => return fault(at, &out, "", BROKEN),
        }
    }
    match last {
        Some((value, at)) if !scan.may_follow(None) => Err(at.fault(marked, &out, value, TOUCHES)),
        _ => Ok(out),
    }
}

/// Whether what was written from `start` on may follow the value before it.
fn scan_follows(out: &str, start: usize, scan: &impl Scan) -> bool {
    out[start..].chars().next().is_none_or(|next| scan.may_follow(Some(next)))
}

/// A place in the marked text, and in what was written for it.
#[derive(Clone, Copy)]
struct Place {
    marked: usize,
    out: usize,
}

impl Place {
    fn fault(self, marked: &str, out: &str, value: &str, why: Refusal) -> Fault {
        let mut near = String::new();
        for piece in Pieces::new(&marked[..self.marked]) {
            match piece {
                Piece::Text(text) => match text.rsplit_once('\n') {
                    Some((_, line)) => line.clone_into(&mut near),
                    None => near.push_str(text),
                },
                _ => near.push('…'),
            }
        }
        let near = near.trim().chars().take(MAX_NEAR).collect();
        let line = out[..self.out].matches('\n').count() + 1;
        Fault { value: value.to_owned(), line, near, why }
    }
}

/// Whether a word has this shape in every format: no quoting, no meaning of its own.
fn is_name(value: &str) -> bool {
    !value.is_empty()
        && !value.starts_with(['-', '.'])
        && value.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'))
}

/// Whether a value may stand without quotes in the formats that have words: nothing here starts a
/// comment, a quote, an escape or an expansion in any of them.
fn is_plain(value: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"_./:@+-,=".contains(&c);
    !value.is_empty() && value.bytes().all(plain)
}

/// Whether a value fits into a comment that ends with its line.
fn fits_comment(value: &str) -> Result<(), Refusal> {
    if value.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\\' | '{')) {
        return Err("a comment holds no line breaks, control characters, backslashes or opening braces");
    }
    Ok(())
}

/// A value between quotes with the escapes of C, where what has none of its own is written by
/// its number.
fn c_quoted(value: &str, quote: char, number: impl Fn(u32) -> String, out: &mut String) {
    out.push(quote);
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_ascii_control() => out.push_str(&number(c.into())),
            c => out.push(c),
        }
    }
    out.push(quote);
}

const MAX_NEAR: usize = 60;
const TOUCHES: Refusal = "it needs quotes, and other text touches it; build the whole word in one expression, `{{ \"a:\" ~ value }}`";
const IN_QUOTES: Refusal = "it needs quotes of its own, and stands inside others or in the middle of a word; drop the template's quotes, or build the whole word in one expression, `{{ \"a:\" ~ value }}`";
const BROKEN: Refusal =
    "a filter cut a captured block in the middle of a value; apply the filter to the value itself";
