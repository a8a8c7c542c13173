//! A text that grows up to a limit, and says what it left out.

use super::markdown::{block, clean, short};

/// A text that grows up to a limit, and says what it left out.
pub(super) struct Page {
    text: String,
    /// How many bytes it may have, less what its last words take.
    room: usize,
    limit: usize,
    /// How many folded parts were left out.
    cut: usize,
}

impl Page {
    pub(super) fn new(limit: usize) -> Self {
        Self { text: String::new(), room: limit.saturating_sub(LAST_WORDS), limit, cut: 0 }
    }

    /// Adds what is always there: a few lines of our own words and short names.
    pub(super) fn always(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a list under a title: as many of its items as have room, and how many more
    /// there are.
    pub(super) fn list(&mut self, title: &str, items: Vec<String>) {
        if items.is_empty() {
            return;
        }
        self.text.push_str(title);
        let shown = items.iter().take(LISTED).take_while(|item| self.take(item)).count();
        self.more(items.len() - shown);
    }

    /// Adds lines in a block of code under a title, in the colours of a diff.
    pub(super) fn code(&mut self, title: &str, lines: Vec<String>) {
        if lines.is_empty() {
            return;
        }
        self.text.push_str(title);
        let lines: Vec<_> = lines.iter().map(|line| short(line, LINE)).collect();
        let mut shown = lines.len().min(LISTED);
        while shown > 0 && !self.take(&block("diff", &lines[..shown])) {
            shown -= 1;
        }
        if shown < lines.len() {
            self.text.push('\n');
        }
        self.more(lines.len() - shown);
    }

    fn more(&mut self, count: usize) {
        if count > 0 {
            self.text.push_str(&format!("- and {count} more\n"));
        }
    }

    /// Adds a part that is folded until somebody opens it; the title is HTML.
    pub(super) fn fold(&mut self, title: &str, language: &str, lines: Vec<String>) {
        let lines: Vec<_> = lines.iter().map(|line| clean(line)).collect();
        let body = match lines.is_empty() {
            true => String::new(),
            false => block(language, &lines) + "\n",
        };
        let part = format!("\n<details><summary>{title}</summary>\n\n{body}</details>\n");
        if !self.take(&part) {
            self.cut += 1;
        }
    }

    fn take(&mut self, text: &str) -> bool {
        let fits = self.text.len() + text.len() <= self.room;
        if fits {
            self.text.push_str(text);
        }
        fits
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        if self.cut > 0 {
            let parts =
                if self.cut == 1 { "1 part of it is" } else { &format!("{} parts of it are", self.cut) };
            self.text.push_str(&format!(
                "\n**Cut:** a comment has room for {} bytes; {parts} left out. `stageplot diff --format json` has \
                 everything.\n",
                self.limit
            ));
        }
        self.text
    }
}

/// How many items of a list are shown.
const LISTED: usize = 12;

/// How many characters of a line of code are shown.
const LINE: usize = 200;

/// The room that is kept for titles, for how many more there are, and for what was cut.
const LAST_WORDS: usize = 1_000;
