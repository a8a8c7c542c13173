//! Whether a library shows how all of it is used, from rustdoc's JSON.
//!
//! A public item shows it by an example that is compiled. A part of another item, such as
//! an error or an enum of one of its fields, may leave it to that one's example, by a line
//! ``See [`Item`].`` A method is called in an example, its own or another of the library.

use std::collections::BTreeSet;

use serde_json::Value;

/// A library as rustdoc's JSON has it.
pub(crate) struct Library {
    json: Value,
}

impl Library {
    pub(crate) fn new(json: Value) -> Self {
        Self { json }
    }

    /// Every public item that shows no use, and every method that no example calls.
    pub(crate) fn unshown(&self) -> Vec<String> {
        let examples: String = self.items().map(|item| examples(docs(item))).collect();
        let mut unshown = Vec::new();
        for (path, item) in self.public() {
            if !self.shows(item) && !self.leaves_it_to_another(item) {
                unshown.push(format!("{path} has no example"));
            }
            for method in self.methods(item) {
                let name = name(method);
                let is_called = [".", "::"].iter().any(|before| calls(&examples, &format!("{before}{name}")));
                if !is_called {
                    unshown.push(format!("{path}::{name} is in no example"));
                }
            }
        }
        unshown
    }

    /// Every struct that a plot is written with, and that a program could not write, or is
    /// not shown to write, so that it bears a field more. What is written as one word is
    /// made of a text.
    pub(crate) fn brittle(&self) -> Vec<String> {
        let mut brittle = Vec::new();
        for (path, item) in self.public() {
            let Some(shape) = item["inner"].get("struct") else { continue };
            let is = |name| self.is(item, name);
            if !is_open(&shape["kind"]) || may_grow(item) || !is("JsonSchema") || is("FromStr") {
                continue;
            }
            let makes_one = |method: &Value| {
                let signature = &method["inner"]["function"]["sig"];
                let takes_one = signature["inputs"][0][0] == "self";
                !takes_one && signature["output"]["generic"] == "Self"
            };
            if !is("Default") && !self.methods(item).any(makes_one) {
                brittle.push(format!("{path} has neither a default nor a constructor"));
            }
            if !examples(docs(item)).contains("..") {
                brittle.push(format!("{path} is not shown with `..`"));
            }
        }
        brittle
    }

    /// Every type with public fields or variants that is not to get more of them, but for
    /// the structs that a plot is written with.
    pub(crate) fn whole(&self) -> Vec<String> {
        let mut whole = Vec::new();
        for (path, item) in self.public() {
            let is_open = match (item["inner"].get("struct"), item["inner"].get("enum")) {
                (Some(shape), _) => is_open(&shape["kind"]),
                (_, variants) => variants.is_some(),
            };
            let is_written = item["inner"].get("struct").is_some() && self.is(item, "JsonSchema");
            if is_open && !may_grow(item) && !is_written {
                whole.push(path);
            }
        }
        whole
    }

    fn items(&self) -> impl Iterator<Item = &Value> {
        self.json["index"].as_object().into_iter().flat_map(|index| index.values())
    }

    /// An item of this library, not of another.
    fn item(&self, id: &Value) -> Option<&Value> {
        self.json["index"].get(id.to_string())
    }

    /// All that can be named, with its path; what is exported anew under its own name.
    fn public(&self) -> Vec<(String, &Value)> {
        let mut public = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![(String::new(), &self.json["root"])];
        while let Some((above, id)) = open.pop() {
            let Some(item) = self.item(id) else { continue };
            if let Some(import) = item["inner"].get("use") {
                open.push((above, &import["id"]));
                continue;
            }
            if !seen.insert(id.to_string()) {
                continue;
            }
            let path =
                if above.is_empty() { name(item).to_owned() } else { format!("{above}::{}", name(item)) };
            let inner = item["inner"]["module"]["items"].as_array();
            open.extend(inner.into_iter().flatten().map(|id| (path.clone(), id)));
            public.push((path, item));
        }
        public.sort_by(|(path, _), (other, _)| path.cmp(other));
        public
    }

    fn impls(&self, item: &Value) -> impl Iterator<Item = &Value> {
        let of_kind = ["struct", "enum", "union"].into_iter().find_map(|kind| item["inner"].get(kind));
        let ids = of_kind.and_then(|kind| kind["impls"].as_array()).into_iter().flatten();
        ids.filter_map(|id| Some(&self.item(id)?["inner"]["impl"]))
    }

    fn is(&self, item: &Value, name: &str) -> bool {
        self.impls(item).any(|of| of["trait"]["path"] == name)
    }

    /// The methods and constructors of a type, without those of traits.
    fn methods(&self, item: &Value) -> impl Iterator<Item = &Value> {
        let own = self.impls(item).filter(|of| of["trait"].is_null());
        let items = own.flat_map(|of| of["items"].as_array().into_iter().flatten());
        items.filter_map(|id| self.item(id)).filter(|item| item["inner"].get("function").is_some())
    }

    fn shows(&self, item: &Value) -> bool {
        !examples(docs(item)).is_empty()
    }

    /// Whether it names another item that shows its use.
    fn leaves_it_to_another(&self, item: &Value) -> bool {
        let see = docs(item).lines().find_map(|line| line.strip_prefix("See [`")?.strip_suffix("`]."));
        let Some(other) = see else { return false };
        let links = item["links"].as_object().into_iter().flatten();
        let mut targets = links.filter_map(|(_, id)| self.item(id));
        targets.any(|target| Some(name(target)) == other.rsplit("::").next() && self.shows(target))
    }
}

fn docs(item: &Value) -> &str {
    item["docs"].as_str().unwrap_or_default()
}

fn name(item: &Value) -> &str {
    item["name"].as_str().unwrap_or_default()
}

