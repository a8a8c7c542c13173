//! A text that grows up to a limit, and says what it left out.

use super::markdown::{block, clean, short};

/// A text that grows up to a limit, and says what it left out.
pub(super) struct Page {
    text: String,
    /// How many bytes it may have, less what its last words take.
    room: usize,
    limit: usize,
    /// What was left out.
    cut: Cut,
}

impl Page {
    pub(super) fn new(limit: usize) -> Self {
        Self { text: String::new(), room: limit.saturating_sub(LAST_WORDS), limit, cut: Cut::default() }
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

    /// Adds why it happens, folded; nothing where there is nothing to say.
    pub(super) fn reasons(&mut self, lines: Vec<String>) {
        if !lines.is_empty() && !self.fold("Why", "", lines) {
            self.cut.reasons = true;
        }
    }

    /// Adds what differs in a file, folded; the title is HTML.
    pub(super) fn file(&mut self, title: &str, lines: Vec<String>) {
        if !self.fold(title, "diff", lines) {
            self.cut.files += 1;
        }
    }

    /// Adds a part that is folded until somebody opens it, where there is room.
    fn fold(&mut self, title: &str, language: &str, lines: Vec<String>) -> bool {
        let lines: Vec<_> = lines.iter().map(|line| clean(line)).collect();
        let body = match lines.is_empty() {
            true => String::new(),
            false => block(language, &lines) + "\n",
        };
        let part = format!("\n<details><summary>{title}</summary>\n\n{body}</details>\n");
        self.take(&part)
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
        if let Some(what) = self.cut.in_words() {
            self.text.push_str(&format!(
                "\n**Cut:** a comment has room for {} bytes, so this leaves out {what}. `stageplot diff --format json` \
                 has everything.\n",
                self.limit
            ));
        }
        self.text
    }
}

/// What a page had no room for.
#[derive(Default)]
struct Cut {
    reasons: bool,
    /// How many files.
    files: usize,
}

impl Cut {
    fn in_words(&self) -> Option<String> {
        let files = match self.files {
            0 => None,
            1 => Some("what differs in 1 file".to_owned()),
            count => Some(format!("what differs in {count} files")),
        };
        let reasons = self.reasons.then(|| "why it happens".to_owned());
        let parts: Vec<_> = reasons.into_iter().chain(files).collect();
        (!parts.is_empty()).then(|| parts.join(", and "))
    }
}

/// How many items of a list are shown.
const LISTED: usize = 12;

/// How many characters of a line of code are shown.
const LINE: usize = 200;

/// The room that is kept for titles, for how many more there are, and for what was cut.
const LAST_WORDS: usize = 1_000;
