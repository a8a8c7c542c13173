//! Holds the table of settings against LiveKit's own source, where Go's module
//! cache has it.
//!
//! A few lines of Go are understood here, as many as it takes to follow the
//! structs: imports, struct fields with their `yaml` tags, embedded structs and
//! named types.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::shape::{Keys, Shape};
use super::{LivekitVersion, table};

const SERVER: &str = "github.com/livekit/livekit-server";

#[test]
fn the_table_is_what_livekit_decodes() {
    for &version in LivekitVersion::SUPPORTED {
        let Some(source) = Source::of(version) else {
            let missing = format!("{SERVER}@v{version} with its modules, in Go's module cache");
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "missing: {missing}");
            eprintln!("skipped: wants {missing} (`go mod download` in it)");
            continue;
        };
        let mut upstream = BTreeMap::new();
        source.fields(&source.server.join("pkg/config"), "Config", "", &mut upstream);
        let mut ours = BTreeMap::new();
        written(version, table::ROOT, "", &mut ours);
        let lines = |keys: &BTreeMap<String, String>| -> BTreeSet<String> {
            keys.iter().map(|(key, shape)| format!("{key}: {shape}")).collect()
        };
        let (upstream, ours) = (lines(&upstream), lines(&ours));
        let missing: Vec<_> = upstream.difference(&ours).collect();
        let invented: Vec<_> = ours.difference(&upstream).collect();
        assert!(
            missing.is_empty() && invented.is_empty(),
            "LiveKit {version}\nhas, and the table lacks: {missing:#?}\nlacks, and the table has: {invented:#?}"
        );
        assert!(upstream.len() > 300, "LiveKit {version}: only {} settings were understood", upstream.len());
    }
}

/// The table as lines, for one version.
fn written(version: LivekitVersion, keys: Keys, prefix: &str, all: &mut BTreeMap<String, String>) {
    for setting in keys.iter().filter(|setting| setting.is_known_to(version)) {
        shape_lines(version, setting.shape, format!("{prefix}{}", setting.name), all);
    }
}

fn shape_lines(version: LivekitVersion, shape: Shape, path: String, all: &mut BTreeMap<String, String>) {
    let word = match shape {
        Shape::Bool => "bool",
        Shape::I32 => "int32",
        Shape::I64 => "int64",
        Shape::U8 => "uint8",
        Shape::U16 => "uint16",
        Shape::U32 => "uint32",
        Shape::U64 => "uint64",
        Shape::Float => "float",
        Shape::Text => "string",
        Shape::Duration => "duration",
        Shape::Ports => "ports",
        Shape::Any => "any",
        Shape::List(inner) => {
            shape_lines(version, *inner, format!("{path}[]"), all);
            "list"
        }
        Shape::Map(inner) => {
            shape_lines(version, *inner, format!("{path}{{}}"), all);
            "map"
        }
        Shape::Table(keys) => {
            written(version, keys, &format!("{path}."), all);
            "table"
        }
    };
    all.insert(path, word.to_owned());
}

/// One version's source and that of the modules it names.
struct Source {
    cache: PathBuf,
    server: PathBuf,
    /// Module path to version.
    modules: BTreeMap<String, String>,
}

impl Source {
    fn of(version: LivekitVersion) -> Option<Self> {
        let cache = module_cache()?;
        let server = cache.join(format!("{SERVER}@v{version}"));
        let go_mod = std::fs::read_to_string(server.join("go.mod")).ok()?;
        let modules = go_mod.lines().filter_map(|line| {
            let (path, version) =
                line.trim().strip_prefix("require ").unwrap_or(line.trim()).split_once(' ')?;
            let version = version.split_whitespace().next()?;
            version.starts_with('v').then(|| (path.to_owned(), version.to_owned()))
        });
        let source = Self { modules: modules.collect(), cache, server };
        let wanted = ["mediatransportutil", "protocol", "psrpc"];
        let present = |module: &&str| source.package(&format!("github.com/livekit/{module}")).is_some();
        wanted.iter().all(present).then_some(source)
    }