/// Whether whoever has the struct can name all of its fields.
fn is_open(kind: &Value) -> bool {
    match (&kind["plain"], &kind["tuple"]) {
        (Value::Object(plain), _) => plain["has_stripped_fields"] == false,
        (_, Value::Array(fields)) => fields.iter().all(|field| !field.is_null()),
        _ => kind == "unit",
    }
}

fn may_grow(item: &Value) -> bool {
    item["attrs"].as_array().is_some_and(|attributes| attributes.iter().any(|it| it == "non_exhaustive"))
}

/// What is compiled of a documentation.
fn examples(docs: &str) -> String {
    let mut compiled = String::new();
    let mut inside = None;
    for line in docs.lines() {
        match (line.trim_start().strip_prefix("```"), inside) {
            (Some(words), None) => {
                inside = Some(words.split(',').all(|word| matches!(word.trim(), "" | "rust" | "no_run")));
            }
            (Some(_), Some(_)) => inside = None,
            (None, Some(true)) => compiled.extend([line, "\n"]),
            (None, _) => {}
        }
    }
    compiled
}

/// Whether a text has this name, and behind it arguments or a type for it.
fn calls(text: &str, name: &str) -> bool {
    text.split(name).skip(1).any(|behind| behind.starts_with('(') || behind.starts_with("::<"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A library of one struct with a method, and a function.
    fn library(of_struct: &str, of_function: &str) -> Library {
        let index = json!({
            "0": { "name": "band", "docs": "```\nband::play();\n```", "inner": { "module": { "items": [1, 2] } } },
            "1": { "name": "Drum", "docs": of_struct, "attrs": [], "links": { "`play`": 3 }, "inner": { "struct": {
                "kind": { "plain": { "fields": [9], "has_stripped_fields": false } }, "impls": [4, 6],
            } } },
            "2": { "name": null, "docs": null, "inner": { "use": { "id": 3 } } },
            "3": { "name": "play", "docs": of_function, "inner": { "function": {} } },
            "4": { "name": null, "docs": null, "inner": { "impl": { "trait": null, "items": [5] } } },
            "5": { "name": "hit", "docs": "", "inner": { "function": { "sig": { "inputs": [["self", {}]] } } } },
            "6": { "name": null, "docs": null, "inner": { "impl": { "trait": { "path": "JsonSchema" }, "items": [] } } },
        });
        Library::new(json!({ "root": 0, "index": index }))
    }

    #[test]
    fn what_shows_no_use_is_found() {
        let shown = "A drum.\n\n```\nDrum { skin, ..drum }.hit();\n```";
        assert_eq!(library(shown, "Plays.\n\n```no_run\nband::play();\n```").unshown(), [""; 0]);
        assert_eq!(library(shown, "Plays.").unshown(), ["band::play has no example"]);
        // What is not compiled shows nothing.
        for block in ["ignore", "text", "toml", "rust,ignore"] {
            let docs = format!("Plays.\n\n```{block}\nband::play();\n```");
            assert_eq!(library(shown, &docs).unshown(), ["band::play has no example"], "{block}");
        }
        assert_eq!(
            library("A drum.", "Plays.\n\n```\nband::play();\n```").unshown(),
            ["band::Drum has no example", "band::Drum::hit is in no example"]
        );
        assert_eq!(
            library("```\ndrum.hit_twice()\n```", "```\nplay()\n```").unshown(),
            ["band::Drum::hit is in no example"]
        );
    }

    #[test]
    fn another_shows_it_where_it_does() {
        let played = "```\nband::play(); drum.hit();\n```";
        assert_eq!(library("A drum.\n\nSee [`play`].", played).unshown(), [""; 0]);
        let unshown = ["band::Drum has no example"];
        // Nobody shows it, it is not said so, or is no link.
        for docs in ["A drum for [`play`].", "See [`play`] for an example.", "See [`beat`].", "See `play`."] {
            assert_eq!(library(docs, played).unshown(), unshown, "{docs}");
        }
        assert!(library("See [`play`].", "Plays.").unshown().contains(&unshown[0].to_owned()));
    }

    #[test]
    fn what_is_not_to_grow_is_found() {
        let mut drum = library("", "");
        assert_eq!(drum.whole(), [""; 0], "a plot is written with it");
        drum.json["index"]["6"]["inner"]["impl"]["trait"]["path"] = json!("Debug");
        assert_eq!(drum.whole(), ["band::Drum"]);
        drum.json["index"]["1"]["attrs"] = json!(["non_exhaustive"]);
        assert_eq!(drum.whole(), [""; 0]);
        drum.json["index"]["1"]["attrs"] = json!([]);
        for (kind, is_open) in [
            (json!({ "plain": { "fields": [9], "has_stripped_fields": true } }), false),
            (json!({ "tuple": [9, null] }), false),
            (json!({ "tuple": [9] }), true),
            (json!("unit"), true),
        ] {
            drum.json["index"]["1"]["inner"]["struct"]["kind"] = kind;
            assert_eq!(drum.whole().len(), usize::from(is_open));
        }
    }

    #[test]
    fn what_bears_no_field_more_is_found() {
        let without = "band::Drum has neither a default nor a constructor";
        assert_eq!(library("```\nDrum { skin, ..drum }\n```", "").brittle(), [without]);
        assert_eq!(
            library("```\nDrum { skin }\n```", "").brittle(),
            [without, "band::Drum is not shown with `..`"]
        );
        let mut made = library("```\nDrum { skin, ..drum }\n```", "");
        made.json["index"]["5"]["inner"]["function"]["sig"] =
            json!({ "inputs": [["skin", {}]], "output": { "generic": "Self" } });
        assert_eq!(made.brittle(), [""; 0]);
    }
}