    /// The directory of an imported package.
    fn package(&self, import: &str) -> Option<PathBuf> {
        if let Some(below) = import.strip_prefix(SERVER) {
            return Some(self.server.join(below.trim_start_matches('/')));
        }
        let (module, version) = self.modules.iter().find(|(module, _)| {
            import.strip_prefix(module.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })?;
        let below = import[module.len()..].trim_start_matches('/');
        let directory = self.cache.join(format!("{module}@{version}")).join(below);
        directory.is_dir().then_some(directory)
    }

    /// Adds the fields of a struct, and of those that it holds.
    fn fields(&self, package: &Path, name: &str, prefix: &str, all: &mut BTreeMap<String, String>) {
        let (file, body) = find_type(package, name).unwrap_or_else(|| panic!("no {name} in {package:?}"));
        for line in body.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")) {
            let (declared, tag) = line.split_once('`').unwrap_or((line, ""));
            let mut words = declared.split("//").next().unwrap_or_default().split_whitespace();
            let (Some(first), second) = (words.next(), words.next()) else { continue };
            let yaml =
                tag.split_once("yaml:\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
            let (key, options) = yaml.split_once(',').unwrap_or((yaml, ""));
            if options.split(',').any(|option| option == "inline") {
                let (package, name) = self.locate(package, &file, second.unwrap_or(first));
                self.fields(&package, &name, prefix, all);
            } else if key != "-" && first.starts_with(|c: char| c.is_ascii_uppercase()) {
                let key = if key.is_empty() { first.to_lowercase() } else { key.to_owned() };
                self.typed(
                    package,
                    &file,
                    second.expect("a field has a type"),
                    format!("{prefix}{key}"),
                    all,
                );
            }
        }
    }

    /// Adds a value of a type.
    fn typed(&self, package: &Path, file: &str, go: &str, path: String, all: &mut BTreeMap<String, String>) {
        let go = go.trim_start_matches('*');
        let word = match go {
            "bool" | "string" | "int32" | "int64" | "uint8" | "uint16" | "uint32" | "uint64" => go,
            "int" => "int64",
            "float32" | "float64" => "float",
            "time.Duration" => "duration",
            _ if go.starts_with("[]") => {
                self.typed(package, file, &go[2..], format!("{path}[]"), all);
                "list"
            }
            _ if go.starts_with("map[") => {
                let (_, inner) = go.split_once(']').expect("a map's key ends");
                self.typed(package, file, inner, format!("{path}{{}}"), all);
                "map"
            }
            _ => {
                let (package, name) = self.locate(package, file, go);
                match name.as_str() {
                    // These decode themselves.
                    "PortRange" => "ports",
                    "NodeIP" => "string",
                    "RoomConfiguration" => "any",
                    _ => {
                        assert!(
                            !decodes_itself(&package, &name),
                            "{path}: {name} decodes itself, and how is not known here"
                        );
                        if let Some(other) = named_type(&package, &name) {
                            return self.typed(&package, "", &other, path, all);
                        }
                        self.fields(&package, &name, &format!("{path}."), all);
                        "table"
                    }
                }
            }
        };
        all.insert(path, word.to_owned());
    }

    /// The package and the bare name of a type as a file names it.
    fn locate(&self, package: &Path, file: &str, go: &str) -> (PathBuf, String) {
        let Some((alias, name)) = go.trim_start_matches('*').split_once('.') else {
            return (package.to_owned(), go.to_owned());
        };
        let import = file.lines().map(str::trim).find_map(|line| {
            let line = line.strip_prefix("import ").unwrap_or(line);
            let (before, rest) = line.split_once('"')?;
            let import = rest.strip_suffix('"')?;
            let own = import.rsplit('/').next()?;
            (if before.trim().is_empty() { own == alias } else { before.trim() == alias }).then_some(import)
        });
        let import = import.unwrap_or_else(|| panic!("{go} is not imported"));
        let package = self.package(import).unwrap_or_else(|| panic!("{import} is not in the module cache"));
        (package, name.to_owned())
    }
}

fn module_cache() -> Option<PathBuf> {
    let asked = || {
        let output = std::process::Command::new("go").args(["env", "GOMODCACHE"]).output().ok()?;
        Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
    };
    let set = std::env::var_os("GOMODCACHE").map(PathBuf::from);
    set.or_else(asked).or_else(|| Some(std::env::home_dir()?.join("go/pkg/mod")))
}

/// The Go files of a package, without tests.
fn files(package: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(package).unwrap_or_else(|error| panic!("{package:?}: {error}"));
    let paths = entries.map(|entry| entry.expect("a directory entry").path());
    let is_source = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".go") && !name.ends_with("_test.go")
    };
    paths.filter(is_source).map(|path| std::fs::read_to_string(path).expect("a readable file")).collect()
}

/// The file that declares a struct, and what stands between its braces.
fn find_type(package: &Path, name: &str) -> Option<(String, String)> {
    files(package).into_iter().find_map(|file| {
        let start = format!("\ntype {name} struct");
        let (_, rest) =
            file.split_once(&format!("{start} {{\n")).or_else(|| file.split_once(&format!("{start}{{")))?;
        let body = if rest.starts_with('}') { String::new() } else { rest.split("\n}").next()?.to_owned() };
        Some((file.clone(), body))
    })
}

/// What a type that is no struct is made of, declared alone or in a group.
fn named_type(package: &Path, name: &str) -> Option<String> {
    files(package).iter().find_map(|file| {
        file.lines().find_map(|line| {
            let line = line.trim().strip_prefix("type ").unwrap_or(line.trim());
            let made_of = line.strip_prefix(name)?.strip_prefix(' ')?.trim().trim_start_matches("= ");
            (made_of != name && !made_of.contains([' ', '`', '{'])).then(|| made_of.to_owned())
        })
    })
}

fn decodes_itself(package: &Path, name: &str) -> bool {
    files(package).iter().any(|file| file.contains(&format!("*{name}) UnmarshalYAML(")))
}
